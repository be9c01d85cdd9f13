import { join } from 'node:path';
import { runQuietly } from './child.mjs';
import { generators } from './generators.mjs';
import { cloneCache, root } from './paths.mjs';
import { SetupError, say } from './say.mjs';

const partTimeoutMs = 10 * 60_000;
const atOnce = 2;

const bin = (name) => join(root, 'node_modules', '.bin', name);

/** The parts of `npm run check`, the slow ones first. Each is one command that says what is wrong and ends non-zero. */
const parts = {
  // Without a cache: the rules look at types, so a file's findings hang on other files too.
  lint: [bin('eslint'), '.', '--max-warnings=0'],
  types: [bin('tsc'), '-p', 'tsconfig.json', '--noEmit'],
  format: [
    bin('prettier'),
    '--check',
    '--log-level=warn',
    '--cache',
    '--cache-location',
    join(cloneCache, 'prettier'),
    '.',
  ],
  walls: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'packages'],
};

/**
 * Runs the fast checks, two at a time: all of them, or those that are named.
 * @param {string[]} names
 * @returns {Promise<number>} 0 when all passed
 */
export async function check(names, { node, env }) {
  const all = { ...parts, ...generatorParts() };
  const unknown = names.filter(
    (name) => !Object.keys(all).some((part) => part === name || part.startsWith(`${name} `)),
  );
  if (unknown.length > 0)
    throw new SetupError(`There is no check named ${unknown.join(', ')}. There are: ${Object.keys(all).join(', ')}`);
  const waiting = Object.entries(all).filter(
    ([part]) => names.length === 0 || names.some((name) => part === name || part.startsWith(`${name} `)),
  );
  const failed = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, args] = next;
      const started = Date.now();
      const result = await runQuietly(node, args, { cwd: root, env, timeoutMs: partTimeoutMs });
      const passed = result.code === 0;
      if (!passed) failed.push(name);
      say(`${passed ? 'ok    ' : 'FAILED'} ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
      if (!passed) say(`${result.timedOut ? 'did not end in time\n' : ''}${result.output.trimEnd()}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  say(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** Each generator, asked with --check whether what it wrote is still what it would write. */
const generatorParts = () =>
  Object.fromEntries(
    generators().map((file) => [`generated ${file.slice('tools/generate/'.length, -'.ts'.length)}`, [file, '--check']]),
  );
