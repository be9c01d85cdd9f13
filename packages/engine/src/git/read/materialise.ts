import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CodedError } from '@tiphys/api';
import type { GitSettings } from './git-settings.ts';
import { folderOf, type Tree, type TreeEntry } from './tree.ts';

/** What a folder on disk is to hold: paths of a tree, files or whole folders. */
export type Selection = Readonly<{ tree: Tree; paths: readonly string[] }>;

type Collected = Map<string, TreeEntry>;

/** Everything that the paths stand for: files below folders, and what links among them lead to. */
async function collect({ tree, paths }: Selection, maxEntries: number): Promise<Collected> {
  const { repository } = tree.origin;
  const collected: Collected = new Map();
  const asked = new Set<string>();
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (asked.has(path)) continue;
    asked.add(path);
    const found = await tree.find(path);
    for (const link of found?.links ?? []) collected.set(link.path, link.entry);
    if (found === undefined) continue;
    for await (const { path: file, entry } of tree.walk(found.path)) {
      if (entry.kind === 'submodule')
        throw new CodedError('git/hostile-repository', `${repository}: ${file} is a submodule, which is not fetched`);
      collected.set(file, entry);
      if (collected.size > maxEntries)
        throw new CodedError('git/too-large', `${repository}: more than ${maxEntries} files are needed`);
      if (entry.kind === 'link') waiting.push(await tree.linkTarget(file, entry));
    }
  }
  return collected;
}

/**
 * Writes files of a commit into an empty folder: exactly those asked for and what their links lead to. Files are copies, so a tool
 * that writes where it should not changes nothing for others. A path that does not exist is left out.
 * @throws CodedError git/path-outside naming a link that leaves the repository, git/hostile-repository naming a submodule,
 *   git/too-large
 */
export async function materialise(
  selection: Selection,
  folder: string,
  limits: Pick<GitSettings, 'maxTreeEntries' | 'maxTreeBytes'>,
): Promise<void> {
  const { tree } = selection;
  const collected = await collect(selection, limits.maxTreeEntries);
  const folders = new Set([...collected.keys()].map(folderOf));
  for (const path of folders) await mkdir(join(folder, path), { recursive: true });
  let bytes = 0;
  const write = async ([path, entry]: readonly [string, TreeEntry]): Promise<void> => {
    const content = await tree.blob(entry.oid);
    bytes += content.length;
    if (bytes > limits.maxTreeBytes)
      throw new CodedError(
        'git/too-large',
        `${tree.origin.repository}: the files needed are larger than ${limits.maxTreeBytes} bytes`,
      );
    // `wx`: nothing is written through a link or over another file.
    await writeFile(join(folder, path), content, { flag: 'wx', mode: entry.kind === 'executable' ? 0o755 : 0o644 });
  };
  const files = [...collected].filter(([, entry]) => entry.kind === 'file' || entry.kind === 'executable');
  for (let at = 0; at < files.length; at += 32) await Promise.all(files.slice(at, at + 32).map(write));
  // Links come last, and are written anew from where they lead to.
  for (const [path, entry] of collected) {
    if (entry.kind !== 'link') continue;
    const target = await tree.linkTarget(path, entry);
    await symlink(relative(dirname(join(folder, path)), join(folder, target)) || '.', join(folder, path));
  }
}
