import {
  describeKey,
  keyOf,
  keyText,
  type Because,
  type KubeObject,
  type ResourceKey,
  trackedBy,
  type TrackingSettings,
} from '@tiphys/api';
import { isHook } from '../sync/hooks.ts';
import { marks } from '../sync/marks.ts';
import type { Change, Difference, LiveObjects } from './change.ts';
import { compareObject, type CompareSettings } from './compare-object.ts';
import type { CompareMemory } from './memory.ts';

/** Whose objects are compared, and how. */
export type DiffPolicy = CompareSettings &
  Readonly<{
    /** The application's tracking name. */
    application: string;
    tracking: TrackingSettings;
    /** The Application object itself, which an application may hold but never prunes. */
    self?: ResourceKey | undefined;
    /**
     * The destination namespace where `CreateNamespace=true` wants it. One that carries our mark because Git once held it is not
     * extra: a prune would take everything in it, and the same sync would create it again.
     */
    createdNamespace?: string | undefined;
    /** Without it every pair is compared anew. */
    memory?: CompareMemory | undefined;
  }>;

const compareOptionsOf = (object: KubeObject): readonly string[] =>
  (object.metadata.annotations?.[marks.compareOptions] ?? '').split(',').map((option) => option.trim());

/** Kinds that no sync deletes because Git no longer holds them: they never carry our mark, and their objects would go with them. */
const isDefinition = (object: KubeObject): boolean => object.kind === 'CustomResourceDefinition';

type Compare = (desired: KubeObject, live: KubeObject) => readonly Difference[];

const anotherVersion: readonly Difference[] = [{ path: '/apiVersion', kind: 'different' }];

function compareOne(desired: KubeObject, live: KubeObject | undefined, compare: Compare): Change {
  const key = keyOf(desired);
  if (live === undefined) return { kind: 'create', key, desired };
  // Live comes in the version that is desired; in another one only where the cluster does not serve that.
  const differences = desired.apiVersion === live.apiVersion ? compare(desired, live) : anotherVersion;
  return differences.length === 0
    ? { kind: 'keep', key, desired, live }
    : { kind: 'update', key, desired, live, differences };
}

function extra(live: KubeObject, createdNamespace: string | undefined): Change | undefined {
  const key = keyOf(live);
  if (live.apiVersion === 'v1' && live.kind === 'Namespace' && key.name === createdNamespace)
    return { kind: 'ignore', key, live };
  if (isHook(live)) return { kind: 'hook', key, live };
  // What has an owner goes with its owner (contract 3.3).
  if ((live.metadata.ownerReferences ?? []).length > 0 || isDefinition(live)) return undefined;
  return compareOptionsOf(live).includes('IgnoreExtraneous')
    ? { kind: 'ignore', key, live }
    : { kind: 'prune', key, live };
}

/**
 * What has to happen to each object, desired ones in their order and then what is ours and no longer desired. Hooks among the
 * desired are left out. Of objects desired twice the later one counts. Only an object that carries the application's own mark
 * is ever called extra (requirement DIFF-03).
 */
export function diff(desired: readonly KubeObject[], live: LiveObjects, policy: DiffPolicy): Change[] {
  const wanted = new Map<string, KubeObject>();
  for (const object of desired) wanted.set(keyText(keyOf(object)), object);
  // One object for all, so that its digest is taken once.
  const settings: CompareSettings = { options: policy.options, ignore: policy.ignore };
  const compare: Compare = (one, other) =>
    policy.memory?.differences(one, other, settings) ?? compareObject(one, other, settings).differences;
  const changes: Change[] = [];
  for (const [key, object] of wanted) if (!isHook(object)) changes.push(compareOne(object, live.get(key), compare));
  const self = policy.self === undefined ? undefined : keyText(policy.self);
  for (const [key, object] of live) {
    const known = wanted.get(key);
    if ((known !== undefined && !isHook(known)) || key === self) continue;
    if (trackedBy(object, policy.tracking) !== policy.application) continue;
    // What has become a hook in Git, or is to be skipped there, has not left it.
    const change: Change | undefined =
      known === undefined ? extra(object, policy.createdNamespace) : { kind: 'hook', key: keyOf(object), live: object };
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

/** Whether a change makes its application OutOfSync (contract 4, sync status rule). */
export const isOutOfSync = (change: Change): boolean =>
  change.kind === 'create' || change.kind === 'update' || change.kind === 'prune';

/** In the words that people know: this application as `namespace/name`, the others by their tracking names. */
export const sharedMessage = ({ kind, name }: ResourceKey, application: string, others: readonly string[]): string =>
  `${kind}/${name} is part of applications ${application} and ${others.join(', ')}`;

/** Objects that are desired here and marked as another application's (requirement APP-19). `shownAs`: how this one is named. */
export function sharedResources(
  changes: readonly Change[],
  { application, tracking }: Pick<DiffPolicy, 'application' | 'tracking'>,
  shownAs: string = application,
): Because[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'update' && change.kind !== 'keep') return [];
    const owner = trackedBy(change.live, tracking);
    if (owner === undefined || owner === application) return [];
    const message = sharedMessage(change.key, shownAs, [owner]);
    return [{ code: 'shared-resource', object: describeKey(change.key), message }];
  });
}

/** Objects that stand more than once among the desired ones; the later counts. */
export function repeatedResources(desired: readonly KubeObject[]): Because[] {
  const seen = new Map<string, { key: ResourceKey; count: number }>();
  for (const one of desired) {
    const key = keyOf(one);
    if (key.name === '') continue;
    const id = keyText(key);
    seen.set(id, { key, count: (seen.get(id)?.count ?? 0) + 1 });
  }
  return [...seen.values()]
    .filter(({ count }) => count > 1)
    .map(({ key, count }) => ({
      code: 'repeated-resource',
      object: describeKey(key),
      message: `Resource ${key.group}/${key.kind}/${key.namespace}/${key.name} appeared ${count} times among application resources.`,
    }));
}
