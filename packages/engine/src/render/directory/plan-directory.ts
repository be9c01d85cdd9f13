import { CodedError, type DirectorySource } from '@tiphys/api';
import { compileGlob, type Matcher } from '@tiphys/language';
import { folderOf, type Tree } from '../../git/read/tree.ts';
import type { Decoder, UntrustedText } from '../decode/decoder.ts';
import type { Plan, PlanResult } from '../plan.ts';
import type { Reads } from '../read-set.ts';

const manifestFile = /\.(?:ya?ml|json|jsonnet)$/;
const jsonnetFile = /\.(?:jsonnet|libsonnet)$/;
/** Files of the application itself, not of what it deploys. */
const ownFile = /^\.argocd-source(?:-.*)?\.yaml$/;

type DirectoryPlanInput = Readonly<{
  reads: Omit<Reads, 'paths'>;
  /** Where the files lie. */
  folder: string;
  directory: DirectorySource;
  includeHidden: boolean;
  /** Whether Jsonnet counts as a manifest (`jsonnet.enable`). */
  withJsonnet: boolean;
  maxBytes: number;
  decoder: Pick<Decoder, 'folder'>;
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
  const enter = (path: string): boolean => options.recurse && (options.includeHidden || !nameOf(path).startsWith('.'));
  for await (const { path, entry } of tree.walk(folder, enter)) {
    if (entry.kind !== 'submodule') files.push(path);
    else if (options.recurse)
      throw new CodedError(
        'git/hostile-repository',
        `${tree.origin.repository}: ${path} is a submodule, which is not fetched`,
      );
  }
  return files;
}

/** A folder of plain manifests (contract 12.5, without Jsonnet). */
export function planDirectory(input: DirectoryPlanInput): Plan {
  const { directory, folder, reads } = input;
  const { jsonnet } = directory;
  if (input.withJsonnet && jsonnet !== undefined && Object.values(jsonnet).some((list) => list.length > 0))
    throw new CodedError('render/unsupported', 'source.directory.jsonnet: Jsonnet is not supported yet');
  const filter = filterOf(directory);
  const { recurse = false, include = '', exclude = '', disableExtensionFilter = false } = directory;
  const begin = folder === '' ? '' : `${folder}/`;
  const files = async (): Promise<readonly string[]> => {
    const all = await filesBelow(reads.tree, folder, { recurse, includeHidden: input.includeHidden });
    return all.filter(
      (path) =>
        (disableExtensionFilter || manifestFile.test(path)) &&
        (input.withJsonnet || !jsonnetFile.test(path)) &&
        !ownFile.test(nameOf(path)) &&
        filter(path.slice(begin.length)),
    );
  };
  return {
    sourceType: 'Directory',
    sees: {
      folder,
      recurse,
      include,
      exclude,
      disableExtensionFilter,
      hidden: input.includeHidden,
      jsonnet: input.withJsonnet,
      most: input.maxBytes,
    },
    // A folder read with all below it is one id; otherwise only the files themselves count.
    candidates: [async () => [{ ...reads, paths: recurse ? [folder] : await files() }]],
    watched: [{ ...reads, paths: [folder] }],
    run: async () => readFiles(input, await files()),
  };
}

/** As many files are asked for at once: git is told of all of them in one go. */
const batchSize = 32;

async function* inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R> {
  for (let from = 0; from < items.length; from += batchSize)
    yield* await Promise.all(items.slice(from, from + batchSize).map(work));
}

async function readFiles(
  { reads: { tree }, maxBytes, decoder }: DirectoryPlanInput,
  paths: readonly string[],
): Promise<PlanResult> {
  const files: UntrustedText[] = [];
  let bytes = 0;
  const read = async (path: string): Promise<UntrustedText | undefined> => {
    const found = await tree.find(path);
    if (found === undefined || found.entry.kind === 'folder') return undefined;
    return { name: path, content: await tree.blob(found.entry.oid) };
  };
  for await (const file of inBatches(paths, read)) {
    if (file === undefined) continue;
    const { name: path, content } = file;
    bytes += content.length;
    if (bytes > maxBytes)
      throw new CodedError(
        'render/output-too-large',
        `${tree.origin.repository}: the manifests in ${folderOf(path) || '.'} are larger than ${maxBytes} bytes together (reposerver.max.combined.directory.manifests.size)`,
      );
    files.push(file);
  }
  return { kind: 'objects', ...(await decoder.folder(files)) };
}
