import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@tiphys/api';
import { connect, loadKubeconfig, type KubeClient } from '@tiphys/kube';
import { startKubeSim } from '@tiphys/kube-sim';

const root = join(import.meta.dirname, '../..');

const kinds = {
  Namespace: { group: '', version: 'v1', kind: 'Namespace' },
  ConfigMap: { group: '', version: 'v1', kind: 'ConfigMap' },
  Deployment: { group: 'apps', version: 'v1', kind: 'Deployment' },
  Application: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' },
};

async function names(client: KubeClient, kind: keyof typeof kinds): Promise<string[]> {
  const { items } = await client.list(await client.resourceFor(kinds[kind]), {});
  return items.map(({ metadata }) => [metadata.namespace, metadata.name, metadata.uid].join('/')).sort();
}

/** Waits until something is so, or for so long. */
async function within(patienceMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** The runner tells its tests' processes about itself, and they would take themselves for parts of this one. */
const { NODE_TEST_CONTEXT: _runner, ...inherited } = process.env;

/** What the suites of test/conformance say of a cluster that a kubeconfig names. */
const runSuites = (kubeconfig: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const env = { ...inherited, TIPHYS_TEST_KUBECONFIG: kubeconfig, TIPHYS_TEST_CLUSTER: 'real' };
    const flags = ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=tap', ...args];
    execFile(process.execPath, flags, { cwd: root, env, timeout: 240_000 }, (_error, stdout) => resolve(stdout));
  });

test('TIPHYS_TEST_KUBECONFIG runs the suites against that cluster, in namespaces of their own, of which nothing is left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-given-'));
  const metadata = (name: string, namespace: string) => ({ name, namespace, labels: { app: name } });
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'example/web:1' }] },
  };
  await using sim = await startKubeSim({
    objects: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('theirs', 'default'), data: { a: 'b' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('theirs', 'argocd'), data: { a: 'b' } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: metadata('web', 'work'),
        spec: { selector: { matchLabels: { app: 'web' } }, template },
      },
    ],
  });
  try {
    const file = join(folder, 'kubeconfig');
    await writeFile(file, sim.kubeconfig());
    const ports = { log: silentLogger, clock: systemClock };
    await using client = connect(loadKubeconfig(sim.kubeconfig(), { baseDir: folder }), {}, ports);
    const state = async () => ({
      namespaces: await names(client, 'Namespace'),
      deployments: await names(client, 'Deployment'),
      maps: await names(client, 'ConfigMap'),
    });
    // The map of the authority comes to each namespace a moment after it.
    const isComplete = async (): Promise<boolean> => {
      const { namespaces, maps } = await state();
      return maps.filter((name) => name.includes('/kube-root-ca.crt/')).length === namespaces.length;
    };
    await within(20_000, isComplete);
    assert.ok(await isComplete());
    const before = await state();
    const told = await runSuites(file, [
      '--test-name-pattern=/creates, reads, replaces|patch types|REC-05 APP-01 a plain|REC-06|SYNC-27 SYNC-41/',
      'test/conformance/client.test.ts',
      'test/conformance/engine.test.ts',
    ]);

    assert.match(told, /^# pass [5-9]$/m, told);
    assert.match(told, /^# fail 0$/m, told);
    assert.match(told, /ok \d+ - creates, reads, replaces and deletes/);
    assert.match(told, /ok \d+ - SYNC-27 SYNC-41/);
    await within(20_000, async () => (await names(client, 'Namespace')).length <= before.namespaces.length);
    assert.deepEqual(await state(), before);
    assert.deepEqual(await names(client, 'Application'), []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
