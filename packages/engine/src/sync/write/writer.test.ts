import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type KubeObject, systemClock, withTracking } from '@tiphys/api';
import { loadKubeconfigFile } from '@tiphys/kube';
import { openTestCluster, tracking, type TestCluster } from './writer.suite.ts';
import type { PruneTask } from '../types.ts';
import type { WriteContext } from './types.ts';

describe('the one way in which a cluster is changed', () => {
  let cluster: TestCluster;
  before(async () => {
    const kubeconfig = process.env['TIPHYS_TEST_KUBECONFIG'];
    cluster = await openTestCluster(kubeconfig === undefined ? undefined : loadKubeconfigFile(kubeconfig));
  });
  after(() => cluster[Symbol.asyncDispose]());

  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
  let count = 0;
  const fresh = (prefix: string): string => `${prefix}-${(count += 1)}`;
  const configMap = (name: string, data: Record<string, string>, metadata: object = {}): KubeObject =>
    cluster.tracked({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data });
  const options = (text: string): object => ({ annotations: { 'argocd.argoproj.io/sync-options': text } });
  const job = (name: string, annotations: Record<string, string>): KubeObject =>
    cluster.tracked({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, annotations },
      spec: {
        backoffLimit: 0,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } },
      },
    });
  const context = (more: Partial<WriteContext> = {}): WriteContext => ({
    application: 'shop',
    revision: 'r',
    initiatedBy: 'tester',
    pruneCount: 1,
    propagation: 'Background',
    definitions: new Set(),
    namespaces: new Set(),
    dryRun: false,
    signal: AbortSignal.timeout(20_000),
    ...more,
  });
  const pruneTask = (live: KubeObject): PruneTask => ({
    kind: 'prune',
    key: { group: '', kind: 'ConfigMap', namespace: live.metadata.namespace ?? '', name: live.metadata.name ?? '' },
    phase: 'Sync',
    wave: 0,
    live,
    action: 'delete',
    options: {
      apply: 'client-side',
      force: false,
      validate: true,
      prune: 'allow',
      pruneLast: false,
      skipDryRunOnMissingResource: false,
      migrateFrom: undefined,
    },
  });

  test('SYNC-46 create, unchanged, configured: said as kubectl says it', async () => {
    const name = fresh('c');
    assert.deepEqual((await cluster.sync([configMap(name, { a: '1', b: '2' })])).results, [
      `ConfigMap/${name}: configmap/${name} created`,
    ]);
    const before = await cluster.get(configMap(name, {}));
    assert.deepEqual((await cluster.sync([configMap(name, { a: '1', b: '2' })])).results, [
      `ConfigMap/${name}: configmap/${name} unchanged`,
    ]);
    assert.equal((await cluster.get(configMap(name, {})))?.metadata.resourceVersion, before?.metadata.resourceVersion);
    const third = await cluster.sync([configMap(name, { a: '3' })]);
    assert.deepEqual(third.results, [`ConfigMap/${name}: configmap/${name} configured`]);
    const live = await cluster.get(configMap(name, {}));
    assert.deepEqual(live?.['data'], { a: '3' });
    assert.match(live.metadata.annotations?.[lastApplied] ?? '', /^\{.*"a":"3".*\}\n$/);
  });

  test('SYNC-46 what others added stays when our fields change', async () => {
    const name = fresh('c');
    await cluster.sync([configMap(name, { a: '1' })]);
    await cluster.client.patch(
      { gvk: { group: '', version: 'v1', kind: 'ConfigMap' }, namespace: cluster.namespace, name },
      { type: 'merge', body: { data: { theirs: 'x' }, metadata: { labels: { l: 'v' } } } },
    );
    await cluster.sync([configMap(name, { b: '2' })]);
    const live = await cluster.get(configMap(name, {}));
    assert.deepEqual(live?.['data'], { b: '2', theirs: 'x' });
    assert.deepEqual(live.metadata.labels, { l: 'v' });
  });

  test('SYNC-45 one bad manifest among several changes nothing', async () => {
    const good = [1, 2, 3].map((n) => configMap(fresh('good'), { n: String(n) }));
    const bad = cluster.tracked({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: fresh('bad') },
      spec: { ports: [{ port: 99999 }] },
    });
    const { phase, message } = await cluster.sync([...good, bad]);
    assert.equal(phase, 'Failed');
    assert.match(message, /nothing was changed: .*port/);
    for (const object of good) assert.equal(await cluster.get(object), undefined);
  });

  test('SYNC-45 an unknown field is refused, unless Validate=false', async () => {
    const object = (metadata: object): KubeObject => ({ ...configMap(fresh('v'), {}, metadata), dta: { a: '1' } });
    const refused = await cluster.sync([object({})]);
    assert.equal(refused.phase, 'Failed');
    assert.match(refused.message, /unknown field "dta"/);
    assert.equal((await cluster.sync([object(options('Validate=false'))])).phase, 'Succeeded');
  });

  test('SYNC-40 a dry run changes nothing and says what it would do', async () => {
    const object = configMap(fresh('dry'), { a: '1' });
    const { phase, results } = await cluster.sync([object], { dryRun: true });
    assert.equal(phase, 'Succeeded');
    assert.match(results[0] ?? '', /created \(dry run\)$/);
    assert.equal(await cluster.get(object), undefined);
  });

  test('ERR-17 an object of a kind that is nowhere fails and names the kind', async () => {
    const rollout = cluster.tracked({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'r' },
      spec: {},
    });
    const { phase, message, results } = await cluster.sync([configMap(fresh('c'), {}), rollout]);
    assert.equal(phase, 'Failed');
    assert.match(message, /argoproj\.io\/Rollout/);
    assert.match(results[0] ?? '', /Rollout\/r: .*CustomResourceDefinition/);
  });

  test('SYNC-36 a definition and its object in one sync', async () => {
    const plural = fresh('widgets').replace('-', '');
    const kind = `W${plural}`;
    const definition: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.example.com` },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    const object = cluster.tracked({ apiVersion: 'example.com/v1', kind, metadata: { name: 'w' }, spec: { size: 1 } });
    const { phase, results, message } = await cluster.sync([object, definition]);
    assert.equal(phase, 'Succeeded', message);
    assert.deepEqual(
      results.map((line) => line.split(': ')[1]),
      [
        `customresourcedefinition.apiextensions.k8s.io/${plural}.example.com created`,
        `${kind.toLowerCase()}.example.com/w created`,
      ],
    );
  });

  test('SYNC-32 a missing namespace: created when asked, else the message names the option', async () => {
    const name = fresh(`${cluster.namespace}-x`);
    const objects = ['a', 'b'].map((one) =>
      withTracking({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: one, namespace: name } }, 'shop', tracking),
    );
    const refused = await cluster.sync(objects, { destinationNamespace: name });
    assert.match(refused.message, /namespaces ".*" not found; add the sync option CreateNamespace=true/);
    const metadata = { labels: { team: 'a' } };
    const made = await cluster.sync(objects, {
      destinationNamespace: name,
      syncOptions: ['CreateNamespace=true'],
      managedNamespaceMetadata: metadata,
    });
    assert.equal(made.phase, 'Succeeded', made.message);
    const live = await cluster.get({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    assert.equal(live?.metadata.labels?.['team'], 'a');
  });

  test('SYNC-10 a namespace and its objects in one sync', async () => {
    const name = fresh(`${cluster.namespace}-y`);
    const space = withTracking({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'shop', tracking);
    const inside = withTracking(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: name } },
      'shop',
      tracking,
    );
    assert.equal((await cluster.sync([inside, space])).phase, 'Succeeded');
  });

  test('SYNC-34 server-side apply takes over conflicting fields and names their owner', async () => {
    const name = fresh('ssa');
    await cluster.client.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: cluster.namespace }, data: { a: 'theirs' } },
      { fieldManager: 'other-tool' },
    );
    const { results, phase } = await cluster.sync([configMap(name, { a: 'ours' })], {
      syncOptions: ['ServerSideApply=true'],
    });
    assert.equal(phase, 'Succeeded');
    assert.match(results[0] ?? '', /serverside-applied \(took over \.data\.a from other-tool\)/);
    const live = await cluster.get(configMap(name, {}));
    assert.deepEqual(live?.['data'], { a: 'ours' });
    assert.equal(live.metadata.annotations?.[lastApplied], undefined);
  });

  test('SYNC-34 fields of an earlier client-side apply are taken over, and go when they leave Git', async () => {
    const name = fresh('migrate');
    await cluster.sync([configMap(name, { a: '1', old: 'x' })]);
    await cluster.sync([configMap(name, { a: '1', old: 'x' })], { syncOptions: ['ServerSideApply=true'] });
    const moved = await cluster.get(configMap(name, {}));
    assert.deepEqual(
      moved?.metadata.managedFields?.map(({ manager, operation }) => `${manager ?? ''} ${operation ?? ''}`),
      ['argocd-controller Apply'],
    );
    await cluster.sync([configMap(name, { a: '1' })], { syncOptions: ['ServerSideApply=true'] });
    const live = await cluster.get(configMap(name, {}));
    assert.deepEqual(live?.['data'], { a: '1' });
    const again = await cluster.sync([configMap(name, { a: '1' })], { syncOptions: ['ServerSideApply=true'] });
    assert.match(again.results[0] ?? '', /unchanged$/);
  });

  test('SYNC-42 an immutable change needs Force', async () => {
    const deployment = (label: string): KubeObject =>
      cluster.tracked({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'immutable' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: label } },
          template: { metadata: { labels: { app: label } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
        },
      });
    assert.equal((await cluster.sync([deployment('a')])).phase, 'Succeeded');
    const refused = await cluster.sync([deployment('b')]);
    assert.equal(refused.phase, 'Failed');
    assert.match(refused.message, /immutable/);
    const forced = await cluster.sync([deployment('b')], { force: true });
    assert.equal(forced.phase, 'Succeeded', forced.message);
    assert.match(forced.results[0] ?? '', /deployment\.apps\/immutable deleted and created/);
  });

  test('SYNC-46 Replace=true puts the object as it stands in Git', async () => {
    const name = fresh('replace');
    await cluster.sync([configMap(name, { a: '1', b: '2' })]);
    const { results } = await cluster.sync([configMap(name, { a: '2' }, options('Replace=true'))]);
    assert.match(results[0] ?? '', /replaced$/);
    const live = await cluster.get(configMap(name, {}));
    assert.deepEqual(live?.['data'], { a: '2' });
  });

  test('SYNC-46 a binding whose role changed is made anew', async () => {
    const binding = (role: string): KubeObject =>
      cluster.tracked({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'bound' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: cluster.namespace }],
      });
    await cluster.sync([binding('view')]);
    const { phase, message } = await cluster.sync([binding('edit')]);
    assert.equal(phase, 'Succeeded', message);
    assert.equal(((await cluster.get(binding('edit')))?.['roleRef'] as { name: string }).name, 'edit');
  });

  test('SYNC-27 SYNC-28 prune deletes what is ours, and nothing else', async () => {
    const ours = configMap(fresh('old'), {});
    await cluster.sync([ours]);
    const skipped = await cluster.sync([], {}, [ours]);
    assert.match(skipped.results[0] ?? '', /ignored \(requires pruning\)/);
    const pruned = await cluster.sync([], { prune: true }, [ours]);
    assert.deepEqual([pruned.phase, pruned.results.map((line) => line.split(': ')[1])], ['Succeeded', ['pruned']]);
    // Foreground deletion is finished by the garbage collector.
    const deadline = Date.now() + 10_000;
    while ((await cluster.get(ours)) !== undefined && Date.now() < deadline) await systemClock.sleep(50);
    assert.equal(await cluster.get(ours), undefined);
  });

  test('SYNC-28 an object whose mark changed since the comparison is not deleted', async () => {
    const object = configMap(fresh('taken'), {});
    await cluster.sync([object]);
    const seen = await cluster.get(object);
    assert.ok(seen);
    const foreign = withTracking(
      { ...object, metadata: { name: object.metadata.name ?? '', namespace: cluster.namespace } },
      'other',
      tracking,
    );
    await cluster.client.apply(foreign, { fieldManager: 'argocd-controller', force: true });
    const written = await cluster.writer().prune(pruneTask(seen), context());
    assert.equal(written.kind, 'failed');
    assert.match(written.message, /it belongs to other/);
    assert.ok(await cluster.get(object));
  });

  test('SYNC-28 an object that was made anew since the comparison is not deleted', async () => {
    const object = configMap(fresh('again'), {});
    await cluster.sync([object]);
    const seen = await cluster.get(object);
    assert.ok(seen);
    const ref = {
      gvk: { group: '', version: 'v1', kind: 'ConfigMap' },
      namespace: cluster.namespace,
      name: object.metadata.name ?? '',
    };
    await cluster.client.delete(ref);
    await cluster.client.create(object);
    assert.equal((await cluster.writer().prune(pruneTask(seen), context())).kind, 'done');
    assert.ok(await cluster.get(object));
  });

  test('SYNC-28 a patch holds to the look before it: what another application took meanwhile is left alone', async () => {
    const patches = [
      { type: 'merge', body: { data: { key: 'new' } } },
      { type: 'strategic', body: { data: { key: 'new' } } },
      { type: 'json', body: [{ op: 'replace', path: '/data/key', value: 'new' }] },
    ] as const;
    for (const patch of patches) {
      const object = configMap(fresh('patched'), { key: 'old' });
      await cluster.sync([object]);
      const seen = await cluster.get(object);
      assert.ok(seen);
      const { annotations } = withTracking(seen, 'other', tracking).metadata;
      const meddled: typeof cluster.client = {
        ...cluster.client,
        patch: async (ref, one, how) => {
          await cluster.client.patch(ref, { type: 'merge', body: { metadata: { annotations } } });
          return cluster.client.patch(ref, one, how);
        },
      };
      const written = await cluster.writer({ client: meddled }).patch(seen, patch, context());
      assert.match(written.message, /is not patched: it belongs to other$/, patch.type);
      assert.deepEqual((await cluster.get(object))?.['data'], { key: 'old' });
    }
  });

  test('a patch is made again on an object that somebody else changed meanwhile', async () => {
    const object = configMap(fresh('patched'), { key: 'old' });
    await cluster.sync([object]);
    const seen = await cluster.get(object);
    assert.ok(seen);
    let looks = 0;
    const meddled: typeof cluster.client = {
      ...cluster.client,
      get: async (ref, how) => {
        const found = await cluster.client.get(ref, how);
        looks += 1;
        if (looks === 1) await cluster.client.patch(ref, { type: 'merge', body: { data: { theirs: 'x' } } });
        return found;
      },
    };
    const patch = { type: 'json', body: [{ op: 'replace', path: '/data/key', value: 'new' }] } as const;
    const written = await cluster.writer({ client: meddled }).patch(seen, patch, context());
    assert.equal(written.kind, 'done', written.message);
    assert.equal(looks, 2);
    assert.deepEqual((await cluster.get(object))?.['data'], { key: 'new', theirs: 'x' });
  });

  test('SAFE-01 the budget, read-only mode and a lost lease stop writes', async () => {
    const object = configMap(fresh('guarded'), {});
    await cluster.sync([object]);
    const seen = await cluster.get(object);
    assert.ok(seen);
    const over = await cluster.writer({}, { maxPrune: 2 }).prune(pruneTask(seen), context({ pruneCount: 3 }));
    assert.match(over.message, /would delete 3 objects, and at most 2/);
    await assert.rejects(cluster.writer({}, { readOnly: true }).prune(pruneTask(seen), context()), {
      code: 'sync/read-only',
    });
    const lost = cluster.writer({ mayWrite: () => ({ code: 'lease-lost', message: 'the lease is lost' }) });
    await assert.rejects(lost.prune(pruneTask(seen), context()), {
      code: 'sync/not-owner',
      message: 'the lease is lost',
    });
    assert.ok(await cluster.get(object));
  });

  test('CORE-03 every write, and nothing else, is one record', async () => {
    const object = configMap(fresh('ledger'), { a: '1' });
    const before_ = cluster.records.length;
    await cluster.sync([object]);
    await cluster.sync([object]);
    const mine = cluster.records.slice(before_);
    assert.deepEqual(
      mine.map(({ action, outcome, application, initiatedBy, key }) => [
        action,
        outcome,
        application,
        initiatedBy,
        key.name,
      ]),
      [['create', 'done', 'shop', 'tester', object.metadata.name]],
    );
  });

  test('SYNC-05 SYNC-22 hooks run around the sync and go by their policy', async () => {
    const first = job(fresh('pre'), {
      'argocd.argoproj.io/hook': 'PreSync',
      'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
    });
    const last = job(fresh('post'), { 'argocd.argoproj.io/hook': 'PostSync' });
    const { phase, message, steps } = await cluster.sync([last, configMap(fresh('c'), {}), first]);
    assert.equal(phase, 'Succeeded', message);
    assert.deepEqual(
      steps.filter((step) => step.startsWith('run')),
      ['run PreSync 0', 'run Sync 0', 'run PostSync 0'],
    );
    // In the foreground: a real garbage collector takes it away a moment later.
    const left = await cluster.get(first);
    assert.ok(left === undefined || left.metadata.deletionTimestamp !== undefined);
    const kept = await cluster.get(last);
    assert.ok(kept);
    assert.equal(kept.metadata.finalizers?.includes('argocd.argoproj.io/hook-finalizer') ?? false, false);
  });

  test('SYNC-21 a second sync runs a hook of fixed name anew', async () => {
    const hook = job(fresh('again'), { 'argocd.argoproj.io/hook': 'PreSync' });
    await cluster.sync([hook, configMap(fresh('c'), {})]);
    const firstUid = (await cluster.get(hook))?.metadata.uid;
    const { phase, message } = await cluster.sync([hook, configMap(fresh('c'), {})]);
    assert.equal(phase, 'Succeeded', message);
    const secondUid = (await cluster.get(hook))?.metadata.uid;
    assert.ok(firstUid !== undefined && secondUid !== undefined && firstUid !== secondUid);
  });

  test('SYNC-46 an object that stands already is taken up, not refused', async () => {
    const object = configMap(fresh('stood'), { a: '1' });
    await cluster.client.create({
      ...object,
      metadata: { name: object.metadata.name ?? '', namespace: cluster.namespace },
      data: { a: '0', b: '1' },
    });
    const key = { group: '', kind: 'ConfigMap', namespace: cluster.namespace, name: object.metadata.name ?? '' };
    const task = {
      ...pruneTask(object),
      kind: 'apply' as const,
      key,
      object,
      change: 'create' as const,
      live: undefined,
    };
    const written = await cluster.writer().apply(task, context());
    assert.match(written.message, /configured$/);
    assert.deepEqual((await cluster.get(object))?.['data'], { a: '1', b: '1' });
  });
});
