import { at, isCoded, isRecord, stringAt } from '@tiphys/api';
import type { Tree } from '../../git/read/tree.ts';
import type { ReadDocument } from '../decode/documents.ts';
import { relativeTo } from '../read-set.ts';

/** What a chart depends on, as its files say. */
export type Dependencies = Readonly<{
  /** Folders of `file://` dependencies, and theirs in turn. */
  folders: readonly string[];
  /** `file://` dependencies that leave the repository, as they are written. They may lie in `charts/` already. */
  outside: readonly string[];
  /** Chart repositories and registries: URLs, or `@name` and `alias:name` for what is registered under that name. */
  repositories: readonly string[];
  /** All that the chart is built of lies in its repository: in its own folder and in `folders`. */
  local: boolean;
  /** Every dependency from a repository has one exact version. */
  pinned: boolean;
}>;

const maxCharts = 200;
const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

async function entriesOf(
  tree: Tree,
  folder: string,
  read: ReadDocument,
): Promise<readonly Record<string, unknown>[] | undefined> {
  const entries: Record<string, unknown>[] = [];
  // requirements.yaml is where charts of the first format have them.
  for (const name of ['Chart.yaml', 'requirements.yaml']) {
    const found = await tree.find(below(folder, name));
    if (found === undefined || found.entry.kind === 'folder') continue;
    try {
      const chart = await read(tree, { oid: found.entry.oid, path: below(folder, name) });
      const listed = at(chart, 'dependencies');
      if (Array.isArray(listed)) entries.push(...listed.filter(isRecord));
    } catch (error) {
      // Helm itself says what is wrong with the file.
      if (!isCoded(error, 'api/invalid-yaml')) throw error;
      return undefined;
    }
  }
  return entries;
}

/** Follows the dependencies of a chart in a repository. */
export async function dependenciesOf(tree: Tree, folder: string, read: ReadDocument): Promise<Dependencies> {
  const folders = new Set<string>();
  const repositories = new Set<string>();
  let pinned = true;
  let local = true;
  const outside: string[] = [];
  const waiting = [folder];
  for (let chart = waiting.pop(); chart !== undefined && folders.size < maxCharts; chart = waiting.pop()) {
    const entries = await entriesOf(tree, chart, read);
    if (entries === undefined) local = false;
    for (const entry of entries ?? []) {
      const repository = stringAt(entry, 'repository') ?? '';
      const path = /^file:\/\/(.*)$/.exec(repository)?.[1];
      if (path === undefined) {
        // Without a repository it lies in `charts/`.
        if (repository !== '') local = false;
        if (/^(?:(?:https?|oci):\/\/|@|alias:)/.test(repository)) repositories.add(repository.replace(/\/+$/, ''));
        if (!/^v?\d+\.\d+\.\d+/.test(stringAt(entry, 'version') ?? '')) pinned = false;
        continue;
      }
      const target = relativeTo(chart, path);
      if (target === undefined) {
        local = false;
        outside.push(repository);
      }
      if (target === undefined || folders.has(target) || target === folder) continue;
      folders.add(target);
      waiting.push(target);
    }
  }
  const locked =
    (await tree.find(below(folder, 'Chart.lock'))) ?? (await tree.find(below(folder, 'requirements.lock')));
  if (waiting.length > 0) local = false;
  return {
    local,
    outside,
    folders: [...folders],
    repositories: [...repositories],
    pinned: pinned || locked !== undefined,
  };
}
