import type { KubeObject } from '@tiphys/api';
import { decode, type Decoded } from './decode.ts';
import { pruneCustom } from './custom-prune.ts';
import { badRequest } from './status-error.ts';
import type { ResourceType } from './types.ts';

/**
 * The object without the fields that its schema does not know, and those fields, each as `unknown field "spec.foo"`:
 * join with `, ` after `strict decoding error: ` for fieldValidation=Strict, one Warning header each for Warn.
 * Built-in kinds also take the form in which the API server keeps them: no nulls, no zero values where it leaves those
 * out, quantities and times written canonically.
 */
export function pruneUnknown(object: KubeObject, type: ResourceType): { object: KubeObject; unknown: string[] } {
  if (type.custom !== undefined) return pruneCustom(object, type);
  if (type.schema === undefined) return { object, unknown: [] };
  const found: Decoded = { unknown: [], mismatch: undefined };
  // Decoding an object by an object schema gives an object with the same identity.
  return { object: decode(object, type.schema, found) as KubeObject, unknown: found.unknown };
}

/**
 * Checks that the values have the types of the schema, as decoding does for built-in kinds before anything else.
 * @throws StatusError 400 with the API server's decoding message
 */
export function checkDecodable(object: KubeObject, type: ResourceType): void {
  if (type.custom !== undefined || type.schema === undefined) return;
  const found: Decoded = { unknown: [], mismatch: undefined };
  decode(object, type.schema, found);
  if (found.mismatch === undefined) return;
  throw badRequest(
    `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${found.mismatch}`,
  );
}
