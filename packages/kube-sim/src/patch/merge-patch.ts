import { isRecord, type KubeObject } from '@tiphys/api';
import { badRequest } from '../schema/status-error.ts';

/** A JSON value's kind as Go's decoder names it. */
const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : value === null ? 'null' : typeof value;

/**
 * RFC 7386 on a copy of `live`.
 * @throws StatusError 400 when the patch is no object
 */
export function mergePatch(live: KubeObject, patch: unknown): KubeObject {
  if (!isRecord(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kindOf(patch)} into Go value of type map[string]interface {}`,
    );
  // Merging an object into an object gives one; the server checks its identity.
  return merged(live, patch) as KubeObject;
}

function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key], value);
  }
  return result;
}
