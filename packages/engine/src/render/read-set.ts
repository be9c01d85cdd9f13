import { createHash } from 'node:crypto';
import { joinPath, type Tree, type TreeEntry } from '../git/read/tree.ts';

/** Paths of one commit that a render may read: files, folders (all below them), and paths that may not exist. */
export type Reads = Readonly<{
  /** The repository's normalised URL. */
  repository: string;
  tree: Tree;
  paths: readonly string[];
}>;

/** The links below a folder by their path from it, remembered by the folder's id: most have none. */
export type LinkIndex = (tree: Tree, folder: TreeEntry, path: string) => Promise<readonly string[]>;

/** What lies at a path, and the paths that links at or below it lead to. */
async function visit(reads: Reads, path: string, links: LinkIndex): Promise<{ line: string; more: readonly string[] }> {
  const found = await reads.tree.find(path);
  if (found === undefined) return { line: `${path} -`, more: [] };
  const way = found.links.map((link) => `${link.path} ${link.entry.oid}`).join(' ');
  const line = `${path} ${way} ${found.path} ${found.entry.kind} ${found.entry.oid}`;
  if (found.entry.kind !== 'folder') return { line, more: [] };
  return { line, more: await links(reads.tree, found.entry, found.path) };
}

/**
 * A text of all contents that a set of reads stands for, with what links lead to. Equal texts, equal inputs.
 * @throws CodedError git/path-outside for a link that leaves the repository
 */
export async function fingerprint(all: readonly Reads[], links: LinkIndex): Promise<string> {
  const hash = createHash('sha256');
  for (const reads of all) {
    hash.update(`repository ${reads.repository}\n`);
    const seen = new Set<string>();
    let waiting: readonly string[] = [...reads.paths].sort();
    while (waiting.length > 0) {
      const more: string[] = [];
      for (const path of waiting) {
        if (seen.has(path)) continue;
        seen.add(path);
        const visited = await visit(reads, path, links);
        hash.update(`${visited.line}\n`);
        more.push(...visited.more);
      }
      waiting = more;
    }
  }
  return hash.digest('hex');
}

/** Where links below a folder lead to (paths from the root). */
export async function linkTargetsBelow(tree: Tree, path: string): Promise<readonly string[]> {
  const targets: string[] = [];
  for await (const { path: at, entry } of tree.walk(path))
    if (entry.kind === 'link') targets.push(await tree.linkTarget(at, entry));
  return targets;
}

/** A path written in a file, from the folder it is relative to; undefined when it leaves the repository or is absolute. */
export const relativeTo = (folder: string, path: string): string | undefined =>
  path.startsWith('/') ? undefined : joinPath(folder, path);
