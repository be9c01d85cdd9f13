import { isCoded } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import type { Tree } from '../../git/read/tree.ts';
import type { Decoder, UntrustedText } from '../decode/decoder.ts';
import type { Dependencies } from './dependencies.ts';

/** A chart in a repository: its folder, and what it is built of besides. */
export type ChartFolder = Readonly<{ tree: Tree; folder: string; dependencies: Dependencies }>;

/**
 * Whether a chart may render something else when the cluster serves other API versions. When in doubt it may: an archive in it, a
 * link, a dependency from elsewhere.
 */
export type ChartSeesApiVersions = (chart: ChartFolder) => Promise<boolean>;

const maxTemplates = 2000;

/** The templates of a folder; undefined when there is something in it that could hold others. */
async function templatesBelow(tree: Tree, folder: string): Promise<readonly UntrustedText[] | undefined> {
  const templates: { name: string; oid: string }[] = [];
  for await (const { path, entry } of tree.walk(folder)) {
    if (entry.kind === 'link' || entry.kind === 'submodule' || /\.(?:tgz|tar\.gz)$/i.test(path)) return undefined;
    if (/(?:^|\/)templates\//.test(path)) templates.push({ name: path, oid: entry.oid });
    if (templates.length > maxTemplates) return undefined;
  }
  return Promise.all(templates.map(async ({ name, oid }) => ({ name, content: await tree.blob(oid) })));
}

/** Looks into charts, and remembers the answer by their content. */
export function rememberApiVersionUse(decoder: Pick<Decoder, 'seesApiVersions'>): ChartSeesApiVersions {
  const known = new LRUCache<string, boolean>({ max: 5000 });
  const look = async (tree: Tree, folders: readonly string[]): Promise<boolean> => {
    for (const folder of folders) {
      const templates = await templatesBelow(tree, folder);
      if (templates === undefined || (await decoder.seesApiVersions(templates))) return true;
    }
    return false;
  };
  return async ({ tree, folder, dependencies }) => {
    if (!dependencies.local) return true;
    const folders = [folder, ...dependencies.folders];
    const entries = await Promise.all(folders.map((path) => tree.entry(path)));
    // A folder behind a link, or one that is not there.
    if (entries.some((entry) => entry?.kind !== 'folder')) return true;
    const id = entries.map((entry) => entry?.oid).join(' ');
    const remembered = known.get(id);
    if (remembered !== undefined) return remembered;
    try {
      const sees = await look(tree, folders);
      known.set(id, sees);
      return sees;
    } catch (error) {
      if (isCoded(error)) return true;
      throw error;
    }
  };
}
