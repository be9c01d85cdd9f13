import { describeKey, groupKindText, type KubeObject, mapLimited, type ResourceResult } from '@tiphys/api';
import type { Health } from '../health/health.ts';
import { definedKind } from './write/cluster-writer.ts';
import { stoppedResults } from './decide-step.ts';
import { hasFinalizer } from './hook-object.ts';
import { taskId } from './plan-sync.ts';
import { resultOf, withResults, type Outcome } from './task-result.ts';
import type { ApplyTask, HookTask, PruneTask, SyncPlan, SyncProgress, SyncStep, SyncTask } from './types.ts';
import type { ClusterWriter, WriteContext, Written } from './write/types.ts';

/** Where an operation stands in this process before its first step. */
export const initialProgress: SyncProgress = {
  namespaceReady: false,
  preflight: 'pending',
  lastWriteAt: undefined,
  cleaned: [],
  written: new Map(),
};

/** Steps that change something; the others say only how long to wait, or how the operation ends. */
export type ActiveStep = Exclude<SyncStep, { kind: 'wait' | 'finish' }>;

/** What a step left behind. `finish` ends the operation at once: nothing was applied. */
export type StepOutcome = Readonly<{
  results: readonly ResourceResult[];
  progress: SyncProgress;
  finish?: Readonly<{ phase: 'Failed' | 'Error'; message: string }> | undefined;
}>;

export type CarryOutPorts = Readonly<{
  writer: ClusterWriter;
  health: (live: KubeObject) => Health | undefined;
  now: () => Date;
  /** Objects applied side by side (10). */
  concurrency: number;
}>;

/** An operation under way: its plan, what is stored of it, and what this process knows beyond that. */
export type Running = Readonly<{
  plan: SyncPlan;
  results: readonly ResourceResult[];
  progress: SyncProgress;
  context: WriteContext;
}>;

/** On whose behalf something is written. */
type Writing = Pick<WriteContext, 'application' | 'revision' | 'initiatedBy' | 'signal'>;

/** For a write that belongs to no plan: an object of a deletion, a hook that is stopped or let go. */
export const writeContextWithoutPlan = (
  who: Writing,
  propagation: WriteContext['propagation'] = 'Background',
): WriteContext => ({
  ...who,
  propagation,
  pruneCount: 0,
  definitions: new Set(),
  namespaces: new Set(),
  dryRun: false,
});

/** For the tasks of a plan; what of it follows from the plan. */
export function writeContext(plan: SyncPlan, who: Writing): WriteContext {
  const applied = plan.tasks.filter((task) => task.kind === 'apply');
  return {
    ...writeContextWithoutPlan(who, plan.propagation),
    pruneCount: plan.pruneCount,
    dryRun: plan.dryRun,
    definitions: new Set(
      applied.filter(({ key }) => key.kind === 'CustomResourceDefinition').map((task) => definedKind(task.object)),
    ),
    namespaces: new Set([
      ...applied.filter(({ key }) => key.group === '' && key.kind === 'Namespace').map(({ key }) => key.name),
      ...(plan.namespace === undefined ? [] : [plan.namespace.name]),
    ]),
  };
}

/**
 * Takes one step of an operation. Safe to take again: what is done already is found done. Store the results that come back.
 * @throws CodedError sync/not-owner, sync/read-only; the signal's reason when it aborts
 */
export async function carryOut(step: ActiveStep, running: Running, ports: CarryOutPorts): Promise<StepOutcome> {
  switch (step.kind) {
    case 'create-namespace':
      return createNamespace(step, running, ports);
    case 'preflight':
      return preflight(step.tasks, running, ports);
    case 'delete-old-hooks':
      return deleteOldHooks(step.hooks, running, ports);
    case 'run':
      return runWave(step, running, ports);
    case 'clean-hooks':
      return cleanHooks(step, running, ports);
  }
}

async function createNamespace(
  { namespace }: Extract<SyncStep, { kind: 'create-namespace' }>,
  { results, progress, context }: Running,
  { writer }: CarryOutPorts,
): Promise<StepOutcome> {
  const written = await writer.ensureNamespace(namespace, context);
  const row = {
    group: '',
    version: 'v1',
    kind: 'Namespace',
    namespace: '',
    name: namespace.name,
    syncPhase: 'PreSync',
  };
  if (written.kind === 'failed') {
    const failed: ResourceResult = { ...row, status: 'SyncFailed', hookPhase: 'Failed', message: written.message };
    const message = `the namespace ${namespace.name} could not be created: ${written.message}`;
    return { results: withResults(results, [failed]), progress, finish: { phase: 'Failed', message } };
  }
  const done: ResourceResult = { ...row, status: 'Synced', hookPhase: 'Succeeded', message: written.message };
  const rows = written.changed ? [done] : [];
  return { results: withResults(results, rows), progress: { ...progress, namespaceReady: true } };
}

async function preflight(
  tasks: readonly SyncTask[],
  running: Running,
  { writer, concurrency }: CarryOutPorts,
): Promise<StepOutcome> {
  const { results, progress, plan } = running;
  const context: WriteContext = { ...running.context, dryRun: true };
  const tried = await mapLimited(
    tasks,
    concurrency,
    async (task): Promise<Readonly<{ task: SyncTask; written: Written }>> => {
      const written = await (task.kind === 'prune' ? writer.prune(task, context) : writer.apply(task, context));
      return { task, written: written.kind === 'failed' && mayPass(task, written, running) ? passed : written };
    },
  );
  const failed = tried.filter(({ written }) => written.kind === 'failed');
  const rows = (plan.dryRun ? tried : failed).map(({ task, written }) =>
    resultOf(task, outcomeOf(task, written, { dryRun: plan.dryRun })),
  );
  const all = withResults(results, rows);
  if (failed.length === 0) return { results: all, progress: { ...progress, preflight: 'passed' } };
  const reasons = failed.slice(0, 3).map(({ task, written }) => {
    const message = written.kind === 'failed' ? written.message : '';
    return message.includes(task.key.name) ? message : `${describeKey(task.key)}: ${message}`;
  });
  const more = failed.length > 3 ? `; and ${failed.length - 3} more` : '';
  const message = `one or more objects failed to apply (dry run), nothing was changed: ${reasons.join('; ')}${more}`;
  return { results: all, progress, finish: { phase: 'Failed', message } };
}

const passed: Written = {
  kind: 'done',
  message: 'not tried: it depends on an object of this sync',
  changed: false,
  object: undefined,
};

/**
 * A dry run that could not have passed says nothing: the kind or the namespace comes with this very sync, or the kind may be
 * missing by option.
 */
function mayPass(task: SyncTask, written: Extract<Written, { kind: 'failed' }>, { context }: Running): boolean {
  const definitionComes = context.definitions.has(groupKindText(task.key));
  switch (written.because.code) {
    case 'kube/kind-not-found':
      return definitionComes || task.options.skipDryRunOnMissingResource;
    case 'kube/not-found':
      return definitionComes || context.namespaces.has(task.key.namespace);
    default:
      return false;
  }
}

async function deleteOldHooks(
  hooks: readonly HookTask[],
  running: Running,
  ports: CarryOutPorts,
): Promise<StepOutcome> {
  const { results, progress, context } = running;
  const written = await mapLimited(hooks, ports.concurrency, async (hook) => ({
    hook,
    written: await ports.writer.removeHook(hook, context),
  }));
  const failed = written.flatMap(({ hook, written: one }) =>
    one.kind === 'failed' ? [resultOf(hook, { status: 'SyncFailed', phase: 'Failed', message: one.message })] : [],
  );
  return { results: withResults(results, failed), progress };
}

/** How a task stands right after its write. */
function outcomeOf(
  task: SyncTask,
  written: Written,
  how: Readonly<{ dryRun: boolean; health?: Health | undefined }>,
): Outcome {
  if (written.kind === 'failed') return { status: 'SyncFailed', phase: 'Failed', message: written.message };
  const { message, object } = written;
  if (task.kind === 'prune')
    return { status: 'Pruned', phase: object === undefined || how.dryRun ? 'Succeeded' : 'Running', message };
  const ended = how.dryRun || (object !== undefined && how.health === undefined);
  return { status: 'Synced', phase: ended ? 'Succeeded' : 'Running', message };
}

const skipped: Readonly<Record<PruneTask['action'], string | undefined>> = {
  'skip-not-requested': 'ignored (requires pruning)',
  'skip-never': 'ignored (no prune)',
  delete: undefined,
  confirm: undefined,
};

async function runWave(
  step: Extract<SyncStep, { kind: 'run' }>,
  running: Running,
  ports: CarryOutPorts,
): Promise<StepOutcome> {
  const { writer, health, concurrency } = ports;
  const { context, progress } = running;
  const wave = { results: running.results, changed: false, written: new Map(progress.written) };
  const note = (task: SyncTask, outcome: Outcome): void => {
    wave.results = withResults(wave.results, [resultOf(task, outcome)]);
  };
  const noteWritten = (task: SyncTask, written: Written): void => {
    if (written.kind === 'done' && written.changed) wave.changed = true;
    const object = written.kind === 'done' ? written.object : undefined;
    const seen = object === undefined ? undefined : health(object);
    if (object !== undefined)
      wave.written.set(taskId(task), { uid: object.metadata.uid, generation: object.metadata.generation });
    note(task, outcomeOf(task, written, { dryRun: false, health: seen }));
  };

  await mapLimited(step.prunes, concurrency, async (task) => {
    const message = skipped[task.action];
    if (message === undefined) noteWritten(task, await writer.prune(task, context));
    else note(task, { status: 'PruneSkipped', phase: 'Succeeded', message });
  });
  for (const group of step.groups) {
    await mapLimited(group, concurrency, async (task: ApplyTask | HookTask) =>
      noteWritten(task, await writer.apply(task, context)),
    );
    // What follows in kind (a workload after its configuration) is not begun when this kind failed.
    if (wave.results.some((result) => result.status === 'SyncFailed' && result.syncPhase !== 'SyncFail')) break;
  }
  return {
    results: wave.results,
    progress: { ...progress, written: wave.written, ...(wave.changed && { lastWriteAt: ports.now() }) },
  };
}

async function cleanHooks(
  { release, remove, because }: Extract<SyncStep, { kind: 'clean-hooks' }>,
  { results, progress, context }: Running,
  { writer, concurrency }: CarryOutPorts,
): Promise<StepOutcome> {
  const removed = new Set(remove.map(taskId));
  await mapLimited(release, concurrency, async (hook) => {
    // A hook that cannot be cleaned up is told in the ledger; the operation's outcome stays what it is.
    if (removed.has(taskId(hook))) await writer.removeHook(hook, context);
    else if (hasFinalizer(hook.object)) await writer.releaseHook(hook, context);
  });
  const stopped = because.code === 'terminated' || because.code === 'timed-out' ? stoppedResults(remove) : [];
  return {
    results: withResults(results, stopped),
    progress: { ...progress, cleaned: [...progress.cleaned, ...release.map(taskId)] },
  };
}
