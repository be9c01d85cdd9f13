import type { KubeObject } from '@tiphys/api';
import { builtInResources } from './built-in.ts';
import { fromDefinition } from './custom.ts';
import type { ResourceType } from './types.ts';

/** The built-in resource of a kind, for tests. */
export function builtIn(kind: string): ResourceType {
  const found = builtInResources.find((type) => type.kind === kind);
  if (found === undefined) throw new Error(`no built-in kind ${kind}`);
  return found;
}

/** A custom resource with the given schema of its spec, for tests. */
export function customType(spec: Record<string, unknown>, subresources: Record<string, unknown> = {}): ResourceType {
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object' } } } },
        },
      ],
    },
  };
  const [type] = fromDefinition(definition);
  if (type === undefined) throw new Error('the definition serves nothing');
  return type;
}
