import type { KubeObject } from '@tiphys/api';
import type { FieldError, ResourceType } from './types.ts';

/** The resources that a CustomResourceDefinition serves: one per served version, newest priority first. */
export function fromDefinition(definition: KubeObject): ResourceType[] {
  void definition;
  return [];
}

/** What is wrong with a CustomResourceDefinition beyond what its own schema says. */
export function validateDefinition(definition: KubeObject): readonly FieldError[] {
  void definition;
  return [];
}
