import { LRUCache } from 'lru-cache';

/** Versions kept per object: more than can pass between a write and its answer. */
const perKey = 8;
const maxKeys = 50_000;

/**
 * The versions of objects that a watch has shown lately. Watch and answer of a write race: an answer whose version has been
 * shown already is old news, and what the watch has shown since is newer. Versions are only ever compared for equality.
 */
export interface SeenVersions {
  add(key: string, version: string): void;
  has(key: string, version: string): boolean;
}

/** What stands for the version of an object that is gone. */
export const goneVersion = 'gone';

export function openSeenVersions(): SeenVersions {
  const seen = new LRUCache<string, readonly string[]>({ max: maxKeys });
  return {
    add: (key, version) => {
      seen.set(key, [...(seen.get(key) ?? []), version].slice(-perKey));
    },
    has: (key, version) => seen.get(key)?.includes(version) === true,
  };
}
