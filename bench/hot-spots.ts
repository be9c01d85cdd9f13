/**
 * Where a CPU profile's time went: `node bench/hot-spots.ts FILE.cpuprofile [LINES] [--from=S] [--to=S]`, for what a bench with
 * `--profile` has left in `.cache/profiles`; seconds count from the profile's start. Prints self time by function and by package,
 * and inclusive time by function.
 */
import { readFileSync } from 'node:fs';
import { numberFlag } from './flags.ts';

type ProfileNode = Readonly<{
  id: number;
  callFrame: Readonly<{ functionName: string; url: string; lineNumber: number }>;
  children?: readonly number[];
}>;
type Profile = Readonly<{ nodes: readonly ProfileNode[]; samples: readonly number[]; timeDeltas: readonly number[] }>;

const [file = '', lines = '40'] = process.argv.slice(2);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;

const [fromUs, toUs] = [numberFlag('from', 1e-6) * 1e6, numberFlag('to', 1e9) * 1e6];
const selfUs = new Map<number, number>();
let atUs = 0;
samples.forEach((id, index) => {
  const us = timeDeltas[index] ?? 0;
  atUs += us;
  if (atUs >= fromUs && atUs <= toUs) selfUs.set(id, (selfUs.get(id) ?? 0) + us);
});

const place = (url: string): string =>
  url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/node_modules\//, 'npm:')
    .replace(/^.*\/packages\//, '');
const nameOf = ({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string =>
  `${functionName === '' ? '(anonymous)' : functionName}${url === '' ? '' : ` ${place(url)}:${lineNumber + 1}`}`;
const packageOf = ({ callFrame: { url, functionName } }: ProfileNode): string => {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  const at = place(url);
  return at.startsWith('node:')
    ? 'node'
    : at
        .split('/')
        .slice(0, at.startsWith('npm:@') ? 2 : 1)
        .join('/');
};

const byId = new Map(nodes.map((node) => [node.id, node]));
const self = new Map<string, number>();
const packages = new Map<string, number>();
const inclusive = new Map<string, number>();
const add = (to: Map<string, number>, key: string, us: number): void => {
  to.set(key, (to.get(key) ?? 0) + us);
};

/** Sums up a subtree; a function that calls itself counts once. */
function walk(node: ProfileNode, above: ReadonlySet<string>): number {
  const name = nameOf(node);
  const own = selfUs.get(node.id) ?? 0;
  add(self, name, own);
  add(packages, packageOf(node), own);
  const here = new Set(above).add(name);
  let total = own;
  for (const id of node.children ?? []) {
    const child = byId.get(id);
    if (child !== undefined) total += walk(child, here);
  }
  if (!above.has(name)) add(inclusive, name, total);
  return total;
}

const [root] = nodes;
const total = root === undefined ? 0 : walk(root, new Set());
const idle = self.get('(idle)') ?? 0;
const busy = total - idle;
console.log(`${(total / 1e6).toFixed(1)} s, of them ${(busy / 1e6).toFixed(2)} s busy`);

function show(title: string, counts: ReadonlyMap<string, number>, limit: number): void {
  console.log(`\n${title}`);
  const rows = [...counts].filter(([name]) => !/^\((?:idle|root)\)/.test(name)).sort(([, a], [, b]) => b - a);
  for (const [name, us] of rows.slice(0, limit))
    console.log(`${((us / busy) * 100).toFixed(1).padStart(6)}% ${(us / 1000).toFixed(0).padStart(7)} ms  ${name}`);
}
show('self time by package', packages, 20);
show('self time by function', self, Number(lines));
show('inclusive time by function', inclusive, Number(lines));
