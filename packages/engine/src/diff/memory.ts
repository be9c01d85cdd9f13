import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { canonicalJson, type KubeObject } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import type { Difference } from './change.ts';
import { compareObject, type CompareSettings } from './compare-object.ts';

/** What earlier comparisons found, so that an unchanged object costs nothing (design decision 9). */
export interface CompareMemory {
  /** Where the objects differ; looked up when the same pair was compared with the same settings. */
  differences(desired: KubeObject, live: KubeObject, settings: CompareSettings): readonly Difference[];
  /** A digest of a desired object that tells nothing about its content. */
  digest(object: KubeObject): string;
  /** For metrics. */
  readonly counts: Readonly<{ found: number; compared: number; entries: number }>;
}

/**
 * Opens a memory of at most `maxEntries` pairs. Keys are digests under a key of this process and results hold paths, never
 * values: neither tells anything about a Secret (design decision 18).
 */
export function openCompareMemory({ maxEntries = 200_000 }: { maxEntries?: number } = {}): CompareMemory {
  const secret = createSecretKey(randomBytes(32));
  const found = new LRUCache<string, readonly Difference[]>({ max: maxEntries });
  // Objects are never changed in place, so a digest holds as long as the object itself.
  const digests = new WeakMap<object, string>();
  // The usual question is the last one again, of the very same objects: no key has to be built for it.
  const last = new WeakMap<
    KubeObject,
    Readonly<{ live: KubeObject; settings: string; result: readonly Difference[] }>
  >();
  // Settings are few and made anew for each comparison.
  const settingsDigests = new LRUCache<string, string>({ max: 1000 });
  const none: readonly Difference[] = [];
  const counts = { found: 0, compared: 0 };

  const digestOf = (value: object): string => {
    const known = digests.get(value);
    if (known !== undefined) return known;
    const digest = createHmac('sha256', secret).update(canonicalJson(value)).digest('base64');
    digests.set(value, digest);
    return digest;
  };

  const settingsDigestOf = (settings: CompareSettings): string => {
    const known = digests.get(settings);
    if (known !== undefined) return known;
    const text = canonicalJson(settings);
    const digest = settingsDigests.get(text) ?? createHmac('sha256', secret).update(text).digest('base64');
    settingsDigests.set(text, digest);
    digests.set(settings, digest);
    return digest;
  };

  const look = (desired: KubeObject, live: KubeObject, settings: CompareSettings): readonly Difference[] => {
    const { uid = '', resourceVersion = '' } = live.metadata;
    const version = resourceVersion === '' ? digestOf(live) : `${uid} ${resourceVersion} ${live.apiVersion}`;
    const key = `${digestOf(desired)} ${version} ${settingsDigestOf(settings)}`;
    const known = found.get(key);
    if (known !== undefined) {
      counts.found += 1;
      return known;
    }
    counts.compared += 1;
    const { differences } = compareObject(desired, live, settings);
    // One empty list for all that do not differ: they are nearly all.
    const result = differences.length === 0 ? none : differences;
    found.set(key, result);
    return result;
  };

  return {
    differences: (desired, live, settings) => {
      const settingsDigest = settingsDigestOf(settings);
      const before = last.get(desired);
      if (before?.live === live && before.settings === settingsDigest) {
        counts.found += 1;
        return before.result;
      }
      const result = look(desired, live, settings);
      last.set(desired, { live, settings: settingsDigest, result });
      return result;
    },
    digest: digestOf,
    get counts() {
      return { ...counts, entries: found.size };
    },
  };
}
