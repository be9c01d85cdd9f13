import { type Clock, keyOf, keyText, type KubeObject, trackedBy, type TrackingSettings } from '@tiphys/api';
import { goneVersion, openSeenVersions } from './seen-versions.ts';

/** How long a write may wait for its watch event before the cache is believed again. */
const patienceMs = 10_000;

/** One write of ours, told from others by its identity. */
export type OwnWrite = Readonly<{ instance: string | undefined }>;

/** Our own writes that the watch has not shown yet. Bounded: an entry goes with its event, or after ten seconds. */
export interface RecentWrites {
  written(object: KubeObject): void;
  deleted(object: KubeObject): void;
  /** The watch has shown an object at this version, or gone. Answers the write of ours that it showed, if it was just that. */
  seen(key: string, version: string): OwnWrite | undefined;
  get(key: string): KubeObject | 'deleted' | undefined;
  /** What is kept of a write whose outcome this is: then it need not be kept twice. */
  sameAs(object: KubeObject): KubeObject | undefined;
  /** Writes for an application that the watch has not shown yet: a comparison that begins now sees what they left. */
  pendingOf(instance: string): Set<OwnWrite>;
  /** Lays the recent writes of an application over what the cache shows. */
  overlay(instance: string, found: Map<string, KubeObject>): void;
}

type Write = Readonly<{
  at: number;
  /** Without the object: whoever remembers a write does not keep that alive. */
  own: OwnWrite;
  object: KubeObject | 'deleted';
}>;

/** `trim`: what is kept of an object. */
export function openRecentWrites(
  clock: Clock,
  tracking: TrackingSettings,
  trim: (object: KubeObject) => KubeObject,
): RecentWrites {
  // In order of writing: the oldest come first, so expiry looks at the head only.
  const writes = new Map<string, Write>();
  const shown = openSeenVersions();

  const expire = (): void => {
    const oldest = clock.now().getTime() - patienceMs;
    for (const [key, { at }] of writes) {
      if (at > oldest) return;
      writes.delete(key);
    }
  };
  const note = (object: KubeObject, what: KubeObject | 'deleted'): void => {
    expire();
    const key = keyText(keyOf(object));
    writes.delete(key);
    // The watch was faster than the answer: it may already show something newer.
    if (shown.has(key, what === 'deleted' ? goneVersion : (object.metadata.resourceVersion ?? ''))) return;
    writes.set(key, {
      at: clock.now().getTime(),
      own: { instance: trackedBy(object, tracking) },
      object: what,
    });
  };

  return {
    written: (object) => note(object, trim(object)),
    deleted: (object) => note(object, 'deleted'),
    seen: (key, version) => {
      shown.add(key, version);
      const write = writes.get(key);
      writes.delete(key);
      // Another version is somebody else's doing, before our write or after it.
      const isIt =
        write !== undefined && write.object !== 'deleted' && write.object.metadata.resourceVersion === version;
      return isIt ? write.own : undefined;
    },
    pendingOf: (instance) =>
      new Set([...writes.values()].map(({ own }) => own).filter((own) => own.instance === instance)),
    get: (key) => {
      expire();
      return writes.get(key)?.object;
    },
    sameAs: (object) => {
      const kept = writes.get(keyText(keyOf(object)))?.object;
      if (kept === undefined || kept === 'deleted' || kept.apiVersion !== object.apiVersion) return undefined;
      const { uid, resourceVersion } = object.metadata;
      return kept.metadata.uid === uid && kept.metadata.resourceVersion === resourceVersion ? kept : undefined;
    },
    overlay: (instance, found) => {
      expire();
      for (const [key, write] of writes) {
        if (write.own.instance !== instance) continue;
        if (write.object === 'deleted') found.delete(key);
        else found.set(key, write.object);
      }
    },
  };
}
