import { isRecord } from './object.ts';

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** Whether two JSON values are the same, whatever the order of keys; a key without a value counts as absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return String(a) === String(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((entry, index) => equalJson(entry, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  // Absent from one: the other's value is compared with undefined, to which only undefined is equal.
  for (const key in a) if (!equalJson(a[key], b[key])) return false;
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

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
