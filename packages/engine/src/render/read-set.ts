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
async function visit(
  at: Readonly<{ tree: Tree; path: string; links: LinkIndex }>,
  passed: (path: string) => void,
): Promise<{ line: string; more: readonly string[] }> {
  const { tree, path, links } = at;
  const found = await tree.find(path, passed);
  if (found === undefined) return { line: `${path} -`, more: [] };
  const way = found.links.map((link) => `${link.path} ${link.entry.oid}`).join(' ');
  const line = `${path} ${way} ${found.path} ${found.entry.kind} ${found.entry.oid}`;
  if (found.entry.kind !== 'folder') return { line, more: [] };
  return { line, more: await links(tree, found.entry, found.path) };
}

/** A text of contents, and every place that they hang on. */
export type Fingerprint = Readonly<{ text: string; read: readonly Read[] }>;

/** Paths of a repository: what a change is looked up in. */
export type Read = Pick<Reads, 'repository' | 'paths'>;

/**
 * A text of all contents that a set of reads stands for, with what links lead to. Equal texts, equal inputs.
 * @throws CodedError git/path-outside for a link that leaves the repository
 */
export async function fingerprint(all: readonly Reads[], links: LinkIndex): Promise<Fingerprint> {
  const hash = createHash('sha256');
  const read: Read[] = [];
  for (const { repository, tree, paths } of all) {
    hash.update(`repository ${repository}\n`);
    const places = new Set<string>(paths);
    const seen = new Set<string>();
    let waiting: readonly string[] = [...paths].sort();
    while (waiting.length > 0) {
      const more: string[] = [];
      for (const path of waiting) {
        if (seen.has(path)) continue;
        seen.add(path);
        const visited = await visit({ tree, path, links }, (place) => places.add(place));
        hash.update(`${visited.line}\n`);
        more.push(...visited.more);
      }
      waiting = more;
    }
    read.push({ repository, paths: [...places] });
  }
  return { text: hash.digest('hex'), read };
}

/** Paths with the places that links on their way lead to. */
export async function placesOf(all: readonly Reads[]): Promise<readonly Read[]> {
  return Promise.all(
    all.map(async ({ repository, tree, paths }) => {
      const places = new Set(paths);
      for (const path of paths) await tree.find(path, (place) => places.add(place));
      return { repository, paths: [...places] };
    }),
  );
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
