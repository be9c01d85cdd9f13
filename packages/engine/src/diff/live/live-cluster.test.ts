import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type KubeObject, silentLogger, systemClock, withTracking } from '@tiphys/api';
import { connect, type KubeClient, loadKubeconfig } from '@tiphys/kube';
import { type KubeSim, refuseWhen, startKubeSim } from '@tiphys/kube-sim';
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
  sim = await startKubeSim({
    simulation: {},
    objects: [withTracking(configMap('ours'), 'shop', tracking), configMap('theirs')],
  });
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

test('what a write left, and field sets that are alike, are kept once', async () => {
  await using live = open();
  await live.ensure([configMaps], signal);
  const all = Array.from({ length: 10 }, (_, index) => `once-${index}`);
  const waiting = new Set(all);
  const shown = Promise.withResolvers<undefined>();
  live.onChange(({ key }) => {
    waiting.delete(key.name);
    if (waiting.size === 0) shown.resolve(undefined);
  });
  const answers: KubeObject[] = [];
  for (const name of all) {
    const apply = { fieldManager: 'kubectl', force: true };
    live.recentWrites.written(await client.apply(withTracking(configMap(name), 'once', tracking), apply));
    answers.push(...live.managed('once').filter(({ metadata }) => metadata.name === name));
  }
  await shown.promise;
  const found = live.managed('once');
  assert.deepEqual(names(found), all);
  // An event may be faster than the answer of its write.
  assert.ok(found.some((object) => answers.includes(object)));
  const fieldSets = new Set(found.map(({ metadata }) => metadata.managedFields?.[0]?.fieldsV1));
  assert.equal(fieldSets.size, 1);
  assert.ok(!fieldSets.has(undefined));
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

const widgets = { group: 'example.com', version: 'v1', kind: 'Widget' } as const;
const version = (name: string, served: boolean): object => ({
  name,
  served,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
});
const definition = (beta: boolean): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [version('v1', !beta), version('v1beta1', beta)],
  },
});
const definitionRef = {
  gvk: { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
  name: 'widgets.example.com',
};

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await holds()); i += 1) await systemClock.sleep(50, signal);
  assert.ok(await holds(), 'waited in vain');
}

test('a kind that comes after the first look is seen, and one that is served in another version is the same kind', async () => {
  await using live = open();
  await live.ensure([widgets], signal);

  await client.create(definition(true));
  const beta = { ...widgets, version: 'v1beta1' };
  await until(async () => (await client.discovery({ fresh: true, signal })).find(beta) !== undefined);
  const widget = { apiVersion: 'example.com/v1beta1', kind: 'Widget', metadata: { name: 'w', namespace: 'default' } };
  await client.create(withTracking(widget, 'shop', tracking));
  const theOnes = (): string[] =>
    live
      .managed('shop')
      .filter(({ kind }) => kind === 'Widget')
      .map(({ apiVersion, metadata }) => `${apiVersion} ${metadata.name ?? ''}`);
  await live.ensure([widgets], signal);
  assert.deepEqual(theOnes(), ['example.com/v1beta1 w']);

  const { spec } = definition(false);
  await client.patch(definitionRef, { type: 'merge', body: { spec } });
  // A real server ends the watches of a version that it stops to serve.
  sim.dropWatches();
  await until(() => theOnes().join() === 'example.com/v1 w');
  const found = await live.get(widgets, { namespace: 'default', name: 'w' }, signal);
  assert.equal(found?.apiVersion, 'example.com/v1');
});

const secrets = { group: '', version: 'v1', kind: 'Secret' } as const;

test('a kind that may not be listed is an error at once for who desires it, and for nobody else', async () => {
  await using live = open();
  const allow = sim.refuse(refuseWhen({ verb: 'list', resource: 'secrets' }, 403));
  const before = Date.now();
  await assert.rejects(live.ensure([configMaps, secrets], signal), /secrets.* is refused/);
  await assert.rejects(live.ensure([secrets], signal), /secrets.* is refused/);
  assert.ok(Date.now() - before < 10_000, 'nobody waits for the deadline');
  await live.ensure([configMaps], signal);
  await live.sweep(signal);
  assert.equal(live.complete, true);
  allow();
  await until(() =>
    live.ensure([secrets], signal).then(
      () => true,
      () => false,
    ),
  );
});

test('a custom kind whose server is down keeps nobody from being Synced; a built-in one does', async () => {
  await using live = open();
  const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  const { spec } = definition(false);
  const names = { plural: 'gauges', singular: 'gauge', kind: 'Gauge', listKind: 'GaugeList' };
  await client.create({ ...kind, metadata: { name: 'gauges.example.com' }, spec: { ...(spec as object), names } });
  const gauge = { group: 'example.com', version: 'v1', kind: 'Gauge' };
  await until(async () => (await client.discovery({ fresh: true, signal })).find(gauge) !== undefined);
  const up = sim.refuse(refuseWhen({ verb: 'list', resource: 'gauges' }, 503, 'ServiceUnavailable'));
  await live.sweep(signal);
  assert.equal(live.complete, true);
  up();

  await using other = open();
  const back = sim.refuse(refuseWhen({ verb: 'list', resource: 'services' }, 503, 'ServiceUnavailable'));
  await assert.rejects(other.sweep(signal));
  assert.equal(other.complete, false);
  back();
});
