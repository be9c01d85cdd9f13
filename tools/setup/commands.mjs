import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { check } from './check.mjs';
import { runInForeground } from './child.mjs';
import { filesBelow } from './files.mjs';
import { generators } from './generators.mjs';
import { cloneCache, root } from './paths.mjs';
import { SetupError, say } from './say.mjs';

/** test/control-plane/run.ts ends with this when there is no Go to build it with. */
const noGoExitCode = 75;

/**
 * What the npm scripts of package.json call, each (args, ready) => exit code.
 * @type {Record<string, (args: string[], ready: { node: string }) => number | Promise<number>>}
 */
export const commands = {
  start: (args, { node }) => run(node, [join(root, 'packages/tiphys/bin/tiphys.mjs'), 'demo', ...args]),
  test,
  'test-cluster': testCluster,
  check: (args, { node }) => check(args, { node, env: environment(node) }),
  shown: (args, { node }) =>
    runInForeground(node, [join(root, 'tools/shown/shown.ts'), ...args], { cwd: root, env: environment(node) }),
  bench: (args, { node }) => runEach(node, selectBenches(args)),
  generate: (args, { node }) =>
    runEach(
      node,
      generators().map((file) => [file, ...args]),
    ),
};

/** The pinned Node first on the PATH, so that `#!/usr/bin/env node` programs run on it too. */
function environment(node) {
  return { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) };
}

const run = (node, args) =>
  // npm moves to the root of the clone; a path on the command line is meant from where the user stands.
  runInForeground(node, args, { cwd: process.env.INIT_CWD ?? process.cwd(), env: environment(node) });

async function runEach(node, commandLines) {
  let worst = 0;
  for (const args of commandLines) {
    say(`\n# ${args[0]}`);
    worst = Math.max(worst, await runInForeground(node, args, { cwd: root, env: environment(node) }));
  }
  return worst;
}

/** `npm run bench`: all of them; `npm run bench -- first-sync`: those with that in their name; flags go to each. */
function selectBenches(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const words = args.filter((arg) => !arg.startsWith('-'));
  const benches = filesBelow('bench', (name) => name.endsWith('.bench.ts'));
  const chosen = words.length === 0 ? benches : benches.filter((file) => words.some((word) => file.includes(word)));
  if (chosen.length === 0) throw new SetupError(`No bench matches. There are: ${benches.join(', ') || 'none yet'}`);
  return chosen.map((file) => [file, ...flags]);
}

const isTest = (name) => name.endsWith('.test.ts');
/** By name, or because it starts the real one by itself: nobody waits for its build who only wants `npm test`. */
const needsRealCluster = (file) =>
  file.endsWith('.cluster.test.ts') ||
  file.startsWith('test/control-plane/') ||
  readFileSync(join(root, file), 'utf8').includes("/control-plane/start.ts'");
/** These run in both test commands: the cluster under test is the embedded one unless TIPHYS_TEST_KUBECONFIG is set. */
const runsOnBoth = (file) => file.startsWith('test/conformance/');

const allTests = () => ['packages', 'test', 'tools', 'bench'].flatMap((folder) => filesBelow(folder, isTest));

async function test(args, { node }) {
  const files = allTests().filter((file) => !needsRealCluster(file));
  const { TIPHYS_TEST_KUBECONFIG: _unused, ...env } = environment(node);
  return runTests({ node, args, files, env, cluster: 'embedded', before: [] });
}

async function testCluster(args, { node }) {
  const files = allTests().filter((file) => needsRealCluster(file) || runsOnBoth(file));
  const given = process.env.TIPHYS_TEST_KUBECONFIG;
  if (given !== undefined && !existsSync(given))
    throw new SetupError(`TIPHYS_TEST_KUBECONFIG is ${given}, but there is no such file.`);
  const before = given === undefined ? [node, 'test/control-plane/run.ts', '--'] : [];
  return runTests({ node, args, files, env: environment(node), cluster: 'real', before });
}

/**
 * Runs node's test runner over the files that the arguments choose, records each result for `npm run shown`,
 * and ends with one line that sums up.
 */
async function runTests({ node, args, files, env, cluster, before }) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const words = args.filter((arg) => !arg.startsWith('-'));
  const chosen =
    words.length === 0 ? files : files.filter((file) => words.some((word) => file.includes(word.replace(/^\.\//, ''))));
  if (chosen.length === 0) {
    say(words.length === 0 ? 'There is no test of this kind yet.' : `No test file matches ${words.join(' ')}.`);
    printSum({ passed: 0, failed: 0, skipped: 0 });
    return words.length === 0 ? 0 : 1;
  }
  const record = join(cloneCache, 'test-runs', `${cluster}.json`);
  const sum = join(cloneCache, 'test-runs', `${cluster}.sum.json`);
  mkdirSync(dirname(record), { recursive: true });
  rmSync(sum, { force: true });
  const command = [
    ...before,
    node,
    '--disable-warning=ExperimentalWarning',
    '--test',
    // The default leaves one core to the runner, which is idle; on two cores that doubles the time.
    '--test-concurrency=2',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./tools/shown/reporter.ts',
    '--test-reporter-destination=stderr',
    ...flags,
    ...chosen,
  ];
  const code = await runInForeground(command[0], command.slice(1), {
    cwd: root,
    env: { ...env, TIPHYS_TEST_RECORD: record, TIPHYS_TEST_SUM: sum, TIPHYS_TEST_CLUSTER: cluster },
  });
  if (cluster === 'real' && code === noGoExitCode) {
    say(
      `SKIPPED: ${chosen.length} test files need the real control plane, which is built with Go; there is none here.`,
    );
    printSum({ passed: 0, failed: 0, skipped: chosen.length });
    return 0;
  }
  const counts = readSum(sum);
  printSum(counts ?? { passed: 0, failed: 1, skipped: 0 });
  // A runner that died without a sum has failed, whatever it says.
  return counts === undefined && code === 0 ? 1 : code;
}

const printSum = ({ passed, failed, skipped }) =>
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);

function readSum(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
