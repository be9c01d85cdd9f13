import { type Application, type Because, describeKey, keyOf, type KubeObject } from '@tiphys/api';
import {
  assess,
  confirmsDelete,
  type DeletionPhase,
  deletePoliciesOf,
  deletionPhases,
  attemptOf,
  hookFinalizer,
  isOfDeletion,
  keepsOnDelete,
  readOptions,
  waveOf,
} from '@tiphys/engine';
import { hookFinalizers } from './finalizers.ts';

/** What a deletion comes to next (contract 3.10). */
export type DeletionStep = Readonly<
  /** The hooks of a phase run. */
  | { kind: 'hooks'; phase: DeletionPhase }
  | { kind: 'delete'; objects: readonly KubeObject[] }
  /** Our finalizer comes off these hooks, which have ended. */
  | { kind: 'release-hooks'; hooks: readonly KubeObject[] }
  | { kind: 'wait'; for: readonly Because[] }
  /** Nothing is left to do: the application goes. */
  | { kind: 'finish' }
>;

const approvedAt = ({ metadata }: Application): number =>
  new Date(metadata.annotations?.['argocd.argoproj.io/deletion-approved'] ?? '').getTime();

const uidOf = ({ metadata }: Application): string => metadata.uid ?? '';

/** What of an application's live objects goes with it: never definitions, never what asks to stay, never itself, never its delete hooks. */
function doomed(application: Application, live: readonly KubeObject[]): KubeObject[] {
  const self = uidOf(application);
  return live.filter(
    (object) =>
      object.kind !== 'CustomResourceDefinition' &&
      object.metadata.uid !== self &&
      (object.metadata.ownerReferences ?? []).length === 0 &&
      !isOfDeletion(object, self) &&
      !keepsOnDelete(object),
  );
}

const waiting = (code: string, objects: readonly KubeObject[]): DeletionStep => ({
  kind: 'wait',
  for: objects.map((object): Because => ({ code, object: describeKey(keyOf(object)) })),
});

function unapproved(application: Application, objects: readonly KubeObject[]): readonly KubeObject[] {
  const deletedAt = new Date(application.metadata.deletionTimestamp ?? '').getTime();
  const { values: options } = readOptions(application.spec.syncPolicy?.syncOptions ?? [], 'syncOptions');
  return objects.filter((object) => confirmsDelete(object, options) && !(approvedAt(application) >= deletedAt));
}

/** Objects go in reverse wave order, one wave at a time; a wave is over when its objects are gone. */
function lastWave(objects: readonly KubeObject[]): DeletionStep {
  const last = Math.max(...objects.map((object) => waveOf(object).wave));
  const wave = objects.filter((object) => waveOf(object).wave === last);
  const standing = wave.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return standing.length > 0 ? { kind: 'delete', objects: standing } : waiting('waiting-for-deletion', wave);
}

function policyHolds(hook: KubeObject): boolean {
  const health = assess(hook)?.status ?? 'Healthy';
  const policies = deletePoliciesOf(hook);
  if (health === 'Healthy') return policies.includes('HookSucceeded');
  return health === 'Degraded' && policies.includes('HookFailed');
}

/** The hooks of this deletion whose policy says that they go, and of those that run in no phase any more. */
function cleanUp(hooks: readonly KubeObject[]): DeletionStep {
  const going = hooks.filter(policyHolds);
  const standing = going.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (standing.length > 0) return { kind: 'delete', objects: standing };
  return going.length > 0 ? waiting('waiting-for-deletion', going) : { kind: 'finish' };
}

/**
 * The next step of a deletion that cascades: PreDelete hooks, the objects, PostDelete hooks, the hooks themselves by their policies.
 * Only the finalizers and what lives say how far it is, so a process that starts in the middle goes on there.
 */
export function decideDeletion(application: Application, live: readonly KubeObject[]): DeletionStep {
  const finalizers = application.metadata.finalizers ?? [];
  const isDue = (phase: DeletionPhase): boolean => finalizers.includes(hookFinalizers[phase]);
  const objects = doomed(application, live);
  const uid = uidOf(application);

  const unasked = unapproved(application, objects);
  if (unasked.length > 0) return waiting('waiting-for-deletion-approval', unasked);
  if (isDue('PreDelete')) return { kind: 'hooks', phase: 'PreDelete' };

  // Before the cascade: a held hook would keep its namespace, which may be among what goes.
  const hooks = live.filter((object) => isOfDeletion(object, uid));
  const ended = hooks.filter((hook) =>
    deletionPhases.every((phase) => !isDue(phase) || attemptOf(hook, uid, phase) === undefined),
  );
  const held = ended.filter(({ metadata }) => metadata.finalizers?.includes(hookFinalizer) === true);
  if (held.length > 0) return { kind: 'release-hooks', hooks: held };

  if (objects.length > 0) return lastWave(objects);
  if (isDue('PostDelete')) return { kind: 'hooks', phase: 'PostDelete' };
  return cleanUp(hooks);
}
