import { CodedError, isCoded } from '@tiphys/api';
import type { Tree } from '../../git/read/tree.ts';
import type { ReadDocument } from '../decode/documents.ts';
import { kustomizationNames } from '../detect-tool.ts';
import { relativeTo } from '../read-set.ts';
import type { BuildOptions } from './build-options.ts';
import { requireKnownPaths } from './free-loading.ts';
import {
  asKustomization,
  type Kustomization,
  looksRemote,
  pullsCharts,
  type Reference,
  referencesOf,
} from './kustomization.ts';

/** All that a kustomization leads to. */
export type Closure = Readonly<{
  /** Files and folders, those that do not exist among them. */
  paths: readonly string[];
  /** Folders with a kustomization. */
  folders: readonly string[];
  /** Some chart comes from a repository. */
  pullsCharts: boolean;
}>;

/** A kustomization by its blob; undefined when it is none, or no YAML, which kustomize then says itself. */
export async function readKustomization(
  tree: Tree,
  at: Readonly<{ oid: string; path: string }>,
  read: ReadDocument,
): Promise<Kustomization | undefined> {
  try {
    return asKustomization(await read(tree, at));
  } catch (error) {
    if (isCoded(error, 'api/invalid-yaml')) return undefined;
    throw error;
  }
}

const maxFolders = 1000;

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

class Walk {
  readonly paths = new Set<string>();
  readonly folders = new Set<string>();
  pulls = false;
  readonly #tree: Tree;
  readonly #read: ReadDocument;
  readonly #loads: BuildOptions['loads'];

  constructor(tree: Tree, read: ReadDocument, loads: BuildOptions['loads']) {
    this.#tree = tree;
    this.#read = read;
    this.#loads = loads;
  }

  async folder(folder: string, extra: readonly Reference[] = []): Promise<void> {
    if (this.folders.has(folder)) return;
    this.folders.add(folder);
    if (this.folders.size > maxFolders)
      throw new CodedError('render/failed', `${folder}: more than ${maxFolders} kustomizations lead to one another`);
    const references = [...extra];
    for (const name of kustomizationNames) {
      const path = below(folder, name);
      this.paths.add(path);
      const found = await this.#tree.find(path);
      if (found === undefined || found.entry.kind === 'folder') continue;
      const kustomization = await readKustomization(this.#tree, { oid: found.entry.oid, path }, this.#read);
      if (this.#loads === 'repository') requireKnownPaths(kustomization, { path, folder });
      if (kustomization === undefined) continue;
      if (pullsCharts(kustomization)) this.pulls = true;
      references.push(...referencesOf(kustomization));
    }
    for (const reference of references) await this.#follow(folder, reference);
  }

  async #follow(folder: string, reference: Reference): Promise<void> {
    const { path, field, remote } = reference;
    const where = `${below(folder, kustomizationNames[0])}: ${field}`;
    const target = relativeTo(folder, path);
    const found = target === undefined ? undefined : await this.#tree.find(target);
    if (found === undefined && remote && looksRemote(path))
      throw new CodedError(
        'render/unsupported',
        `${where}: "${path}" is not in the repository; remote files and bases are not fetched`,
      );
    if (target === undefined)
      throw new CodedError('render/path-outside', `${where}: "${path}" leads out of the repository`);
    if (found?.entry.kind === 'submodule')
      throw new CodedError('git/hostile-repository', `${where}: ${target} is a submodule, which is not fetched`);
    if (found?.entry.kind !== 'folder' || field.startsWith('helmChart')) this.paths.add(target);
    else await this.folder(found.path);
    // A link to a folder has to be there too.
    if (found !== undefined && found.links.length > 0) for (const link of found.links) this.paths.add(link.path);
  }
}

/**
 * Every file that a kustomization and those it leads to name.
 * @param extra what the application's source adds to the first one
 * @throws CodedError render/path-outside, render/unsupported naming file, field and path
 */
export async function closureOf(
  tree: Tree,
  start: Readonly<{ folder: string; extra: readonly Reference[]; loads: BuildOptions['loads'] }>,
  read: ReadDocument,
): Promise<Closure> {
  const walk = new Walk(tree, read, start.loads);
  await walk.folder(start.folder, start.extra);
  return { paths: [...walk.paths], folders: [...walk.folders], pullsCharts: walk.pulls };
}

/** The kustomization of a folder that counts; undefined when it has none. */
export async function kustomizationPath(tree: Tree, folder: string): Promise<string | undefined> {
  for (const name of kustomizationNames) {
    const found = await tree.find(below(folder, name));
    if (found !== undefined && found.entry.kind !== 'folder') return below(folder, name);
  }
  return undefined;
}
