import {
  asObject,
  CodedError,
  isCoded,
  isRecord,
  type KubeObject,
  messageOf,
  parseJson,
  parseYamlDocuments,
} from '@tiphys/api';
import { maxDepth, requireBounded } from './bounded.ts';
import type { NamedText } from './read-text.ts';

/** Everything in this file runs in a decode worker: it is what reads untrusted text. */

/** The objects within a value: itself, or the items of a `List`. */
function flattenLists(value: unknown): readonly unknown[] {
  if (!isRecord(value)) return [value];
  const { kind, items } = value;
  const isList = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
  return isList ? items.flatMap(flattenLists) : [value];
}

/**
 * Takes a value for an object that can be applied.
 * @throws CodedError render/invalid-manifest naming the place and what is missing
 */
function asManifest(value: unknown, place: string): KubeObject {
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

/**
 * Replacement characters in place of what somebody wrote must not reach a cluster.
 * @throws CodedError api/invalid-yaml naming the line
 */
export function requireUndamaged({ name, damagedAt }: NamedText): void {
  if (damagedAt === undefined) return;
  throw new CodedError('api/invalid-yaml', `${name}:${damagedAt}: this is not UTF-8; save the file as UTF-8`);
}

/** The documents of a text, none of them larger than it may become. @throws CodedError api/invalid-yaml, api/invalid-json */
function documentsOf(file: NamedText, options: { json: boolean; maxCharacters: number }): readonly unknown[] {
  const { name, text } = file;
  requireUndamaged(file);
  const documents = options.json ? [parseJson(text, name)] : parseYamlDocuments(text, name);
  requireBounded(documents, name, { depth: maxDepth, characters: options.maxCharacters });
  return documents;
}

/** The template that a line of Helm's output came from. */
function templateAt(output: string, line: number): string | undefined {
  const before = output.split('\n').slice(0, line).reverse();
  return before.find((text) => text.startsWith('# Source: '))?.slice('# Source: '.length);
}

/**
 * The objects that a tool printed.
 * @throws CodedError render/invalid-manifest naming tool, and for Helm the template
 */
export function readOutput(output: NamedText, maxCharacters: number): readonly KubeObject[] {
  const { name: tool, text } = output;
  let documents: readonly unknown[];
  try {
    documents = documentsOf({ ...output, name: `output of ${tool}` }, { json: false, maxCharacters });
  } catch (error) {
    const line = /:(\d+): /.exec(messageOf(error))?.[1];
    const template = line === undefined ? undefined : templateAt(text, Number(line));
    const where = template === undefined ? '' : `${template}: `;
    if (!isCoded(error)) throw error;
    throw new CodedError('render/invalid-manifest', `${where}${error.message}`, { cause: error });
  }
  return documents
    .filter((document) => !isRecord(document) || Object.keys(document).length > 0)
    .flatMap(flattenLists)
    .map((document, index) => asManifest(document, `output of ${tool}, object ${index + 1}`));
}

const skipMarker = '+argocd:skip-file-rendering';

/** What a file holds: objects, or nothing that is meant for a cluster. */
export type ReadFile = { kind: 'objects'; objects: readonly KubeObject[] } | { kind: 'ignored'; why: string };

/** Whether a text means to be a manifest: then what is wrong with it is an error, and not a file of another kind. */
const looksLikeManifest = (text: string, isJson: boolean): boolean =>
  isJson ? /"(?:apiVersion|kind)"/.test(text) : /^[ \t]*["']?(?:apiVersion|kind)["']?[ \t]*:/m.test(text);

/**
 * The objects of one file of a plain folder (contract 12.5, without Jsonnet).
 * @throws CodedError render/invalid-manifest, render/unsupported naming the file
 */
export function readManifestFile(file: NamedText, maxCharacters: number): ReadFile {
  const { name: path, text } = file;
  if (text.includes(skipMarker)) return { kind: 'objects', objects: [] };
  if (path.endsWith('.jsonnet')) throw new CodedError('render/unsupported', `${path}: Jsonnet is not supported yet`);
  const json = path.endsWith('.json');
  let documents: readonly unknown[];
  try {
    documents = documentsOf(file, { json, maxCharacters });
  } catch (error) {
    if (!isCoded(error)) throw error;
    if (!looksLikeManifest(text, json)) return { kind: 'ignored', why: error.message };
    throw new CodedError('render/invalid-manifest', error.message, { cause: error });
  }
  const values = documents.filter((document) => !isRecord(document) || Object.keys(document).length > 0);
  const manifests = values.filter((value) => isRecord(value) && ('kind' in value || 'apiVersion' in value));
  if (manifests.length === 0)
    return values.length === 0
      ? { kind: 'objects', objects: [] }
      : { kind: 'ignored', why: 'it holds no Kubernetes object' };
  const place = (index: number): string => (values.length === 1 ? path : `${path}, document ${index + 1}`);
  const objects = values.flatMap((value, index) => flattenLists(value).map((item) => asManifest(item, place(index))));
  return { kind: 'objects', objects };
}
