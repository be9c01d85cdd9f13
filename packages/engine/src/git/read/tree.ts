import { CodedError } from '@tiphys/api';

/** One entry of a folder in a commit. */
export type TreeEntry = Readonly<{
  name: string;
  kind: 'file' | 'executable' | 'link' | 'folder' | 'submodule';
  oid: string;
}>;

/** An entry, and the path at which it really lies (which differs from the one asked for when links were followed). */
export type FoundEntry = Readonly<{
  path: string;
  entry: TreeEntry;
  /** Links that were followed on the way, by path. */
  links: readonly Readonly<{ path: string; entry: TreeEntry }>[];
}>;

/** What a tree is read through: listings by tree id, contents by blob id; both cached below. */
export type TreePorts = Readonly<{
  listing: (oid: string) => Promise<ReadonlyMap<string, TreeEntry>>;
  blob: (oid: string) => Promise<Buffer>;
  /** How many entries one walk may come by. */
  maxEntries: number;
}>;

/** Of what a tree is: for errors. */
export type TreeOrigin = Readonly<{ repository: string; commit: string; rootOid: string }>;

const kinds: Readonly<Record<string, TreeEntry['kind']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'link',
  '40000': 'folder',
  '040000': 'folder',
  '160000': 'submodule',
};

const forbiddenName = /^(?:\.\.?|\.git)$/i;

/**
 * Reads a tree object.
 * @throws CodedError git/hostile-repository for names that would lead elsewhere when written to a disk
 */
export function parseTree(content: Buffer, oidBytes: number, repository: string): ReadonlyMap<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0)
      throw new CodedError('git/hostile-repository', `${repository}: a folder that cannot be read`);
    const mode = content.toString('latin1', at, space);
    const name = content.toString('utf8', space + 1, end);
    const oid = content.toString('hex', end + 1, end + 1 + oidBytes);
    at = end + 1 + oidBytes;
    const kind = kinds[mode];
    if (kind === undefined || name === '' || name.includes('/') || name.includes('\\') || forbiddenName.test(name))
      throw new CodedError(
        'git/hostile-repository',
        `${repository}: an entry named "${name}" of mode ${mode} is not allowed`,
      );
    entries.set(name, { name, kind, oid });
  }
  return entries;
}

/**
 * A path as it is kept here: from the root, without `.`, `..` or a slash at either end; '' is the root.
 * Undefined when it leaves the root.
 */
export function normalisePath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/** Puts a relative path behind a folder; undefined when it leaves the root. */
export const joinPath = (folder: string, path: string): string | undefined => normalisePath(`${folder}/${path}`);

/** The folder of a path; '' for what lies in the root. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const maxLinks = 40;
/** No file system has longer ones. */
const maxPathLength = 4096;

/** What a walk comes by. */
export type WalkedEntry = Readonly<{ path: string; entry: TreeEntry }>;

/** The files of one commit, read folder by folder as they are asked for. Paths are as normalisePath makes them. */
export class Tree {
  readonly origin: TreeOrigin;
  readonly #ports: TreePorts;

  constructor(origin: TreeOrigin, ports: TreePorts) {
    this.origin = origin;
    this.#ports = ports;
  }

  get #root(): TreeEntry {
    return { name: '', kind: 'folder', oid: this.origin.rootOid };
  }

  /** The entry at a path itself; links are not followed. Undefined when there is none. */
  async entry(path: string): Promise<TreeEntry | undefined> {
    let here = this.#root;
    for (const name of path === '' ? [] : path.split('/')) {
      if (here.kind !== 'folder') return undefined;
      const next = (await this.#ports.listing(here.oid)).get(name);
      if (next === undefined) return undefined;
      here = next;
    }
    return here;
  }

  /**
   * What a path leads to, with links followed on the whole way. Undefined when there is none.
   * @param passed is told each place that the answer hangs on: links on the way, and where the way ends, also when nothing is there
   * @throws CodedError git/path-outside naming the link that leaves the repository
   */
  async find(path: string, passed?: (path: string) => void): Promise<FoundEntry | undefined> {
    const links: { path: string; entry: TreeEntry }[] = [];
    let rest = path === '' ? [] : path.split('/');
    let at: string[] = [];
    let here = this.#root;
    while (rest.length > 0) {
      const [name = '', ...after] = rest;
      const next = here.kind === 'folder' ? (await this.#ports.listing(here.oid)).get(name) : undefined;
      if (next === undefined) {
        passed?.([...at, ...rest].join('/'));
        return undefined;
      }
      if (next.kind !== 'link') {
        at = [...at, name];
        here = next;
        rest = after;
        continue;
      }
      const link = [...at, name].join('/');
      links.push({ path: link, entry: next });
      passed?.(link);
      if (links.length > maxLinks)
        throw new CodedError('git/path-outside', `${this.origin.repository}: the link ${link} leads in a circle`);
      const target = await this.linkTarget(link, next);
      rest = [...(target === '' ? [] : target.split('/')), ...after];
      at = [];
      here = this.#root;
    }
    passed?.(at.join('/'));
    return { path: at.join('/'), entry: here, links };
  }

  /**
   * Where a link points to, as a path from the root.
   * @throws CodedError git/path-outside for an absolute target and for one outside the repository
   */
  async linkTarget(path: string, link: TreeEntry): Promise<string> {
    const text = (await this.blob(link.oid)).toString('utf8');
    const target = text.startsWith('/') || text.includes('\0') ? undefined : joinPath(folderOf(path), text);
    if (target === undefined)
      throw new CodedError('git/path-outside', `${this.origin.repository}: the link ${path} leaves the repository`);
    return target;
  }

  /** The entries of a folder by name, in Git's order; undefined when it is none. Links are not followed. */
  async list(path: string): Promise<readonly TreeEntry[] | undefined> {
    const folder = await this.entry(path);
    return folder?.kind === 'folder' ? [...(await this.#ports.listing(folder.oid)).values()] : undefined;
  }

  /** The content of a blob. */
  blob(oid: string): Promise<Buffer> {
    return this.#ports.blob(oid);
  }

  /**
   * All that lies below a folder (or the one file), depth first in Git's order, links and submodules as they are.
   * @param enter whether a folder is looked into; default: all are
   * @throws CodedError git/too-large: a few small objects can stand for more files than can ever be counted
   */
  async *walk(path: string, enter: (folder: string) => boolean = () => true): AsyncGenerator<WalkedEntry> {
    const start = await this.entry(path);
    if (start?.kind !== 'folder') {
      if (start !== undefined) yield { path, entry: start };
      return;
    }
    let seen = 0;
    const open = [{ path, entries: (await this.#ports.listing(start.oid)).values() }];
    for (let here = open.at(-1); here !== undefined; here = open.at(-1)) {
      const next = here.entries.next();
      if (next.done === true) {
        open.pop();
        continue;
      }
      const entry = next.value;
      const at = here.path === '' ? entry.name : `${here.path}/${entry.name}`;
      seen += 1;
      if (seen > this.#ports.maxEntries)
        throw new CodedError(
          'git/too-large',
          `${this.origin.repository}: more than ${this.#ports.maxEntries} files and folders in ${path || '.'}`,
        );
      if (at.length > maxPathLength)
        throw new CodedError(
          'git/too-large',
          `${this.origin.repository}: a path of more than ${maxPathLength} letters`,
        );
      if (entry.kind !== 'folder') yield { path: at, entry };
      else if (enter(at)) open.push({ path: at, entries: (await this.#ports.listing(entry.oid)).values() });
    }
  }
}
