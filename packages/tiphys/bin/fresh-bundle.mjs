// Where the bundled program is, and whether it is still that of the sources. Plain JavaScript: any Node reads it.
import { fileURLToPath } from 'node:url';

/**
 * Modules of Node as objects. An import of them makes Node read each of their names, and what lies behind some of these is large:
 * this file is run by every command.
 */
export const builtin = process.getBuiltinModule ?? (await import('node:module')).default.createRequire(import.meta.url);

const { existsSync, readFileSync, statSync } = builtin('node:fs');

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
export const bundleDir = `${root}/.cache/bundle`;
/** `program/` lies as deep below the root as `packages/tiphys/src`, so that the program finds the root from either. */
export const bundledProgram = `${bundleDir}/program/main.mjs`;

/** What the whole bundle was made of. */
const allInputs = 'all';
/** Files that the bundle, or a command's part of it, was made of: `path` (relative to the root) to `state`. */
export const inputsFile = (part = allInputs) => `${bundleDir}/inputs/${part}.json`;

/** What tells one state of a file from another. `path` is relative to the root. */
export function stateOf(path) {
  // Looked at many times by each command: joining with care costs as much as the look.
  const { mtimeMs, size } = statSync(`${root}/${path}`);
  return `${mtimeMs} ${size}`;
}

const isUnchanged = (part) =>
  Object.entries(JSON.parse(readFileSync(inputsFile(part), 'utf8'))).every(([path, state]) => stateOf(path) === state);

/**
 * Whether the bundle was made of exactly the files that stand there now. Given a command line, the files that its command can reach
 * are enough: a look at all of them takes as long as many a command.
 */
export function isBundleFresh(argv = []) {
  const [first = '', second = ''] = argv;
  const part = [`${first} ${second}`, first].find((name) => /^[a-z- ]+$/.test(name) && existsSync(inputsFile(name)));
  try {
    return isUnchanged(part ?? allInputs);
  } catch {
    return false;
  }
}
