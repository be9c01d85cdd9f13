import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, isRecord, parseJson, silentLogger, systemClock, type KubeObject } from '@tiphys/api';
import {
  connect,
  holdLease,
  KubeError,
  loadKubeconfig,
  openCache,
  type KubeClient,
  type WatchEvent,
} from '@tiphys/kube';

/** What of a cluster the suite needs: any kubeconfig will do. */
export type ClientWorld = Readonly<{
  kubeconfig: string;
  /** Folder of the kubeconfig. */
  baseDir: string;
  /** A namespace of the suite's own, which is there. */
  namespace: string;
}>;

const ports = { log: silentLogger, clock: systemClock };
const manager = { fieldManager: 'client-suite' };
const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' };
const deployments = { group: 'apps', version: 'v1', kind: 'Deployment' };
const pods = { group: '', version: 'v1', kind: 'Pod' };

async function fails(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => assert.fail('should have failed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KubeError, String(error));
  return error;
}

async function soon<T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const endMs = performance.now() + 30_000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    assert.ok(performance.now() < endMs, `not within 30 s: ${what}`);
    await sleep(50);
  }
}

const must = <T>(value: T | undefined): T => {
  assert.ok(value !== undefined);
  return value;
};

/** The API semantics that the product relies on, through its client. */
export function clientSuite(world: ClientWorld): void {
  const { namespace } = world;
  const open = (): KubeClient =>
    connect(
      loadKubeconfig(world.kubeconfig, { baseDir: world.baseDir }),
      { qps: 1_000, burst: 1_000, userAgent: 'tiphys-client-suite' },
      ports,
    );
  const configMap = (
    name: string,
    data: Record<string, string> = {},
    labels: Record<string, string> = {},
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
    data,
  });
  const refTo = (name: string) => ({ gvk: configMaps, namespace, name });
  const deployment = (name: string, replicas = 1): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }] },
      },
    },
  });

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

  test('creates, reads, replaces and deletes; says what is wrong by code', async () => {
    await using client = open();
    const made = await client.create(configMap('crud', { a: '1' }));
    assert.ok((made.metadata.uid ?? '') !== '' && (made.metadata.resourceVersion ?? '') !== '');
    assert.equal((await fails(client.create(configMap('crud')))).code, 'kube/already-exists');
    assert.deepEqual(await client.get(refTo('crud')), made);
    assert.equal(await client.get(refTo('absent')), undefined);
    const changed = await client.replace({ ...made, data: { a: '2' } });
    assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion);
    assert.equal((await fails(client.replace({ ...made, data: { a: '3' } }))).code, 'kube/conflict');
    const lost = { ...configMap('x'), metadata: { name: 'x', namespace: `${namespace}-absent` } };
    const error = await fails(client.create(lost));
    assert.equal(error.code, 'kube/not-found');
    assert.match(error.message, /-absent/);
    assert.equal((await fails(client.create(configMap('Not A Name')))).code, 'kube/invalid');
    const stale = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
    assert.equal((await fails(client.delete(refTo('crud'), stale))).code, 'kube/conflict');
    assert.equal(await client.delete(refTo('crud'), { preconditions: { uid: must(made.metadata.uid) } }), 'deleted');
    assert.equal(await client.delete(refTo('crud')), 'absent');
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

  test('server-side apply: owns what it says, names the owner in a conflict, takes it by force, gives up what it no longer says', async () => {
    await using client = open();
    const first = await client.apply(configMap('applied', { a: '1', b: '1' }), { fieldManager: 'one' });
    assert.deepEqual(first['data'], { a: '1', b: '1' });
    const again = await client.apply(configMap('applied', { a: '1', b: '1' }), { fieldManager: 'one' });
    assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion, 'an equal apply changes nothing');
    const conflict = await fails(client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two' }));
    assert.equal(conflict.code, 'kube/conflict');
    assert.deepEqual(
      conflict.detail.causes.map(({ field, reason }) => ({ field, reason })),
      [{ field: '.data.a', reason: 'FieldManagerConflict' }],
    );
    assert.match(conflict.detail.causes[0]?.message ?? '', /conflict with "one"/);
    await client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two', force: true });
    const without = await client.apply(configMap('applied', {}), { fieldManager: 'one' });
    assert.deepEqual(without['data'], { a: '2' });
    const managers = must(without.metadata.managedFields).map(
      ({ manager: name, operation }) => `${name ?? ''} ${operation ?? ''}`,
    );
    assert.ok(managers.includes('two Apply'), managers.join());
  });

  test('the patch types do what their standards say', async () => {
    await using client = open();
    await client.create(configMap('patched', { a: '1', b: '1' }));
    const merged = await client.patch(refTo('patched'), { type: 'merge', body: { data: { a: null, c: '3' } } });
    assert.deepEqual(merged['data'], { b: '1', c: '3' });
    const json = await client.patch(refTo('patched'), {
      type: 'json',
      body: [
        { op: 'test', path: '/data/b', value: '1' },
        { op: 'move', from: '/data/b', path: '/data/d' },
      ],
    });
    assert.deepEqual(json['data'], { c: '3', d: '1' });
    const untrue = await fails(
      client.patch(refTo('patched'), { type: 'json', body: [{ op: 'test', path: '/data/c', value: 'no' }] }),
    );
    assert.equal(untrue.code, 'kube/invalid');
    const ref = { gvk: deployments, namespace, name: 'strategic' };
    await client.create(deployment('strategic', 0));
    const body = {
      spec: { template: { spec: { containers: [{ name: 'second', image: 'registry.example/side:1' }] } } },
    };
    const both = await client.patch(ref, { type: 'strategic', body });
    const containers = at(both, 'spec', 'template', 'spec', 'containers');
    assert.ok(Array.isArray(containers));
    assert.deepEqual(containers.map((one: unknown) => at(one, 'name')).toSorted(), ['main', 'second']);
    const replaced = await client.patch(ref, { type: 'merge', body });
    assert.equal(at(replaced, 'spec', 'template', 'spec', 'containers', 'length'), undefined);
    assert.deepEqual(
      at(replaced, 'spec', 'template', 'spec', 'containers', 1),
      undefined,
      'a merge patch replaces lists',
    );
    assert.equal((await fails(client.patch(refTo('absent'), { type: 'merge', body: {} }))).code, 'kube/not-found');
    await client.delete(ref);
  });

  test('a dry run answers as if, and changes nothing', async () => {
    await using client = open();
    const dry = { dryRun: true, ...manager };
    assert.equal((await client.create(configMap('dry', { a: '1' }), dry)).metadata.name, 'dry');
    assert.equal(await client.get(refTo('dry')), undefined);
    const real = await client.create(configMap('dry', { a: '1' }));
    assert.deepEqual((await client.apply(configMap('dry', { a: '1', z: '9' }), { ...dry, force: true }))['data'], {
      a: '1',
      z: '9',
    });
    await client.delete(refTo('dry'), { dryRun: true });
    assert.deepEqual(await client.get(refTo('dry')), real);
    assert.equal((await fails(client.create(deployment('Bad Name'), dry))).code, 'kube/invalid');
  });

  test('unknown fields are refused under Strict and told under Warn', async () => {
    await using client = open();
    const right = deployment('strict', 0);
    const wrong = { ...right, spec: { ...(isRecord(right['spec']) ? right['spec'] : {}), replica: 1 } };
    const error = await fails(client.create(wrong, { fieldValidation: 'Strict', dryRun: true }));
    assert.equal(error.code, 'kube/invalid');
    assert.match(error.message, /unknown field "spec\.replica"/);
    const warnings: string[] = [];
    await client.create(wrong, { fieldValidation: 'Warn', dryRun: true, onWarning: (text) => warnings.push(text) });
    assert.deepEqual(warnings, ['unknown field "spec.replica"']);
  });

  test('subresources: status apart from spec, scale', async () => {
    await using client = open();
    const ref = { gvk: deployments, namespace, name: 'sub' };
    await client.create(deployment('sub', 0));
    const status = await client.patch(ref, {
      type: 'merge',
      body: { status: { observedGeneration: 77 }, spec: { paused: true } },
      subresource: 'status',
    });
    assert.equal(at(status, 'spec', 'paused'), undefined, 'the status door leaves the spec alone');
    const scale = must(await client.get(ref, { subresource: 'scale' }));
    assert.deepEqual([scale.kind, at(scale, 'spec', 'replicas') ?? 0], ['Scale', 0]);
    await client.patch(ref, { type: 'merge', body: { spec: { replicas: 2 } }, subresource: 'scale' });
    assert.equal(at(await client.get(ref), 'spec', 'replicas'), 2);
    await client.delete(ref);
  });

  test('deletion: finalizers hold, foreground waits for the dependents, orphans stay', async () => {
    await using client = open();
    const held = { ...configMap('held'), metadata: { name: 'held', namespace, finalizers: ['tiphys.dev/hold'] } };
    await client.create(held);
    assert.equal(await client.delete(refTo('held')), 'deleting');
    assert.ok((await client.get(refTo('held')))?.metadata.deletionTimestamp !== undefined);
    await client.patch(refTo('held'), { type: 'merge', body: { metadata: { finalizers: null } } });
    assert.equal(await client.get(refTo('held')), undefined);

    const replicaSets = await client.resourceFor({ group: 'apps', version: 'v1', kind: 'ReplicaSet' });
    const ownedBy = async (name: string): Promise<KubeObject[]> =>
      (await client.list(replicaSets, { namespace, labelSelector: `app=${name}` })).items;
    for (const [name, propagationPolicy] of [
      ['front', 'Foreground'],
      ['back', 'Background'],
      ['orphan', 'Orphan'],
    ] as const) {
      const ref = { gvk: deployments, namespace, name };
      await client.create(deployment(name));
      await soon(`${name} has its replica set`, async () => (await ownedBy(name))[0]);
      const outcome = await client.delete(ref, { propagationPolicy });
      assert.equal(outcome, propagationPolicy === 'Background' ? 'deleted' : 'deleting', propagationPolicy);
      await soon(`${name} is gone`, async () => ((await client.get(ref)) === undefined ? true : undefined));
      if (propagationPolicy === 'Orphan') {
        const [left] = await ownedBy(name);
        assert.deepEqual(must(left).metadata.ownerReferences ?? [], []);
        await client.delete({
          gvk: { ...deployments, kind: 'ReplicaSet' },
          namespace,
          name: must(left?.metadata.name),
        });
      } else if (propagationPolicy === 'Foreground') assert.deepEqual(await ownedBy(name), []);
      else await soon('its replica set follows', async () => ((await ownedBy(name)).length === 0 ? true : undefined));
    }
  });

  test('a pod is deleted after its grace period, or at once when told so', async () => {
    await using client = open();
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lone', namespace },
      spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }] },
    };
    await client.create(pod);
    const ref = { gvk: pods, namespace, name: 'lone' };
    await client.delete(ref, { gracePeriodSeconds: 0 });
    await soon('the pod is gone', async () => ((await client.get(ref)) === undefined ? true : undefined));
  });

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

  test('three hundred reads share one connection and finish', async () => {
    await using client = open();
    await client.apply(configMap('read', { a: '1' }), manager);
    const all = await Promise.all(Array.from({ length: 300 }, () => client.get(refTo('read'))));
    assert.ok(all.every((one) => one?.metadata.name === 'read'));
  });
}
