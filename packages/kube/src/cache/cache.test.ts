import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock, type KubeObject } from '@tiphys/api';
import type { ClientPorts, KubeClient } from '../client/types.ts';
import { clientOf } from '../testing/client-of.ts';
import { fakeClock, settle } from '../testing/fake-clock.ts';
import { LossyLink } from '../testing/lossy-link.ts';
import { configMapResource, send, ServerDouble, status } from '../testing/server-double.ts';
import { openCache } from './open-cache.ts';
import type { ObjectCache } from './types.ts';

type Row = { name: string; color: string };

const toRow = (object: KubeObject): Row => {
  const data = object['data'];
  const color = typeof data === 'object' && data !== null && 'color' in data ? String(data.color) : '';
  return { name: object.metadata.name ?? '', color };
};

const systemPorts: ClientPorts = { log: silentLogger, clock: systemClock };

/** Asks for discovery whenever a kind is missed. */
const clientAt = (server: { url: string }, ports = systemPorts): KubeClient =>
  clientOf(server, { settings: { discoveryMissMs: 0 }, ports });

function openRows(client: KubeClient, ports = systemPorts): { cache: ObjectCache<Row>; changes: string[] } {
  const backoff = { firstMs: 20, maxMs: 100 };
  const indices = { color: ({ color }: Row) => (color === '' ? [] : [color]) };
  const cache = openCache(
    client,
    { resource: configMapResource, project: toRow, indices, backoff, pageSize: 3 },
    ports,
  );
  const changes: string[] = [];
  cache.onChange((change) => {
    const before = 'before' in change ? change.before.color : '';
    const after = 'after' in change ? change.after.color : '';
    changes.push(`${change.kind} ${change.key.namespace}/${change.key.name} ${before}>${after}`);
  });
  return { cache, changes };
}

const names = (cache: ObjectCache<Row>): string[] =>
  cache
    .list()
    .map(({ name }) => name)
    .sort();

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i += 1) await settle();
  assert.ok(holds(), 'waited in vain');
}

test('lists in pages, follows changes, and keeps indices', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  for (let i = 0; i < 8; i += 1) double.put(`c${i}`, { color: i % 2 === 0 ? 'red' : 'blue' });
  double.put('c0', { color: 'red' }, 'other');
  const { cache, changes } = openRows(client);
  await using opened = cache;
  await opened.synced;
  assert.equal(cache.size, 9);
  assert.equal(changes.length, 9);
  assert.deepEqual(cache.get({ namespace: 'other', name: 'c0' }), { name: 'c0', color: 'red' });
  assert.equal(cache.list('other').length, 1);
  assert.equal(cache.byIndex('color', 'red').length, 5);
  changes.length = 0;
  double.put('c1', { color: 'red' });
  double.put('new', { color: 'green' });
  double.remove('c2');
  await until(() => changes.length === 3);
  assert.deepEqual(changes, ['updated default/c1 blue>red', 'added default/new >green', 'deleted default/c2 red>']);
  assert.equal(cache.byIndex('color', 'red').length, 5);
  assert.deepEqual(cache.byIndex('color', 'green'), [{ name: 'new', color: 'green' }]);
  assert.throws(() => cache.byIndex('size', 'x'), /no index "size"/);
  assert.equal(cache.resourceVersion, String(double.version));
});

for (const watchers of ['tell-watchers', 'leave-watchers'] as const)
  test(`after 410 (${watchers}) it lists anew and tells only what is different`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientAt(double);
    for (const name of ['a', 'b', 'c', 'd']) double.put(name, { color: 'red' });
    const { cache, changes } = openRows(client);
    await using opened = cache;
    await opened.synced;
    await until(() => double.watching === 1);
    changes.length = 0;
    // What happens now is seen by nobody: the stream is cut before, and the history is gone afterwards.
    double.intercept = ({ query }, response) => {
      if (query.get('watch') !== 'true') return false;
      response.end();
      return true;
    };
    if (watchers === 'leave-watchers') double.endWatches();
    else double.compact('tell-watchers');
    double.put('b', { color: 'blue' });
    double.remove('c');
    double.put('e', { color: 'red' });
    double.compact('leave-watchers');
    double.intercept = undefined;
    await until(() => changes.length >= 3 && double.watching === 1);
    assert.deepEqual(changes.sort(), ['added default/e >red', 'deleted default/c red>', 'updated default/b red>blue']);
    assert.deepEqual(names(cache), ['a', 'b', 'd', 'e']);
    assert.equal(cache.lastError, undefined);
  });

test('a snapshot that expires between two pages is listed again in one', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  for (let i = 0; i < 7; i += 1) double.put(`c${i}`);
  let compacted = false;
  double.intercept = ({ query }) => {
    if (query.has('continue') && !compacted) {
      compacted = true;
      double.compact('leave-watchers');
    }
    return false;
  };
  const { cache } = openRows(client);
  await using opened = cache;
  await opened.synced;
  assert.equal(cache.size, 7);
  assert.ok(compacted);
});

test('CLUS-13 a server that goes away and comes back is followed again, and what happened meanwhile is told', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  double.put('a', { color: 'red' });
  const { cache, changes } = openRows(client);
  await using opened = cache;
  await opened.synced;
  await until(() => double.watching === 1);
  await double.down();
  await until(() => cache.lastError !== undefined);
  assert.deepEqual(names(cache), ['a'], 'nothing is forgotten while the server is away');
  double.put('b', { color: 'blue' });
  await double.up();
  await until(() => names(cache).includes('b'));
  assert.deepEqual(changes, ['added default/a >red', 'added default/b >blue']);
  await until(() => cache.lastError === undefined);
});

test('a black-holed link is noticed within its idle time, and nothing is missed', async () => {
  const clock = fakeClock();
  const ports = { log: silentLogger, clock };
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using link = await LossyLink.before(double.url);
  await using client = clientAt({ url: `https://127.0.0.1:${link.port}` }, ports);
  double.put('a', { color: 'red' });
  const { cache } = openRows(client, ports);
  await using opened = cache;
  await opened.synced;
  await until(() => double.watching === 1);
  link.freeze();
  double.put('b');
  await clock.advance(10_000);
  assert.deepEqual(names(cache), ['a']);
  for (let i = 0; i < 30 && !names(cache).includes('b'); i += 1) await clock.advance(10_000);
  assert.deepEqual(names(cache), ['a', 'b']);
});

test('of a quiet kind bookmarks alone keep the place: an older history may be forgotten, nothing is listed again', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  double.put('a', { color: 'red' });
  const { cache, changes } = openRows(client);
  await using opened = cache;
  await opened.synced;
  await until(() => double.watching === 1);
  const watches = (): (string | null)[] =>
    double.requests
      .filter(({ query }) => query.get('watch') === 'true')
      .map(({ query }) => query.get('resourceVersion'));
  const lists = (): number =>
    double.requests.filter(({ path, query }) => path.endsWith('/configmaps') && query.get('watch') !== 'true').length;
  const [listed, watched] = [lists(), watches().length];

  double.compact('leave-watchers');
  double.bookmark();
  const place = String(double.version);
  await until(() => cache.resourceVersion === place);
  double.endWatches();
  await until(() => double.watching === 1);

  assert.deepEqual(watches().slice(watched), [place]);
  assert.equal(lists(), listed);
  double.put('b', { color: 'blue' });
  await until(() => changes.length === 2);
  assert.deepEqual(changes, ['added default/a >red', 'added default/b >blue']);
});

test('an outage of the list, the watch, and broken answers are survived', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  double.put('a');
  let left = 9;
  double.intercept = ({ path }, response) => {
    if (!path.endsWith('/configmaps') || left === 0) return false;
    left -= 1;
    if (left % 3 === 0) send(response, 500, status(500, 'InternalError', { message: 'boom' }));
    else if (left % 3 === 1) response.end('{"kind":"List","items":[{"metadata":');
    else response.end('}}}} no json');
    return true;
  };
  const { cache } = openRows(client);
  await using opened = cache;
  await opened.synced;
  assert.deepEqual(names(cache), ['a']);
});

test('a kind that is taken away has no objects, and comes back with them', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  double.put('a', { color: 'red' });
  const { cache, changes } = openRows(client);
  await using opened = cache;
  await opened.synced;
  await until(() => double.watching === 1);
  double.served = false;
  double.endWatches();
  await until(() => cache.size === 0);
  assert.deepEqual(changes, ['added default/a >red', 'deleted default/a red>']);
  double.served = true;
  await until(() => cache.size === 1);
});

test('stops at once, before its first list too', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientAt(double);
  double.intercept = ({ path }) => path.endsWith('/configmaps');
  const { cache } = openRows(client);
  const waiting = assert.rejects(cache.synced, /stopped/);
  await settle();
  await cache.stop();
  await waiting;
});
