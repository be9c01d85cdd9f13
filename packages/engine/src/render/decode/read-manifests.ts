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

/** Everything in this file runs in a decode worker: it is what reads untrusted text. */

/** A text and how it is called in errors. */
export type NamedText = Readonly<{ name: string; text: string }>;

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

/** The documents of a text, none of them larger than it may become. @throws CodedError api/invalid-yaml, api/invalid-json */
function documentsOf({ name, text }: NamedText, options: { json: boolean; maxCharacters: number }): readonly unknown[] {
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
export function readOutput(output: string, tool: string, maxCharacters: number): readonly KubeObject[] {
  let documents: readonly unknown[];
  try {
    documents = documentsOf({ name: `output of ${tool}`, text: output }, { json: false, maxCharacters });
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
export function readManifestFile({ name: path, text }: NamedText, maxCharacters: number): ReadFile {
  if (text.includes(skipMarker)) return { kind: 'objects', objects: [] };
  if (path.endsWith('.jsonnet')) throw new CodedError('render/unsupported', `${path}: Jsonnet is not supported yet`);
  const json = path.endsWith('.json');
  let documents: readonly unknown[];
  try {
    documents = documentsOf({ name: path, text }, { json, maxCharacters });
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
