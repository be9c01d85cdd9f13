import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, type KubeObject, listAt, stringAt } from '@tiphys/api';
import { saysOf, toldOf } from './harness/application.ts';
import { configMap, customResourceDefinition, deployment, job, manifest } from './harness/manifests.ts';
import { managersOf } from './harness/scene.ts';
import type { World } from './harness/world.ts';

const ten = Array.from({ length: 10 }, (_, index) => configMap(`c${index}`));
const selector = (value: string) => ({
  selector: { matchLabels: { app: 'page', edition: value } },
  template: {
    metadata: { labels: { app: 'page', edition: value } },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  },
});

/** Sync options, of the application and of single objects. */
export function optionTests(world: World): void {
  test('SYNC-32 CreateNamespace makes the destination; without it the error names the option', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const namespace = scene.adoptNamespace(`${scene.name}-new`);
    await scene.create({ destination: { namespace } });
    const refused = await scene.sync();
    assert.equal(refused.phase, 'Failed');
    assert.match(saysOf(refused), /CreateNamespace=true/);

    await scene.patchApplication({ spec: { syncPolicy: { syncOptions: ['CreateNamespace=true'] } } });
    await scene.until('takes the option', (view) => view.sync !== '');
    const view = await scene.sync();
    assert.equal(view.phase, 'Succeeded');
    assert.deepEqual(await scene.data('a', namespace), { key: 'one' });
    const [row] = listAt(view.object, 'status', 'operationState', 'syncResult', 'resources');
    assert.deepEqual(row, {
      group: '',
      version: 'v1',
      kind: 'Namespace',
      namespace: '',
      name: namespace,
      status: 'Synced',
      message: `namespace/${namespace} created`,
      hookPhase: 'Succeeded',
      syncPhase: 'PreSync',
    });
  });

  test('SYNC-32 managedNamespaceMetadata labels and annotates the namespace', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const namespace = scene.adoptNamespace(`${scene.name}-new`);
    const managedNamespaceMetadata = { labels: { team: 'harbour' }, annotations: { 'example.com/owner': 'pilot' } };
    const syncPolicy = { automated: {}, syncOptions: ['CreateNamespace=true'], managedNamespaceMetadata };
    await scene.create({ destination: { namespace }, spec: { syncPolicy } });
    await scene.untilSettled();
    const { metadata } = await scene.live(`Namespace/${namespace}`);
    assert.equal(metadata.labels?.['team'], 'harbour');
    assert.equal(metadata.annotations?.['example.com/owner'], 'pilot');

    const others = { labels: { team: 'bridge' }, annotations: { 'example.com/owner': 'pilot' } };
    await scene.patchApplication({ spec: { syncPolicy: { automated: null, managedNamespaceMetadata: others } } });
    const differs = await scene.until('OutOfSync, though no object is', ({ sync }) => sync === 'OutOfSync');
    assert.deepEqual(
      differs.resources.map(({ status }) => status),
      ['Synced'],
    );
    await scene.patchApplication({ spec: { syncPolicy: { automated: {} } } });
    await scene.untilSettled();
    assert.equal((await scene.live(`Namespace/${namespace}`)).metadata.labels?.['team'], 'bridge');
  });

  for (const { options, applied } of [
    { options: ['ApplyOutOfSyncOnly=true'], applied: 1 },
    { options: [], applied: 10 },
  ]) {
    test(`SYNC-33 of ten objects one changed: ${applied} applied with [${options.join()}], and the hook`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': ten, 'app/hook.yaml': job('migrate', { hook: 'PreSync' }) });
      await scene.create({ syncOptions: options });
      await scene.sync();
      const revision = await scene.repository.commit({
        'app/a.yaml': [...ten.slice(1), configMap('c0', { key: 'two' })],
      });
      await scene.until('one differs', (view) => view.revision === revision && view.sync === 'OutOfSync');
      const view = await scene.sync();
      assert.equal(view.results.filter(({ id }) => id.startsWith('ConfigMap/')).length, applied);
      assert.equal(view.results.find(({ id }) => id === 'Job/migrate')?.hookPhase, 'Succeeded');
      assert.deepEqual(await scene.data('c0'), { key: 'two' });
    });
  }

  test('SYNC-34 server-side apply: its own manager, objects too large for the annotation, conflicts won and named', async (t) => {
    const large = configMap('large', { key: 'x'.repeat(300_000) });
    const scene = await world.scene(t, { 'app/a.yaml': [large, configMap('shared', { key: 'from Git' })] });
    const other = {
      ...configMap('shared', { key: 'of another' }),
      metadata: { name: 'shared', namespace: scene.namespace },
    };
    await world.cluster.client.apply(other, { fieldManager: 'another-tool' });
    await scene.create({ syncOptions: ['ServerSideApply=true'] });

    const view = await scene.sync();

    assert.equal(view.phase, 'Succeeded', saysOf(view));
    const live = await scene.live('ConfigMap/large');
    assert.ok(managersOf(live).includes('argocd-controller:Apply'), managersOf(live).join());
    assert.equal(
      stringAt(live, 'metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'),
      undefined,
    );
    assert.deepEqual(await scene.data('shared'), { key: 'from Git' });
    assert.match(view.results.find(({ id }) => id === 'ConfigMap/shared')?.message ?? '', /another-tool/);
  });

  test('SYNC-34 SYNC-42 ANN-04 the annotation of an object chooses for that object alone', async (t) => {
    const objects = [
      configMap('server-side', {}, { options: 'ServerSideApply=true' }),
      configMap('client-side'),
      deployment('forced', { options: 'Force=true' }, selector('one')),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    await scene.create();
    assert.equal((await scene.sync()).phase, 'Succeeded');
    const managers = async (name: string): Promise<string[]> => managersOf(await scene.live(`ConfigMap/${name}`));
    assert.deepEqual(await managers('server-side'), ['argocd-controller:Apply']);
    assert.deepEqual(await managers('client-side'), ['argocd-controller:Update']);
    const { metadata } = await scene.live('Deployment/forced');

    const revision = await scene.repository.commit({
      'app/a.yaml': [...objects.slice(0, 2), deployment('forced', { options: 'Force=true' }, selector('two'))],
    });
    await scene.until('sees the commit', (view) => view.revision === revision);
    const view = await scene.sync();
    assert.equal(view.phase, 'Succeeded', saysOf(view));
    assert.notEqual((await scene.live('Deployment/forced')).metadata.uid, metadata.uid);
  });

  test('SYNC-38 ANN-04 an unknown option, or value, in an annotation is warned about with object and nearest name', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a', {}, { options: 'Prun=false' }), configMap('b', {}, { options: 'Prune=flase' })],
    });
    await scene.createAutomated();
    await scene.untilCondition('SpecWarning', /ConfigMap \S*\/a: unknown sync option "Prun=false".*Prune/);
    const view = await scene.untilCondition('SpecWarning', /ConfigMap \S*\/b: .*Prune takes .*"flase"/);
    assert.equal(view.conditions.length, 2, toldOf(view));
    await scene.untilSettled();
  });

  test('SYNC-38 an unknown option is kept, and warned about with the nearest known name', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ syncOptions: ['CreateNameSpace=true'] });
    const view = await scene.untilSays(/CreateNameSpace[\s\S]*CreateNamespace/);
    await scene.untilSettled();
    assert.deepEqual(at(view.object, 'spec', 'syncPolicy', 'syncOptions'), ['CreateNameSpace=true']);
  });

  test('SYNC-42 an immutable field changes only with force', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': deployment('page', {}, selector('one')) });
    await scene.create();
    await scene.sync();
    const { metadata } = await scene.live('Deployment/page');
    const revision = await scene.repository.commit({ 'app/a.yaml': deployment('page', {}, selector('two')) });
    await scene.until('sees the commit', (view) => view.revision === revision);

    const refused = await scene.sync();
    assert.equal(refused.phase, 'Failed');
    assert.match(saysOf(refused), /immutable/);
    assert.equal((await scene.live('Deployment/page')).metadata.uid, metadata.uid);

    const forced = await scene.sync({ syncStrategy: { hook: { force: true } } });
    assert.equal(forced.phase, 'Succeeded', saysOf(forced));
    const live = await scene.live('Deployment/page');
    assert.notEqual(live.metadata.uid, metadata.uid);
    assert.equal(at(live, 'spec', 'selector', 'matchLabels', 'edition'), 'two');
  });

  // `--force` deletes what cannot be updated: an object that cannot be created either would be gone.
  for (const { wrong, body, said } of [
    { wrong: 'a value that is not allowed', body: { replicas: -1 }, said: /spec\.replicas/ },
    {
      wrong: 'an immutable field and a value that is not allowed',
      body: { ...selector('two'), replicas: -1 },
      said: /spec\.replicas/,
    },
    { wrong: 'a value of another type', body: { replicas: 'three' }, said: /replicas/ },
    { wrong: 'a field that nobody knows', body: { replicaz: 3 }, said: /replicaz/ },
  ]) {
    test(`SYNC-42 with force an object whose manifest has ${wrong} stays`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': deployment('page', {}, selector('one')) });
      await scene.create();
      await scene.sync();
      const { metadata } = await scene.live('Deployment/page');
      const revision = await scene.repository.commit({
        'app/a.yaml': deployment('page', {}, { ...selector('one'), ...body }),
      });
      await scene.until('sees the commit', (view) => view.revision === revision);

      const view = await scene.sync({ syncStrategy: { hook: { force: true } } });

      assert.equal(view.phase, 'Failed');
      assert.match(saysOf(view), said);
      assert.equal((await scene.live('Deployment/page')).metadata.uid, metadata.uid);
    });
  }

  test('SYNC-42 with force a definition that cannot be changed stays, and with it all that it defines', async (t) => {
    const scene = await world.scene(t);
    const group = `${scene.name}.example.com`;
    const definition = scene.adoptDefinition(
      customResourceDefinition(group, 'Widget', { options: 'Force=true,Replace=true' }),
    );
    const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'precious' } };
    await scene.repository.commit({ 'app/crd.yaml': definition, 'app/a.yaml': widget });
    await scene.create();
    await scene.sync();
    const spec = { ...(at(definition, 'spec') as object), scope: 'Cluster' };
    const revision = await scene.repository.commit({ 'app/crd.yaml': { ...definition, spec } });
    await scene.until('sees the commit', (view) => view.revision === revision);

    const view = await scene.sync();

    assert.equal(view.phase, 'Failed');
    assert.match(saysOf(view), /scope/);
    const kept = await scene.live('Widget/precious', { gvk: { group, version: 'v1', kind: 'Widget' } });
    assert.equal(kept.metadata.deletionTimestamp, undefined);
  });

  test('SYNC-42 what a forced sync has deleted comes back when its successor cannot be created', async (t) => {
    const binding = (role: string, subject: object): KubeObject =>
      manifest('rbac.authorization.k8s.io/v1 RoleBinding', 'readers', {
        body: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role }, subjects: [subject] },
      });
    const known = { kind: 'ServiceAccount', name: 'default', namespace: 'default' };
    const scene = await world.scene(t, { 'app/a.yaml': binding('one', known) });
    await scene.create();
    await scene.sync();
    const revision = await scene.repository.commit({ 'app/a.yaml': binding('two', { ...known, name: 'No Name!' }) });
    await scene.until('sees the commit', (view) => view.revision === revision);

    const view = await scene.sync({ syncStrategy: { hook: { force: true } } });

    assert.equal(view.phase, 'Failed');
    const live = await scene.live('RoleBinding/readers', {
      gvk: { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'RoleBinding' },
    });
    assert.equal(at(live, 'roleRef', 'name'), 'one');
    await scene.until('is tracked as before', ({ resources }) => resources[0]?.status === 'OutOfSync');
  });

  test('SYNC-42 Replace=true replaces an object, and drops what is not in Git', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a', { key: 'one' }, { options: 'Replace=true' }) });
    await scene.create();
    await scene.sync();
    await scene.patch('ConfigMap/a', { data: { added: 'by hand' } });
    assert.equal((await scene.sync()).phase, 'Succeeded');
    assert.deepEqual(await scene.data('a'), { key: 'one' });
  });
}
