import { type Because, describeKey, keyOf, keyText, type KubeObject } from '@tiphys/api';
import type { Change } from '../diff/change.ts';
import { sharedResources } from '../diff/diff.ts';
import { ignoredPointers, withLiveIgnored } from '../diff/ignore.ts';
import { readHook, waveOf } from './hooks.ts';
import { markedHook, namedHook, operationMark } from './hook-object.ts';
import { missingInputs } from './missing-inputs.ts';
import { propagationOf, readOptions, taskOptions, type OptionValues } from './options.ts';
import { orderTasks } from './order.ts';
import {
  syncPhases,
  type ApplyTask,
  type HookTask,
  type HookType,
  type NamespaceTask,
  type PruneTask,
  type ResourceSelector,
  type SyncPhase,
  type SyncPlan,
  type SyncRequest,
  type SyncSubject,
  type SyncTask,
} from './types.ts';

type Findings = { warnings: Because[]; errors: Because[] };
type Context = Readonly<{ request: SyncRequest; options: OptionValues; found: Findings }>;

const isPhase = (type: HookType): type is SyncPhase => (syncPhases as readonly string[]).includes(type);

function waveIn(object: KubeObject, { found }: Context): number {
  const { wave, warning } = waveOf(object);
  if (warning !== undefined) found.warnings.push(warning);
  return wave;
}

function optionsIn(object: KubeObject, { request, options, found }: Context): SyncTask['options'] {
  const read = taskOptions(object, options, request.force);
  found.warnings.push(...read.warnings);
  return read.options;
}

function hookTasks(object: KubeObject, context: Context): HookTask[] {
  const reading = readHook(object);
  if (reading.kind === 'invalid') context.found.errors.push(reading.because);
  if (reading.kind !== 'hook' || reading.types.includes('Skip')) return [];
  return reading.types.filter(isPhase).map((phase) => {
    // The phase is part of the mark: a hook of two phases runs in each of them.
    const mark = `${operationMark(context.request)}/${phase}`;
    const named = markedHook(namedHook(object, phase, context.request), mark);
    return {
      kind: 'hook',
      key: keyOf(named),
      phase,
      wave: waveIn(object, context),
      object: named,
      hookType: phase,
      deletePolicies: reading.deletePolicies,
      options: optionsIn(object, context),
    };
  });
}

/** `RespectIgnoreDifferences=true`: fields that are ignored keep their live value (contract 3.4). */
function appliedObject(change: Change & { desired: KubeObject }, { request, options }: Context): KubeObject {
  if (change.kind === 'create' || options.get('RespectIgnoreDifferences') !== 'true') return change.desired;
  return withLiveIgnored(change.desired, change.live, ignoredPointers(change.desired, request.ignore));
}

function applyTasks({ changes }: SyncSubject, context: Context): ApplyTask[] {
  const onlyOutOfSync = context.options.get('ApplyOutOfSyncOnly') === 'true';
  return changes.flatMap((change): ApplyTask[] => {
    if (change.kind !== 'create' && change.kind !== 'update' && change.kind !== 'keep') return [];
    if (onlyOutOfSync && change.kind === 'keep') return [];
    const { key } = change;
    const object = appliedObject(change, context);
    if (key.name === '') {
      const name = describeKey({ ...key, name: object.metadata.generateName ?? '' });
      context.found.errors.push({
        code: 'name-missing',
        object: name,
        message: `${name}: metadata.name is missing; only hooks may have generateName alone`,
      });
    }
    const options = optionsIn(object, context);
    const live = change.kind === 'create' ? undefined : change.live;
    const wave = waveIn(object, context);
    return [{ kind: 'apply', key, phase: 'Sync', wave, object, change: change.kind, live, options }];
  });
}

function pruneAction(task: { options: SyncTask['options'] }, request: SyncRequest): PruneTask['action'] {
  if (task.options.prune === 'never') return 'skip-never';
  if (!request.prune) return 'skip-not-requested';
  return task.options.prune === 'confirm' && !isApproved(request) ? 'confirm' : 'delete';
}

type Approval = Pick<SyncRequest, 'deletionApproved' | 'startedAt'>;

/** An approval counts for operations that began before it was given. */
const isApproved = ({ deletionApproved, startedAt }: Approval): boolean =>
  new Date(deletionApproved ?? '').getTime() >= new Date(startedAt).getTime();

const countDeletes = (tasks: readonly SyncTask[]): number =>
  tasks.filter((task) => task.kind === 'prune' && task.action === 'delete').length;

/** A plan that waits for approval, once it is given: what waited is deleted. */
export function withApproval(plan: SyncPlan, approval: Approval): SyncPlan {
  const waits = plan.tasks.some((task) => task.kind === 'prune' && task.action === 'confirm');
  if (!waits || !isApproved(approval)) return plan;
  const tasks = plan.tasks.map((task): SyncTask =>
    task.kind === 'prune' && task.action === 'confirm' ? { ...task, action: 'delete' } : task,
  );
  return { ...plan, tasks, pruneCount: countDeletes(tasks) };
}

/** Prunes run in the mirrored order of the waves in which the objects were applied; PruneLast after all that (contract 3.3). */
function pruneTasks({ changes }: SyncSubject, context: Context, applies: readonly SyncTask[]): PruneTask[] {
  const tasks = changes.flatMap((change): PruneTask[] => {
    if (change.kind !== 'prune') return [];
    const options = optionsIn(change.live, context);
    const action = pruneAction({ options }, context.request);
    const wave = waveIn(change.live, context);
    return [{ kind: 'prune', key: change.key, phase: 'Sync', wave, live: change.live, action, options }];
  });
  const deletes = tasks.filter(({ action }) => action === 'delete' || action === 'confirm');
  const waves = [...new Set(deletes.filter(({ options }) => !options.pruneLast).map(({ wave }) => wave))].sort(
    (a, b) => a - b,
  );
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index] ?? wave]));
  const syncWaves = applies.filter(({ phase }) => phase === 'Sync').map(({ wave }) => wave);
  const last = Math.max(0, ...syncWaves, ...waves);
  const first = Math.min(...syncWaves, ...waves, ...(syncWaves.length + waves.length === 0 ? [0] : []));
  return tasks.map((task) => {
    // What is left alone takes no wave of its own: nothing waits for it.
    if (task.action !== 'delete' && task.action !== 'confirm') return { ...task, wave: first };
    return { ...task, wave: task.options.pruneLast ? last + 1 : (mirrored.get(task.wave) ?? task.wave) };
  });
}

const selects = (selector: ResourceSelector, { key }: SyncTask): boolean =>
  (selector.group ?? '') === key.group &&
  selector.kind === key.kind &&
  selector.name === key.name &&
  ((selector.namespace ?? '') === '' || selector.namespace === key.namespace);

function namespaceTask(subject: SyncSubject, { request, options }: Context): NamespaceTask | undefined {
  const name = request.destinationNamespace;
  if (options.get('CreateNamespace') !== 'true' || name === '') return undefined;
  // A manifest in Git wins: it is applied like any other object, before what is in it.
  if (
    subject.desired.some(
      (object) => object.kind === 'Namespace' && object.apiVersion === 'v1' && object.metadata.name === name,
    )
  )
    return undefined;
  return { name, metadata: request.managedNamespaceMetadata };
}

/**
 * All that a sync does, in order (contract 3.1 to 3.5). Pure: the same subject and request give the same plan, so an operation
 * that is taken up again goes on where its results end.
 */
export function planSync(subject: SyncSubject, request: SyncRequest): SyncPlan {
  const found: Findings = { warnings: [], errors: [] };
  const { values: options, warnings } = readOptions(request.syncOptions, 'syncOptions');
  found.warnings.push(...warnings);
  const context: Context = { request, options, found };

  const selective = request.resources.length > 0;
  const chosen = (task: SyncTask): boolean =>
    !selective || request.resources.some((selector) => selects(selector, task));
  const hooks =
    selective || request.strategy === 'apply' ? [] : subject.desired.flatMap((one) => hookTasks(one, context));
  const applies = applyTasks(subject, context);
  const prunes = pruneTasks(subject, context, applies);
  const tasks = orderTasks([...hooks, ...applies.filter(chosen), ...prunes.filter(chosen)]);

  const shared = sharedResources(subject.changes, request);
  if (options.get('FailOnSharedResource') === 'true') found.errors.push(...shared.map(asRefusal));
  found.warnings.push(...missingInputs(hooks, applies));
  return {
    tasks,
    namespace: namespaceTask(subject, context),
    warnings: distinct(found.warnings),
    errors: distinct(found.errors),
    propagation: propagationOf(options),
    dryRun: request.dryRun,
    pruneCount: countDeletes(tasks),
  };
}

const asRefusal = (shared: Because): Because => ({
  ...shared,
  message: `Shared resource found: ${shared.message ?? ''}`,
});

const distinct = (reasons: readonly Because[]): Because[] => [
  ...new Map(reasons.map((reason) => [`${reason.code} ${reason.message ?? ''}`, reason])).values(),
];

/** Identity of a task's result within an operation. */
export const taskId = ({ phase, key }: Pick<SyncTask, 'phase' | 'key'>): string => `${phase} ${keyText(key)}`;
