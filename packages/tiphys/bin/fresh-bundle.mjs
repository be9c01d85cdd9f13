// Where the bundled program is, and whether it is still that of the sources. Plain JavaScript: any Node reads it.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const bundleDir = join(root, '.cache', 'bundle');
/** `program/` lies as deep below the root as `packages/tiphys/src`, so that the program finds the root from either. */
export const bundledProgram = join(bundleDir, 'program', 'main.mjs');
export const inputsFile = join(bundleDir, 'inputs.json');

/** What tells one state of a file from another. */
export const stateOf = (path) => {
  const { mtimeMs, size } = statSync(path);
  return `${mtimeMs} ${size}`;
};

/** Whether the bundle was made of exactly the files that stand there now. */
export function isBundleFresh() {
  try {
    const inputs = JSON.parse(readFileSync(inputsFile, 'utf8'));
    return Object.entries(inputs).every(([path, state]) => stateOf(join(root, path)) === state);
  } catch {
    return false;
  }
}
