import { canonicalJson, isRecord } from '@tiphys/api';

/** The JSON merge patch (RFC 7386) that makes `after` of `before`; undefined when they are equal. Lists are replaced whole. */
export function mergePatchOf(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return canonicalJson(before) === canonicalJson(after) ? undefined : after;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const inner = before[key] === undefined ? value : mergePatchOf(before[key], value);
    if (inner !== undefined) patch[key] = inner;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
