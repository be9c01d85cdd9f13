import { isCoded } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import type { Tree } from '../../git/read/tree.ts';
import type { Decoder } from './decoder.ts';

/**
 * Reads the one YAML document of a file while a render is planned (a kustomization, a chart's dependencies): null when it is empty.
 * @param at the blob, and the path that errors name
 * @throws CodedError api/invalid-yaml, render/too-costly naming the file
 */
export type ReadDocument = (tree: Tree, at: Readonly<{ oid: string; path: string }>) => Promise<unknown>;

type Known = { kind: 'value'; value: unknown; bytes: number } | { kind: 'invalid'; error: Error; bytes: number };

const maxBytes = 32 * 1024 * 1024;
const overheadBytes = 500;

/** Documents by their blob and path: each is read once, for all who ask. What failed for a passing reason is asked again. */
export function rememberDocuments(decoder: Pick<Decoder, 'document'>): ReadDocument {
  const known = new LRUCache<string, Known>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes + overheadBytes,
  });
  const reading = new Map<string, Promise<Known>>();
  const read = async (tree: Tree, { oid, path }: Readonly<{ oid: string; path: string }>): Promise<Known> => {
    const content = await tree.blob(oid);
    try {
      return { kind: 'value', value: await decoder.document({ name: path, content }), bytes: content.length * 2 };
    } catch (error) {
      if (!isCoded(error) || error.policy.retry === 'backoff') throw error;
      return { kind: 'invalid', error, bytes: 0 };
    }
  };
  return async (tree, at) => {
    const id = `${at.oid} ${at.path}`;
    let found = known.get(id);
    if (found === undefined) {
      const running = reading.get(id) ?? read(tree, at).finally(() => reading.delete(id));
      reading.set(id, running);
      found = await running;
      known.set(id, found);
    }
    if (found.kind === 'invalid') throw found.error;
    return found.value;
  };
}
