import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';

const main = join(import.meta.dirname, 'main.mjs');

function setUp(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { status, stdout, stderr, ms: performance.now() - started };
}

/** A PATH with nothing on it but links to the named programs. */
function pathWith(programs: readonly string[]): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'tiphys-path-'));
  mkdirSync(folder, { recursive: true });
  for (const name of programs) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    symlinkSync(stdout.trim(), join(folder, name));
  }
  return { path: folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** The best of three: what the machine does besides is nobody's. */
const best = (run: () => number): number => Math.min(...[1, 2, 3].map(run));

test('what is ready is found again at once, with nothing on standard error', (t) => {
  setUp(['--print-tools']);
  const runs = [1, 2, 3].map(() => setUp(['--print-tools']));
  for (const { status, stderr } of runs) assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const ms = Math.min(...runs.map((run) => run.ms));
  const bareMs = best(() => {
    const started = performance.now();
    spawnSync(process.execPath, ['--eval', '0']);
    return performance.now() - started;
  });
  t.diagnostic(`${ms.toFixed(0)} ms; a bare node starts in ${bareMs.toFixed(0)} ms`);
  const stdout = runs[0]?.stdout ?? '';
  // Half a second, on a machine on which node starts in 40 ms.
  assert.ok(ms < 12.5 * bareMs, `${ms.toFixed(0)} ms, and a bare node starts in ${bareMs.toFixed(0)} ms`);
  const tools = JSON.parse(stdout) as Record<string, { path: string; version: string }>;
  const helm = spawnSync(tools['helm']?.path ?? '', ['version', '--short'], { encoding: 'utf8' });
  assert.match(helm.stdout, new RegExp(`^v${tools['helm']?.version ?? 'none'}`));
});

test('a second run needs neither npm nor the network', () => {
  const { path, remove } = pathWith(['git']);
  const nowhere = 'http://127.0.0.1:9';
  const { status, stderr } = setUp(['--print-tools'], {
    PATH: path,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    npm_execpath: '',
  });
  remove();
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

const plainly: readonly (readonly [string, readonly string[], NodeJS.ProcessEnv, RegExp])[] = [
  ['git is missing', ['--print-tools'], { PATH: '/nonexistent' }, /git is not on the PATH.*Install it/s],
  [
    'an override leads nowhere',
    ['--print-tools'],
    { TIPHYS_HELM: '/nonexistent/helm' },
    /TIPHYS_HELM is \/nonexistent\/helm, but no program/,
  ],
  ['there is no such command', ['strat'], {}, /Usage: .*start\|test/],
  ['there is no such check', ['check', 'typos'], {}, /no check named typos.*types/],
  ['there is no such kubeconfig', ['test-cluster'], { TIPHYS_TEST_KUBECONFIG: '/nonexistent' }, /no such file/],
];
for (const [name, args, env, expected] of plainly) {
  test(`says plainly, without a trace, that ${name}`, () => {
    const { status, stderr } = setUp(args, env);
    assert.equal(status, 1);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
}

test('without Go the tests that need the real control plane are skipped, visibly, and nothing else is run', () => {
  const { status, stdout, stderr } = setUp(['test-cluster', 'control-plane/smoke'], {
    TIPHYS_GO: '/nonexistent/go',
    TIPHYS_TEST_KUBECONFIG: undefined,
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^SKIPPED: The real control plane is built from source, .*Install Go 1\.25 or newer/m);
  assert.match(
    stderr,
    /^SKIPPED: 1 test files need the real control plane, which is built with Go; there is none here\.$/m,
  );
  assert.equal(stdout, '0 passed, 0 failed, 1 skipped\n');
});
