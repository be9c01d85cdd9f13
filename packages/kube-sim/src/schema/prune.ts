import type { KubeObject } from '@tiphys/api';
import type { ResourceType } from './types.ts';

/**
 * The object without the fields that its schema does not know, and those fields, each as `unknown field "spec.foo"`:
 * join with `, ` after `strict decoding error: ` for fieldValidation=Strict, one Warning header each for Warn.
 */
export function pruneUnknown(object: KubeObject, type: ResourceType): { object: KubeObject; unknown: string[] } {
  void type;
  return { object, unknown: [] };
}
