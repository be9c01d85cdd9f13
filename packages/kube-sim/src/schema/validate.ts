import type { KubeObject } from '@tiphys/api';
import type { FieldError, ResourceType } from './types.ts';

/**
 * What is wrong with an object after defaulting; empty when it may be stored. With `old` also what may not change.
 * `subresource` names the part that a write is restricted to (`status`).
 */
export function validate(
  object: KubeObject,
  type: ResourceType,
  context: Readonly<{ old?: KubeObject; subresource?: string }> = {},
): readonly FieldError[] {
  void [object, type, context];
  return [];
}

/**
 * Checks that the values have the types of the schema, as decoding does for built-in kinds before anything else.
 * @throws StatusError 400 with the API server's decoding message
 */
export function checkDecodable(object: KubeObject, type: ResourceType): void {
  void [object, type];
}
