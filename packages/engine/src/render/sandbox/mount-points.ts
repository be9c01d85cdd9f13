import { lstat, mkdir, readlink, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { LRUCache } from 'lru-cache';

/** A file or folder of the host, and where it is to be mounted. */
export type MountPoint = Readonly<{ real: string; target: string; isFolder: boolean }>;

const maxLinks = 40;

/** The links that a path leads over, each by its own path without links. */
async function linksOf(path: string): Promise<readonly Readonly<{ path: string; target: string }>[]> {
  const links: { path: string; target: string }[] = [];
  const wordsOf = (text: string): readonly string[] => text.split(sep).filter((word) => word !== '');
  let left = wordsOf(path);
  let at: string = sep;
  for (let [word, ...rest] = left; word !== undefined && links.length < maxLinks; [word, ...rest] = left) {
    const next = join(at, word);
    if ((await lstat(next)).isSymbolicLink()) {
      const target = await readlink(next);
      links.push({ path: next, target });
      left = [...wordsOf(resolve(at, target)), ...rest];
      at = sep;
    } else {
      left = rest;
      at = next;
    }
  }
  return links;
}

async function makeLink(path: string, target: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  // Another run may have been quicker.
  await symlink(target, path).catch(async (error: unknown) => {
    if ((await readlink(path).catch(() => undefined)) !== target) throw error;
  });
}

/** A folder that looks like the host as far as it was asked for, with nothing in it: every file is empty. */
export class MountPoints {
  readonly #base: string;
  /** Of paths that stay what they are while the program runs. */
  readonly #lasting: ReadonlyMap<string, MountPoint | undefined>;
  readonly #known = new LRUCache<string, MountPoint>({ max: 1000 });

  private constructor(base: string, lasting: ReadonlyMap<string, MountPoint | undefined>) {
    this.#base = base;
    this.#lasting = lasting;
  }

  static async open(base: string, lasting: readonly string[]): Promise<MountPoints> {
    const first = new MountPoints(base, new Map());
    const points = await Promise.all(lasting.map(async (path) => [path, await first.#of(path)] as const));
    return new MountPoints(base, new Map(points));
  }

  /** Mount points for what exists of these paths, without what lies within another one; links on the way lead as they do outside. */
  async of(paths: readonly string[]): Promise<readonly MountPoint[]> {
    const found = await Promise.all(paths.map((path) => this.#of(path)));
    const points = new Map(found.flatMap((point) => (point === undefined ? [] : [[point.real, point] as const])));
    const isCovered = (real: string): boolean => {
      for (let above = dirname(real); above !== dirname(above); above = dirname(above))
        if (points.has(above)) return true;
      return false;
    };
    return [...points.values()].filter(({ real }) => !isCovered(real));
  }

  async #of(path: string): Promise<MountPoint | undefined> {
    if (this.#lasting.has(path)) return this.#lasting.get(path);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return undefined;
    const known = this.#known.get(path);
    // Links are led elsewhere by updates.
    if (known?.real === real) return known;
    for (const link of await linksOf(path)) await makeLink(join(this.#base, link.path), link.target);
    const target = join(this.#base, real);
    const isFolder = (await stat(real)).isDirectory();
    await mkdir(isFolder ? target : dirname(target), { recursive: true });
    if (!isFolder) await writeFile(target, '', { flag: 'a' });
    const point = { real, target, isFolder };
    this.#known.set(path, point);
    return point;
  }
}
