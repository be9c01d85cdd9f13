import { keyOf, keyText, type KubeObject, type ResourceKey, stringAt } from '@tiphys/api';
import { type HookIdentity, markedHook, namedHook } from './hook-object.ts';
import { readHook, waveOf } from './hooks.ts';
import { marks } from './marks.ts';
import { readOptions, taskOptions } from './options.ts';
import { orderTasks } from './order.ts';
import { type DeletionPhase, deletionPhases, type HookTask, type SyncPlan } from './types.ts';

/** What the hooks of a deletion are planned from. */
export type DeletionRequest = HookIdentity &
  Readonly<{
    phase: DeletionPhase;
    /** The Application's uid: tells this deletion's hooks from those of an earlier application of the same name. */
    uid: string;
    /** Which run of a hook is wanted: 0 at first, one more when the last one failed. */
    attemptOf: (key: ResourceKey) => number;
    /** `spec.syncPolicy.syncOptions`. */
    syncOptions: readonly string[];
    propagation: SyncPlan['propagation'];
  }>;

const markPrefix = (uid: string, phase = ''): string => `deletion/${uid}/${phase === '' ? '' : `${phase}/`}`;

const markOf = (object: KubeObject | undefined): string =>
  stringAt(object, 'metadata', 'annotations', marks.operation) ?? '';

/** Whether a live object is a hook that this very deletion ran. */
export const isOfDeletion = (object: KubeObject | undefined, uid: string): boolean =>
  markOf(object).startsWith(markPrefix(uid));

/** Which run of a phase of this deletion a live hook is; undefined when it is none of its. */
export function attemptOf(object: KubeObject | undefined, uid: string, phase: DeletionPhase): number | undefined {
  const prefix = markPrefix(uid, phase);
  return markOf(object).startsWith(prefix) ? Number(markOf(object).slice(prefix.length)) : undefined;
}

const isDeletionPhase = (type: string): type is DeletionPhase => (deletionPhases as readonly string[]).includes(type);

/** The deletion phases in which an object is a hook. */
export function deletionPhasesOf(object: KubeObject): readonly DeletionPhase[] {
  const reading = readHook(object);
  return reading.kind === 'hook' && !reading.types.includes('Skip') ? reading.types.filter(isDeletionPhase) : [];
}

/** The delete policies of a live hook. */
export function deletePoliciesOf(object: KubeObject): HookTask['deletePolicies'] {
  const reading = readHook(object);
  return reading.kind === 'hook' ? reading.deletePolicies : [];
}

function hookTask(object: KubeObject, request: DeletionRequest): HookTask {
  const named = namedHook(object, request.phase, request);
  const key = keyOf(named);
  const attempt = request.attemptOf(key);
  const { values } = readOptions(request.syncOptions, 'syncOptions');
  const policies = deletePoliciesOf(object);
  // A run that failed makes room for the next one, and one phase's for the other's, whatever the policy: without that the
  // application could never go.
  const makesRoom = attempt > 0 || deletionPhasesOf(object).length > 1;
  return {
    kind: 'hook',
    key,
    phase: request.phase,
    wave: waveOf(object).wave,
    object: markedHook(named, `${markPrefix(request.uid, request.phase)}${attempt}`),
    hookType: request.phase,
    deletePolicies: makesRoom ? [...policies, 'BeforeHookCreation'] : policies,
    options: taskOptions(object, values, false).options,
  };
}

/** The hooks of one phase of a deletion, in the order in which they run. Of two with one name the later counts. */
export function planDeletionHooks(desired: readonly KubeObject[], request: DeletionRequest): SyncPlan {
  const hooks = desired
    .filter((object) => deletionPhasesOf(object).includes(request.phase))
    .map((object) => hookTask(object, request));
  return {
    tasks: orderTasks([...new Map(hooks.map((hook) => [keyText(hook.key), hook])).values()]),
    namespace: undefined,
    warnings: [],
    errors: [],
    propagation: request.propagation,
    dryRun: false,
    pruneCount: 0,
  };
}
