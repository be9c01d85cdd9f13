import {
  CodedError,
  type DirectorySource,
  isCoded,
  isRecord,
  type KubeObject,
  messageOf,
  parseJson,
  parseYamlDocuments,
} from '@tiphys/api';
import { compileGlob, type Matcher } from '@tiphys/language';
import { folderOf, type Tree } from '../../git/read/tree.ts';
import { asManifest, flattenLists } from '../manifests.ts';
import type { Plan, PlanResult } from '../plan.ts';
import type { Reads } from '../read-set.ts';
import type { RenderWarning } from '../types.ts';

const skipMarker = '+argocd:skip-file-rendering';
const manifestFile = /\.(?:ya?ml|json|jsonnet)$/;
/** Files of the application itself, not of what it deploys. */
const ownFile = /^\.argocd-source(?:-.*)?\.yaml$/;

type DirectoryPlanInput = Readonly<{
  reads: Omit<Reads, 'paths'>;
  /** Where the files lie. */
  folder: string;
  directory: DirectorySource;
  includeHidden: boolean;
  maxBytes: number;
}>;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function filterOf({ include, exclude }: DirectorySource): Matcher {
  const included = include === undefined || include === '' ? undefined : compileGlob(include);
  const excluded = exclude === undefined || exclude === '' ? undefined : compileGlob(exclude);
  return (path) => excluded?.(path) !== true && included?.(path) !== false;
}

/** Files of a folder in a stable order: by name, a sub-folder at the place of its name. */
async function filesBelow(
  tree: Tree,
  folder: string,
  options: { recurse: boolean; includeHidden: boolean },
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const { name, kind } of (await tree.list(folder)) ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'submodule')
      throw new CodedError(
        'git/hostile-repository',
        `${tree.origin.repository}: ${path} is a submodule, which is not fetched`,
      );
    if (kind !== 'folder') files.push(path);
    else if (options.recurse && (options.includeHidden || !name.startsWith('.')))
      files.push(...(await filesBelow(tree, path, options)));
  }
  return files;
}

/** A folder of plain manifests (contract 12.5, without Jsonnet). */
export function planDirectory(input: DirectoryPlanInput): Plan {
  const { directory, folder, reads } = input;
  const { jsonnet } = directory;
  if (jsonnet !== undefined && Object.values(jsonnet).some((list) => list.length > 0))
    throw new CodedError('render/unsupported', 'source.directory.jsonnet: Jsonnet is not supported yet');
  const filter = filterOf(directory);
  const { recurse = false, include = '', exclude = '', disableExtensionFilter = false } = directory;
  const begin = folder === '' ? '' : `${folder}/`;
  const files = async (): Promise<readonly string[]> => {
    const all = await filesBelow(reads.tree, folder, { recurse, includeHidden: input.includeHidden });
    return all.filter(
      (path) =>
        (disableExtensionFilter || manifestFile.test(path)) &&
        !ownFile.test(nameOf(path)) &&
        filter(path.slice(begin.length)),
    );
  };
  return {
    sourceType: 'Directory',
    sees: { folder, recurse, include, exclude, disableExtensionFilter, hidden: input.includeHidden },
    // A folder read with all below it is one id; otherwise only the files themselves count.
    candidates: [async () => [{ ...reads, paths: recurse ? [folder] : await files() }]],
    watched: [{ ...reads, paths: [folder] }],
    run: async () => readFiles(reads.tree, await files(), input.maxBytes),
  };
}

async function readFiles(tree: Tree, files: readonly string[], maxBytes: number): Promise<PlanResult> {
  const objects: KubeObject[] = [];
  const warnings: RenderWarning[] = [];
  let bytes = 0;
  for (const path of files) {
    const found = await tree.find(path);
    if (found === undefined || found.entry.kind === 'folder') continue;
    const content = await tree.blob(found.entry.oid);
    bytes += content.length;
    if (bytes > maxBytes)
      throw new CodedError(
        'render/output-too-large',
        `${tree.origin.repository}: the manifests in ${folderOf(path) || '.'} are larger than ${maxBytes} bytes together`,
      );
    const text = content.toString('utf8');
    if (text.includes(skipMarker)) continue;
    if (path.endsWith('.jsonnet')) throw new CodedError('render/unsupported', `${path}: Jsonnet is not supported yet`);
    const read = readFile(text, path);
    if (read.kind === 'ignored') warnings.push({ kind: 'ignored-file', message: `${path} was left out: ${read.why}` });
    else objects.push(...read.objects);
  }
  return { kind: 'objects', objects, warnings };
}

type ReadFile = { kind: 'objects'; objects: readonly KubeObject[] } | { kind: 'ignored'; why: string };

/** Whether a text means to be a manifest: then what is wrong with it is an error, and not a file of another kind. */
const looksLikeManifest = (text: string): boolean => /^\s*["']?(?:apiVersion|kind)["']?\s*:/m.test(text);

function readFile(text: string, path: string): ReadFile {
  let documents: readonly unknown[];
  try {
    documents = path.endsWith('.json') ? [parseJson(text, path)] : parseYamlDocuments(text, path);
  } catch (error) {
    if (!isCoded(error)) throw error;
    if (!looksLikeManifest(text)) return { kind: 'ignored', why: error.message };
    throw new CodedError('render/invalid-manifest', error.message, { cause: error });
  }
  const values = documents.filter((document) => !isRecord(document) || Object.keys(document).length > 0);
  const manifests = values.filter((value) => isRecord(value) && ('kind' in value || 'apiVersion' in value));
  if (manifests.length === 0)
    return values.length === 0
      ? { kind: 'objects', objects: [] }
      : { kind: 'ignored', why: 'it holds no Kubernetes object' };
  const place = (index: number): string => (values.length === 1 ? path : `${path}, document ${index + 1}`);
  try {
    const objects = values.flatMap((value, index) => flattenLists(value).map((item) => asManifest(item, place(index))));
    return { kind: 'objects', objects };
  } catch (error) {
    throw isCoded(error)
      ? error
      : new CodedError('render/invalid-manifest', `${path}: ${messageOf(error)}`, { cause: error });
  }
}
