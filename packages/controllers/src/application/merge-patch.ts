import { canonicalJson, isRecord } from '@tiphys/api';

/**
 * The RFC 7386 patch that turns one value into the other; undefined when they are equal. Lists are replaced whole.
 * A field that is undefined counts as absent.
 */
export function mergePatchBetween(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return canonicalJson(before) === canonicalJson(after) ? undefined : after;
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, next] = [before[key], after[key]];
    if (next === undefined) {
      if (old !== undefined) patch[key] = null;
    } else if (old === undefined) patch[key] = next;
    else {
      const inner = mergePatchBetween(old, next);
      if (inner !== undefined) patch[key] = inner;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
