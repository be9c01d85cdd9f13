import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, parseJson } from '@tiphys/api';
import type { WatchEvent } from '@tiphys/kube';
import { configMaps, deployments, fails, manager, must, type Corner } from './corner.ts';

/** What is served, lists and watches. */
export function readingTests(corner: Corner): void {
  const { namespace, open, configMap, refTo } = corner;

  test('says its version and what it serves', async () => {
    await using client = open();
    assert.match((await client.version()).gitVersion, /^v1\.\d+/);
    const discovery = await client.discovery();
    assert.deepEqual(discovery.failedGroups, []);
    for (const [name, plural, namespaced] of [
      ['deploy', 'deployments', true],
      ['ns', 'namespaces', false],
      ['cm', 'configmaps', true],
      ['ingresses.networking.k8s.io', 'ingresses', true],
      ['customresourcedefinition', 'customresourcedefinitions', false],
    ] as const) {
      const found = must(discovery.byName(name));
      assert.deepEqual([found.plural, found.namespaced, found.preferred], [plural, namespaced, true], name);
    }
    const deploy = must(discovery.find(deployments));
    assert.deepEqual(deploy.subresources.toSorted(), ['scale', 'status']);
    for (const verb of ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'])
      assert.ok(deploy.verbs.includes(verb));
    assert.equal(discovery.byGroupKind({ group: 'batch', kind: 'Job' })?.version, 'v1');
    assert.equal(
      (await fails(client.resourceFor({ group: 'nowhere.example', version: 'v1', kind: 'X' }))).code,
      'kube/kind-not-found',
    );
  });

  test('lists in pages: all of one snapshot, by label, by field, metadata alone', async () => {
    await using client = open();
    await Promise.all(
      Array.from({ length: 23 }, (_, i) =>
        client.create(configMap(`page-${i}`, { i: String(i) }, { page: String(i % 2) })),
      ),
    );
    const resource = await client.resourceFor(configMaps);
    const whole = await client.list(resource, { namespace, labelSelector: 'page', pageSize: 0 });
    const paged = await client.list(resource, { namespace, labelSelector: 'page', pageSize: 5 });
    assert.equal(paged.items.length, 23);
    assert.deepEqual(paged.items, whole.items);
    assert.deepEqual(paged.items[0], await client.get(refTo(must(paged.items[0]?.metadata.name))));
    assert.equal((await client.list(resource, { namespace, labelSelector: 'page=1' })).items.length, 11);
    assert.equal(
      (await client.list(resource, { namespace, labelSelector: 'page notin (1)' })).items.filter(
        (one) => one.metadata.labels?.['page'] === '0',
      ).length,
      12,
    );
    const byField = await client.list(resource, { namespace, fieldSelector: 'metadata.name=page-7' });
    assert.deepEqual(
      byField.items.map((one) => one['data']),
      [{ i: '7' }],
    );
    const bare = await client.list(resource, { namespace, labelSelector: 'page', pageSize: 10, metadataOnly: true });
    assert.equal(bare.items.length, 23);
    assert.deepEqual(Object.keys(must(bare.items[0])).toSorted(), ['apiVersion', 'kind', 'metadata']);
    assert.deepEqual([bare.items[0]?.apiVersion, bare.items[0]?.kind], ['v1', 'ConfigMap']);
    const one = await client.get(refTo('page-3'), { metadataOnly: true });
    assert.deepEqual([one?.kind, one?.metadata.name, one?.['data']], ['ConfigMap', 'page-3', undefined]);
  });

  test('a watch begins at a version, tells changes in order, deletions with the last state, and bookmarks', async () => {
    await using client = open();
    const resource = await client.resourceFor(configMaps);
    const labelSelector = 'watched=yes';
    const { resourceVersion } = await client.list(resource, { namespace, labelSelector });
    const labels = { watched: 'yes' };
    await client.create(configMap('watched', { n: '1' }, labels));
    await client.create(configMap('unwatched', { n: '1' }));
    await client.patch(refTo('watched'), { type: 'merge', body: { data: { n: '2' } } });
    await client.delete(refTo('watched'));
    const leaving = await client.create(configMap('leaving', {}, labels));
    await client.patch(refTo('leaving'), { type: 'merge', body: { metadata: { labels: { watched: 'no' } } } });
    const events: WatchEvent[] = [];
    // The server ends it: a bookmark comes at the end of a stream, whatever its usual interval is.
    const options = { namespace, labelSelector, resourceVersion, timeoutSeconds: 3 };
    for await (const event of client.watch(resource, options)) events.push(event);
    const told = events.flatMap((event) =>
      event.type === 'bookmark'
        ? []
        : [`${event.type} ${must(event.object.metadata.name)} ${JSON.stringify(event.object['data'] ?? {})}`],
    );
    assert.deepEqual(told, [
      'added watched {"n":"1"}',
      'modified watched {"n":"2"}',
      'deleted watched {"n":"2"}',
      'added leaving {}',
      'deleted leaving {}',
    ]);
    assert.ok(events.every(({ resourceVersion: version }) => version !== ''));
    assert.notEqual(events.at(-1)?.resourceVersion, leaving.metadata.resourceVersion);
    const later: WatchEvent[] = [];
    for await (const event of client.watch(resource, {
      ...options,
      resourceVersion: must(events.at(-1)).resourceVersion,
      timeoutSeconds: 1,
    }))
      later.push(event);
    assert.deepEqual(
      later.filter(({ type }) => type !== 'bookmark'),
      [],
      'nothing is told twice',
    );
  });

  test('a watch of metadata tells metadata alone', async () => {
    await using client = open();
    const resource = await client.resourceFor(configMaps);
    const { resourceVersion } = await client.list(resource, { namespace });
    await client.create(configMap('bare', { n: '1' }));
    const options = {
      namespace,
      resourceVersion,
      metadataOnly: true,
      timeoutSeconds: 1,
      fieldSelector: 'metadata.name=bare',
    };
    for await (const event of client.watch(resource, options))
      if (event.type !== 'bookmark')
        assert.deepEqual(
          [event.object.kind, event.object.metadata.name, event.object['data']],
          ['ConfigMap', 'bare', undefined],
        );
  });

  test('a version that never was, or is long gone, is expired or refused, and never silence', async () => {
    await using client = open();
    const resource = await client.resourceFor(configMaps);
    const consume = async (): Promise<void> => {
      for await (const { type } of client.watch(resource, {
        namespace,
        resourceVersion: 'nonsense',
        timeoutSeconds: 2,
      }))
        assert.equal(type, 'bookmark');
    };
    assert.match((await fails(consume())).code, /^kube\/(invalid|server-error)$/);
    // What a cache asks after an outage: a server that was started afresh must admit that it has not seen this version.
    const ahead = await client.request({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      query: {
        resourceVersion: '999999999999',
        resourceVersionMatch: 'NotOlderThan',
        fieldSelector: 'metadata.name=-',
        limit: 1,
      },
    });
    assert.equal(ahead.status, 504);
    const status = parseJson(ahead.body.toString());
    assert.equal(at(status, 'details', 'causes', 0, 'reason'), 'ResourceVersionTooLarge');
  });

  test('three hundred reads share one connection and finish', async () => {
    await using client = open();
    await client.apply(configMap('read', { a: '1' }), manager);
    const all = await Promise.all(Array.from({ length: 300 }, () => client.get(refTo('read'))));
    assert.ok(all.every((one) => one?.metadata.name === 'read'));
  });
}
