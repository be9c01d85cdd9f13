import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type KubeObject } from '@tiphys/api';
import { holdLease, openCache, KubeError } from '@tiphys/kube';
import { configMaps, fails, manager, must, ports, soon, type Corner } from './corner.ts';

/** What the client is used for: kinds that come, caches, Leases. */
export function partsTests(corner: Corner): void {
  const { namespace, open, configMap, refTo } = corner;

  test('a new kind is found as soon as its definition is served, and its 64-bit integers survive', async () => {
    await using client = open();
    const group = `${namespace}.example.com`;
    const crd: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'] },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    const crdRef = {
      gvk: { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
      name: `widgets.${group}`,
    };
    const gvk = { group, version: 'v1', kind: 'Widget' };
    const widget: KubeObject = {
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name: 'w', namespace },
      big: 9_223_372_036_854_775_807n,
    };
    assert.equal((await fails(client.create(widget))).code, 'kube/kind-not-found');
    await client.apply(crd, manager);
    try {
      const made = await soon('the kind is served', () =>
        client.create(widget).catch((error: unknown) => {
          assert.ok(
            error instanceof KubeError && ['kube/kind-not-found', 'kube/not-found'].includes(error.code),
            String(error),
          );
          return undefined;
        }),
      );
      assert.equal(made['big'], 9_223_372_036_854_775_807n);
      const resource = must((await client.discovery()).byName('wd'));
      assert.equal((await client.list(resource, { namespace })).items[0]?.['big'], 9_223_372_036_854_775_807n);
      await using cache = openCache(
        client,
        { resource, namespace, project: (one) => one.metadata.name, backoff: { firstMs: 100, maxMs: 1_000 } },
        ports,
      );
      await cache.synced;
      assert.deepEqual(cache.list(), ['w']);
      await client.delete(crdRef);
      await soon('the cache has forgotten the kind', () => (cache.size === 0 ? true : undefined));
      const error = await soon('the kind is gone', () =>
        client.get({ gvk, namespace, name: 'w' }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        ),
      );
      assert.ok(error instanceof KubeError && error.code === 'kube/kind-not-found', String(error));
    } finally {
      await client.delete(crdRef);
    }
  });

  test('a cache shows what is there, and every change', async () => {
    await using client = open();
    const resource = await client.resourceFor(configMaps);
    const project = ({ metadata, ...rest }: KubeObject) => ({ name: metadata.name ?? '', n: at(rest, 'data', 'n') });
    const options = { resource, namespace, labelSelector: 'cached=yes', project, pageSize: 4 };
    const labels = { cached: 'yes' };
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => client.create(configMap(`cached-${i}`, { n: '0' }, labels))),
    );
    await using cache = openCache(client, options, ports);
    const changes: string[] = [];
    cache.onChange(({ kind, key }) => changes.push(`${kind} ${key.name}`));
    await cache.synced;
    assert.equal(cache.size, 10);
    changes.length = 0;
    await client.patch(refTo('cached-3'), { type: 'merge', body: { data: { n: '1' } } });
    await client.delete(refTo('cached-4'));
    await client.create(configMap('cached-x', { n: '2' }, labels));
    await soon('three changes', () => (changes.length >= 3 ? true : undefined));
    assert.deepEqual(changes, ['updated cached-3', 'deleted cached-4', 'added cached-x']);
    assert.deepEqual(cache.get({ namespace, name: 'cached-3' }), { name: 'cached-3', n: '1' });
  });

  test('a Lease has one holder, and passes on when given back', async () => {
    await using client = open();
    const timing = { durationMs: 4_000, renewMs: 500, marginMs: 1_000 };
    const hold = (identity: string) => holdLease({ client, namespace, name: 'owner', identity, ...timing }, ports);
    const one = hold('one');
    await soon('one holds it', () => (one.held() ? true : undefined));
    await using two = hold('two');
    await sleep(1_500);
    assert.deepEqual([one.held(), two.held(), two.holder], [true, false, 'one']);
    const epoch = must(one.epoch);
    await one.release();
    await soon('two holds it', () => (two.held() ? true : undefined));
    assert.ok(must(two.epoch) > epoch);
  });
}
