import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { numberAt, silentLogger, systemClock } from '@tiphys/api';
import { connect, loadKubeconfig } from '@tiphys/kube';

const root = join(import.meta.dirname, '../../../..');
const launcher = join(root, 'packages/tiphys/bin/tiphys.mjs');
const patienceMs = 120_000;

/** A visitor's machine: no configuration of git, no kubeconfig, nothing in HOME. */
let home = '';
/** Below the clone, as the default is: `npx tiphys` works in it. */
let folder = '';

const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' });

/** Runs a visitor's command to its end. */
function run(file: string, args: readonly string[], cwd: string) {
  return spawnSync(file, args, { cwd, env: environment(), encoding: 'utf8', timeout: patienceMs });
}

const started: Demo[] = [];

/** The demo as a visitor starts it, in a process group of its own. */
class Demo {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  out = '';
  err = '';

  constructor(...flags: string[]) {
    this.child = spawn(process.execPath, [launcher, 'demo', '--dir', join(folder, 'demo'), ...flags], {
      cwd: root,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#ended = once(this.child, 'exit');
    started.push(this);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
  }

  async until(pattern: RegExp): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!pattern.test(this.out)) {
      if (Date.now() > end || this.child.exitCode !== null)
        assert.fail(`no ${String(pattern)} in:\n${this.out}\n${this.err}`);
      await sleep(50);
    }
  }

  async exit(): Promise<number | null> {
    const patience = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
    await this.#ended;
    clearTimeout(patience);
    return this.child.exitCode;
  }

  /** Whether any process that it started is still there. */
  get leftovers(): boolean {
    try {
      process.kill(-(this.child.pid ?? 0), 0);
      return true;
    } catch {
      return false;
    }
  }
}

const names = [
  'bookshop',
  'bookshop-backend',
  'bookshop-database',
  'bookshop-frontend',
  'helm',
  'kustomize-dev',
  'kustomize-prod',
  'multi-source',
  'plain',
];

/** The last table that was printed: a line for each application. */
function table(out: string): string[][] {
  const lines = out.slice(out.lastIndexOf('APPLICATION ')).split('\n');
  return lines.slice(0, lines.indexOf('')).map((line) => line.trim().split(/ {2,}/));
}

async function replicas(): Promise<number | undefined> {
  const kubeconfig = loadKubeconfig(await readFile(join(folder, 'demo/kubeconfig'), 'utf8'), { baseDir: '/' });
  await using client = connect(kubeconfig, {}, { log: silentLogger, clock: systemClock });
  const gvk = { group: 'apps', version: 'v1', kind: 'Deployment' };
  return numberAt(await client.get({ gvk, namespace: 'plain', name: 'greeting' }), 'spec', 'replicas');
}

describe('the demo', { concurrency: 1 }, () => {
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiphys-visitor-'));
    await mkdir(join(root, '.cache'), { recursive: true });
    folder = await mkdtemp(join(root, '.cache/demo-'));
  });
  after(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    await rm(home, { recursive: true, force: true });
  });

  test('the last screen: what came to be, what is simulated, and lines that work when they are pasted', async (t) => {
    const demo = new Demo();
    await demo.until(/Press Ctrl-C/);

    const [headings, ...rows] = table(demo.out);
    assert.deepEqual(headings, ['APPLICATION', 'SYNC', 'HEALTH', 'REVISION']);
    const revision = rows[0]?.[3] ?? '';
    assert.match(revision, /^[0-9a-f]{8}$/);
    assert.deepEqual(
      rows,
      names.map((name) => [name, 'Synced', 'Healthy', revision]),
    );
    assert.match(demo.out, /^Pods are simulated: .*no container is started\.$/m);

    assert.doesNotMatch(demo.out, /It stops now/);
    const screen = demo.out.slice(demo.out.indexOf('Pods are simulated'));
    const lines = screen.split('\n').filter((line) => line.startsWith('  '));
    assert.deepEqual(
      lines.map((line) => line.trim().split(' ').slice(0, 3).join(' ').replace(folder, 'DIR')),
      [
        'export KUBECONFIG=DIR/demo/kubeconfig',
        'npx tiphys app',
        'cd DIR/demo/repository',
        lines[3]?.trim().split(' ').slice(0, 3).join(' '),
        'npx tiphys app',
      ],
    );
    const committed = Date.now();
    const pasted = run('bash', ['-c', lines.join('\n')], root);
    assert.match(pasted.stdout, /argocd\/plain .* Synced +Healthy/, pasted.stderr);
    assert.match(pasted.stdout, /\[main [0-9a-f]+\] Three replicas/, pasted.stderr);
    assert.ok([0, 1].includes(pasted.status ?? 2), pasted.stderr);

    await demo.until(new RegExp(`^ +plain: Synced, Healthy at (?!${revision})`, 'm'));
    t.diagnostic(`the commit was Synced and Healthy within ${Date.now() - committed} ms of pasting`);
    assert.equal(await replicas(), 3);

    demo.child.kill('SIGINT');
    await demo.exit();
    assert.equal(demo.leftovers, false);
    assert.equal(existsSync(join(home, '.kube')), false);
    assert.equal(demo.err, '');
  });

  test('the state survives a restart; --once ends with 0 when all is Synced and Healthy', async () => {
    const demo = new Demo('--once');
    assert.equal(await demo.exit(), 0, demo.err);
    const [, ...rows] = table(demo.out);
    assert.deepEqual(
      rows.map(([name, sync, health]) => [name, sync, health]),
      names.map((name) => [name, 'Synced', 'Healthy']),
    );
    assert.equal(demo.leftovers, false);
    assert.match(demo.out, /^It stops now, .*`npm start` without --once runs it for these lines\.$/m);
    const head = run('git', ['rev-parse', '--short=8', 'HEAD'], join(folder, 'demo/repository'));
    assert.equal(rows.at(-1)?.[3], head.stdout.trim());
  });

  test("a visitor's own manifests; a kind that the cluster lacks is named, and --once does not end with 0", async () => {
    const repository = join(folder, 'own');
    const manifest = (kind: string, apiVersion: string): string =>
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: mine\n  namespace: default\n`;
    const commit = async (files: Readonly<Record<string, string>>): Promise<void> => {
      await mkdir(join(repository, 'k8s'), { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(repository, 'k8s', name), text);
      const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
      for (const args of [
        ['init', '--quiet'],
        ['add', '--all'],
        [...identity, 'commit', '--quiet', '-m', 'mine'],
      ])
        run('git', args, repository);
    };
    await rm(join(folder, 'demo'), { recursive: true, force: true });
    await commit({ 'map.yaml': manifest('ConfigMap', 'v1') });
    const good = new Demo('--once', '--repo', repository, '--path', 'k8s');
    assert.equal(await good.exit(), 0, good.err);

    await commit({ 'widget.yaml': manifest('Widget', 'example.com/v1') });
    const bad = new Demo('--once', '--repo', repository, '--path', 'k8s', '--timeout', '15s');
    assert.notEqual(await bad.exit(), 0);
    assert.match(bad.err, /not everything was Synced and Healthy after 15 s: .*example\.com\/.*Widget/);
    assert.equal(bad.leftovers, false);
  });
});
