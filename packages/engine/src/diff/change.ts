import type { KubeObject, ResourceKey } from '@tiphys/api';

/** One place where desired and live differ. Never holds a value: what it says may be logged and kept. */
export type Difference = Readonly<{
  /** JSON pointer (RFC 6901) into the live object, or into the desired one for what live lacks. */
  path: string;
  /** `missing`: desired says it, live lacks it; `different`: both say something; `unwanted`: we set it once, desired no longer says it. */
  kind: 'missing' | 'different' | 'unwanted';
}>;

/** What has to happen to one object. The six kinds are all there are. Desired hooks are no change: the sync plan reads them. */
export type Change =
  | Readonly<{ kind: 'create'; key: ResourceKey; desired: KubeObject }>
  | Readonly<{
      kind: 'update';
      key: ResourceKey;
      desired: KubeObject;
      live: KubeObject;
      differences: readonly Difference[];
    }>
  | Readonly<{ kind: 'keep'; key: ResourceKey; desired: KubeObject; live: KubeObject }>
  /** Tracked as ours, and no longer desired. */
  | Readonly<{ kind: 'prune'; key: ResourceKey; live: KubeObject }>
  /** Tracked as ours, not desired, and marked `IgnoreExtraneous` or wanted by a sync option: shown, but no reason to be OutOfSync. */
  | Readonly<{ kind: 'ignore'; key: ResourceKey; live: KubeObject }>
  /** A hook that an earlier operation left, or an object that Git now has as one: shown, never compared, never pruned. */
  | Readonly<{ kind: 'hook'; key: ResourceKey; live: KubeObject }>;

/** Live objects by keyText of their key: those at desired keys, and all that carry the application's tracking mark. */
export type LiveObjects = ReadonlyMap<string, KubeObject>;

/** The live object of a change, if there is one. */
export const liveOf = (change: Change): KubeObject | undefined => (change.kind === 'create' ? undefined : change.live);

/** The desired object of a change, if there is one. */
export const desiredOf = (change: Change): KubeObject | undefined => ('desired' in change ? change.desired : undefined);
