import {
  asObject,
  CodedError,
  isCoded,
  isRecord,
  type KubeObject,
  keyOf,
  messageOf,
  parseYamlDocuments,
} from '@tiphys/api';
import type { RenderWarning } from './types.ts';

/** The objects within a value: itself, or the items of a `List`. */
export function flattenLists(value: unknown): readonly unknown[] {
  if (!isRecord(value)) return [value];
  const { kind, items } = value;
  const isList = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
  return isList ? items.flatMap(flattenLists) : [value];
}

/**
 * Takes a value for an object that can be applied.
 * @throws CodedError render/invalid-manifest naming the place and what is missing
 */
export function asManifest(value: unknown, place: string): KubeObject {
  let object: KubeObject;
  try {
    object = asObject(value, place);
  } catch (error) {
    throw new CodedError('render/invalid-manifest', messageOf(error), { cause: error });
  }
  const { name, generateName } = object.metadata;
  if (isName(name) || isName(generateName)) return object;
  const why = name === undefined ? 'has no name' : `has a name that is no text`;
  throw new CodedError('render/invalid-manifest', `${place}: the ${object.kind} ${why}`);
}

const isName = (name: unknown): boolean => typeof name === 'string' && name !== '';

/** The template that a line of Helm's output came from. */
function templateAt(output: string, line: number): string | undefined {
  const before = output.split('\n').slice(0, line).reverse();
  return before.find((text) => text.startsWith('# Source: '))?.slice('# Source: '.length);
}

/**
 * The objects that a tool printed.
 * @throws CodedError render/invalid-manifest naming tool, and for Helm the template
 */
export function parseOutput(output: string, tool: string): readonly KubeObject[] {
  let documents: unknown[];
  try {
    documents = parseYamlDocuments(output, `output of ${tool}`);
  } catch (error) {
    const line = /:(\d+): /.exec(messageOf(error))?.[1];
    const template = line === undefined ? undefined : templateAt(output, Number(line));
    const where = template === undefined ? '' : `${template}: `;
    if (!isCoded(error)) throw error;
    throw new CodedError('render/invalid-manifest', `${where}${error.message}`, { cause: error });
  }
  return documents
    .filter((document) => !isRecord(document) || Object.keys(document).length > 0)
    .flatMap(flattenLists)
    .map((document, index) => asManifest(document, `output of ${tool}, object ${index + 1}`));
}

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
