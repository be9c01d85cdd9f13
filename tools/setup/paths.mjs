import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything here can be thrown away. */
export const cloneCache = join(root, '.cache');

/** Where programs and tests of this clone find helm and kubectl. */
export const toolsFolder = join(cloneCache, 'tools');

/** The cache shared by all clones of this user; inside the clone when the user's own is not writable. */
export function sharedCache() {
  const wish = wishedCache();
  try {
    mkdirSync(wish, { recursive: true });
    accessSync(wish, constants.W_OK);
    return wish;
  } catch {
    return join(cloneCache, 'shared');
  }
}

function wishedCache() {
  const { TIPHYS_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own !== undefined && own !== '') return own;
  // The XDG specification: a relative path is to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'tiphys');
  const home = homedir();
  return home === '' ? join(cloneCache, 'shared') : join(home, '.cache', 'tiphys');
}

/** The full path of a program on PATH, or undefined. */
export function findOnPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
