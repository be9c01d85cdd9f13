import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { at, stringAt, type KubeObject } from '@tiphys/api';
import { startKubeSim } from '../index.ts';
import { call } from '../testing/client.ts';
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
  const maps = '/api/v1/namespaces/default/configmaps';
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

test('20,000 objects: list, pages and a watch', async () => {
  await using sim = await startKubeSim({
    controllers: 'off',
    objects: Array.from({ length: 20_000 }, (_, i) => ({ ...map(`m-${i}`), metadata: { name: `m-${i}` } })),
  });
  const start = performance.now();
  const all = await call(sim, '/api/v1/configmaps');
  const listMs = performance.now() - start;
  const page = await call(sim, '/api/v1/configmaps?limit=500');

  assert.equal(at(all.body, 'items', 'length') ?? (at(all.body, 'items') as unknown[]).length, sim.count('configmaps'));
  assert.equal(at(page.body, 'metadata', 'remainingItemCount'), sim.count('configmaps') - 500);
  assert.ok(listMs < 5000, `a list of 20,000 took ${listMs} ms`);
});

test('a first page after a write costs no sort of everything', async () => {
  const objects = Array.from({ length: 20_000 }, (_, i) => ({ ...map(`m-${i}`), metadata: { name: `m-${i}` } }));
  await using sim = await startKubeSim({ controllers: 'off', objects });
  const maps = '/api/v1/namespaces/default/configmaps';
  const rounds = 50;
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    await call(sim, maps, { method: 'POST', body: map(`new-${i}`) });
    await call(sim, `${maps}?limit=1`);
  }
  const eachMs = (performance.now() - start) / rounds;

  // With a sort it was 40 ms on an idle machine; without one it is 3.
  assert.ok(eachMs < 30, `a create and a page of 20,000 took ${eachMs} ms`);
});
