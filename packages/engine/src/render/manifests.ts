import { type KubeObject, keyOf } from '@tiphys/api';
import type { RenderWarning } from './types.ts';

/**
 * Leaves one of several objects with the same name: the last, at the place of the first (contract 1.1).
 * @param namespace what a missing namespace will become
 */
export function withoutRepeats(
  objects: readonly KubeObject[],
  namespace: string,
): { objects: readonly KubeObject[]; warnings: readonly RenderWarning[] } {
  const kept = new Map<string, { object: KubeObject; times: number }>();
  for (const [index, object] of objects.entries()) {
    const key = keyOf(object);
    const id = `${key.group}/${key.kind}/${key.namespace || namespace}/${key.name}`;
    const times = (kept.get(id)?.times ?? 0) + 1;
    kept.set(key.name === '' ? `generated ${index}` : id, { object, times });
  }
  const repeated = [...kept].filter(([, { times }]) => times > 1);
  return {
    objects: [...kept.values()].map(({ object }) => object),
    warnings: repeated.map(([id, { times }]) => ({
      kind: 'repeated',
      message: `Resource ${id} appeared ${times} times among application resources.`,
    })),
  };
}
