import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../index.ts';
import { call, watchUntil } from '../testing/client.ts';
import { ObjectStore } from './object-store.ts';
import { memoryJournal } from './journal.ts';

const map = (name: string, value = ''): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid: name },
  data: { value },
});

const values = (objects: readonly KubeObject[] | undefined) =>
  objects?.map((object) => `${object.metadata.name ?? ''}=${stringAt(object, 'data', 'value') ?? ''}`);

test('a list at an earlier revision shows what was there then', () => {
  const store = new ObjectStore(memoryJournal(), { historyLength: 100 });
  store.put('configmaps', map('a', '1'));
  store.put('configmaps', map('b', '1'));
  const then = store.revision;
  store.put('configmaps', map('a', '2'));
  store.remove({ resource: 'configmaps', namespace: 'default', name: 'b' });
  store.put('configmaps', map('c', '2'));

  assert.deepEqual(values(store.listAt('configmaps', then)), ['a=1', 'b=1']);
  assert.deepEqual(values(store.list('configmaps')), ['a=2', 'c=2']);
});

test('the history is bounded, and knows how far it reaches', () => {
  const store = new ObjectStore(memoryJournal(), { historyLength: 10 });
  const start = store.revision;
  for (let i = 0; i < 100; i++) store.put('configmaps', map('a', String(i)));

  assert.equal(store.since(start), undefined);
  assert.equal(store.since(store.revision - 5)?.length, 5);
  assert.equal(store.listAt('configmaps', start), undefined);
});

test('state, token and certificate survive a restart, and versions go on', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-sim-'));
  const stateFile = path.join(folder, 'cluster.db');
  try {
    const first = await startKubeSim({ stateFile });
    const made = await call(first, maps, { method: 'POST', body: { ...map('kept'), metadata: { name: 'kept' } } });
    await assert.rejects(startKubeSim({ stateFile }), /cluster\.db: cannot be opened/);
    const before = first.kubeconfig().replace(first.url, '');
    await first.stop();

    await using second = await startKubeSim({ stateFile });
    const kept = await call(second, `${maps}/kept`);
    const next = await call(second, maps, { method: 'POST', body: { ...map('next'), metadata: { name: 'next' } } });

    assert.deepEqual(kept.body, made.body);
    assert.equal(second.kubeconfig().replace(second.url, ''), before);
    assert.ok(
      Number(at(next.body, 'metadata', 'resourceVersion')) > Number(at(made.body, 'metadata', 'resourceVersion')),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const maps = '/api/v1/namespaces/default/configmaps';
const many = Array.from({ length: 20_000 }, (_, i) => ({ ...map(`m-${i}`), metadata: { name: `m-${i}` } }));

/** How long one of so many rounds takes, in ms. */
async function eachMs(rounds: number, round: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < rounds; i++) await round(i);
  return (performance.now() - start) / rounds;
}

/** Creates, changes and deletes one object. */
async function write(sim: KubeSim, i: number): Promise<void> {
  await call(sim, maps, { method: 'POST', body: map(`n-${i}`) });
  const type = 'application/merge-patch+json';
  await call(sim, `${maps}/n-${i}`, { method: 'PATCH', type, body: { data: { value: 'new' } } });
  await call(sim, `${maps}/n-${i}`, { method: 'DELETE' });
}

for (const kept of ['in memory', 'in SQLite'] as const)
  test(`20,000 objects ${kept}: list, pages, a watch and writes`, async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-sim-'));
    const stateFile = (name: string) => (kept === 'in SQLite' ? { stateFile: path.join(folder, name) } : {});
    try {
      const first = await startKubeSim({ ...stateFile('many.db'), controllers: 'off', objects: many });
      if (kept === 'in SQLite') await first.stop();
      await using sim =
        kept === 'in SQLite' ? await startKubeSim({ ...stateFile('many.db'), controllers: 'off' }) : first;
      await using few = await startKubeSim({ ...stateFile('few.db'), controllers: 'off' });
      const all = await call(sim, '/api/v1/configmaps');
      const page = await call(sim, '/api/v1/configmaps?limit=500');
      assert.ok(sim.count('configmaps') >= 20_000);
      assert.equal(listAt(all.body, 'items').length, sim.count('configmaps'));
      assert.equal(at(page.body, 'metadata', 'remainingItemCount'), sim.count('configmaps') - 500);

      const version = stringAt(all.body, 'metadata', 'resourceVersion') ?? '';
      const watched = watchUntil(sim, `${maps}?watch=1&resourceVersion=${version}`, ({ length }) => length === 60);
      const ms = await eachMs(20, (i) => write(sim, i));
      assert.deepEqual(
        (await watched).slice(0, 3).map(({ type }) => type),
        ['ADDED', 'MODIFIED', 'DELETED'],
      );
      const fewMs = await eachMs(20, (i) => write(few, i));
      context.diagnostic(`three writes beside 20,000 objects ${ms.toFixed(1)} ms, beside none ${fewMs.toFixed(1)} ms`);
      assert.ok(ms < 10 * fewMs + 50, `three writes took ${ms} ms, and ${fewMs} ms in an empty cluster`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

test('a first page after a write costs no sort of everything', async () => {
  await using sim = await startKubeSim({ controllers: 'off', objects: many });
  await using few = await startKubeSim({ controllers: 'off' });
  const createAndPage = (of: KubeSim) => async (i: number) => {
    await call(of, maps, { method: 'POST', body: map(`new-${i}`) });
    await call(of, `${maps}?limit=1`);
  };
  const fewMs = await eachMs(50, createAndPage(few));
  const ms = await eachMs(50, createAndPage(sim));

  // With a sort it was fourteen times as long.
  assert.ok(ms < 6 * fewMs + 10, `a create and a page of 20,000 took ${ms} ms, and ${fewMs} ms of few`);
});
