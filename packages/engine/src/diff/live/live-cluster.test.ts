import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type KubeObject, silentLogger, systemClock, withTracking } from '@tiphys/api';
import { connect, type KubeClient, loadKubeconfig } from '@tiphys/kube';
import { type KubeSim, startKubeSim } from '@tiphys/kube-sim';
import { type LiveCluster, openLiveCluster } from './live-cluster.ts';

const tracking = { method: 'annotation', instanceLabelKey: 'app.kubernetes.io/instance', installationId: '' } as const;
const configMap = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { key: name },
});
const signal = AbortSignal.timeout(60_000);
const ports = { clock: systemClock, log: silentLogger };
const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' } as const;

let sim: KubeSim;
let client: KubeClient;

before(async () => {
  sim = await startKubeSim({ objects: [withTracking(configMap('ours'), 'shop', tracking), configMap('theirs')] });
  client = connect(loadKubeconfig(sim.kubeconfig(), { baseDir: '/' }), {}, ports);
});
after(async () => {
  await client.close();
  await sim.stop();
});

const open = (): LiveCluster =>
  openLiveCluster({ client, ...ports }, { tracking, excluded: () => false, factsMs: 60_000 });

const names = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name ?? '').sort();

test('DIFF-03 only what carries the mark of an application is its own', async () => {
  await using live = open();
  await live.ensure([configMaps], signal);
  assert.deepEqual(names(live.managed('shop')), ['ours']);
  assert.deepEqual(names(live.managed('other')), []);
});

test('an object that nobody tracks is read when it is asked for', async () => {
  await using live = open();
  await live.ensure([configMaps], signal);
  const found = await live.get(configMaps, { namespace: 'default', name: 'theirs' }, signal);
  assert.deepEqual(found?.data, { key: 'theirs' });
  assert.equal(await live.get(configMaps, { namespace: 'default', name: 'nobody' }, signal), undefined);
});

test('the search for marks finds kinds that nobody declares any more', async () => {
  await using live = open();
  assert.equal(live.complete, false);
  await live.sweep(signal);
  assert.equal(live.complete, true);
  assert.deepEqual(names(live.managed('shop')), ['ours']);
});

test('a write of ours shows at once, and a change by somebody else is announced', async () => {
  await using live = open();
  await live.ensure([configMaps], signal);
  const heard = Promise.withResolvers<string>();
  live.onChange(({ instance, key }) => heard.resolve(`${instance} ${key.kind} ${key.name}`));
  const written = await client.create(withTracking(configMap('new'), 'shop', tracking));
  live.recentWrites.written(written);
  assert.deepEqual(names(live.managed('shop')), ['new', 'ours']);
  assert.equal(await heard.promise, 'shop ConfigMap new');
  live.recentWrites.deleted(written);
  assert.deepEqual(names(live.managed('shop')), ['ours']);
});

test('an unreachable cluster is an error, never an empty one', async () => {
  const gone = connect(
    { name: 'gone', server: 'http://127.0.0.1:9', credentials: { kind: 'none' } },
    { timeoutMs: 500 },
    ports,
  );
  await using live = openLiveCluster({ client: gone, ...ports }, { tracking, excluded: () => false, factsMs: 60_000 });
  await assert.rejects(live.ensure([configMaps], AbortSignal.timeout(1000)));
  await gone.close();
});
