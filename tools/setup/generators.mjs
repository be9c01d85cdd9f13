import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './files.mjs';
import { root } from './paths.mjs';

/** Others read what this one writes. */
const first = 'tools/generate/kubernetes-schemas.ts';

/**
 * The generators, in the order in which they run: every file of tools/generate that knows `--check`
 * (the others are modules that generators import).
 */
export const generators = () =>
  filesBelow('tools/generate', (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .filter((path) => readFileSync(join(root, path), 'utf8').includes('--check'))
    .sort((a, b) => Number(b === first) - Number(a === first));
