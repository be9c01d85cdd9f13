import { isRecord } from '@tiphys/api';
import { equalJson } from './equivalent.ts';

/** The JSON merge patch (RFC 7386) that makes `to` of `from`; undefined when they are the same. Lists are replaced whole. */
export function mergePatch(from: unknown, to: unknown): unknown {
  if (!isRecord(from) || !isRecord(to)) return equalJson(from, to) ? undefined : (to ?? null);
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (to[key] === undefined) {
      if (from[key] !== undefined) patch[key] = null;
      continue;
    }
    const changed = from[key] === undefined ? to[key] : mergePatch(from[key], to[key]);
    if (changed !== undefined) patch[key] = changed;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
