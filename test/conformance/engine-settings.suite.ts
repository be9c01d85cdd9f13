import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, stringAt } from '@tiphys/api';
import { chartFiles, serveCharts } from './harness/chart-repository.ts';
import { configMap, job } from './harness/manifests.ts';
import { annotationOf, applicationKind } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

/** Has the API server refuse every update of one Application until it is disposed of. */
async function denyUpdates({ cluster: { client } }: World, name: string): Promise<AsyncDisposable> {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name };
  const rule = {
    apiGroups: ['argoproj.io'],
    apiVersions: ['v1alpha1'],
    operations: ['UPDATE'],
    resources: ['applications'],
  };
  const validations = [{ expression: `request.name != '${name}'`, reason: 'Forbidden', message: 'not now' }];
  const spec = { failurePolicy: 'Fail', matchConstraints: { resourceRules: [rule] }, validations };
  await client.create({ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec });
  const binding = { policyName: name, validationActions: ['Deny'] };
  await client.create({ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: binding });
  const group = 'admissionregistration.k8s.io';
  const remove = (kind: string) => client.delete({ gvk: { group, version: 'v1', kind }, name }).catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      await remove('ValidatingAdmissionPolicyBinding');
      await remove('ValidatingAdmissionPolicy');
    },
  };
}

/** What needs settings of its own, or counts what the controller does. */
export function settingTests(world: World): void {
  test('REC-16 a controller that was stopped or killed is followed at once by the next one of its machine', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();
    const lost = (): number => world.controller.count('lease lost; nothing is written until it is held again');
    const before = lost();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await world.controller.stop(signal);
      world.controller.start();
      const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: signal }) });
      // A Lease that is waited for takes 15 s.
      await scene.untilSettled(revision, { timeoutMs: 10_000 });
    }
    assert.equal(lost(), before);
  });

  test('REC-16 an operation that had begun waits for a source that cannot be read for a moment', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [job('migrate', { hook: 'PreSync', duration: '3s' }), configMap('a')],
    });
    const record = await scene.record('Job');
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request();
    await scene.until('runs its hook', (view) => view.results.some(({ id }) => id === 'Job/migrate'));
    await world.controller.stop('SIGKILL');
    await world.controller.loseCaches();
    await scene.repository.goAway();
    world.controller.start();
    await scene.until('waits', (view) => view.phase === 'Running' && view.waitingFor.includes('source-unreadable'));
    assert.equal(await scene.get('ConfigMap/a'), undefined);
    await scene.repository.comeBack();
    const view = await scene.until('ended', (seen) => seen.phase !== 'Running' && !seen.requested);
    assert.equal(view.phase, 'Succeeded');
    assert.deepEqual(record.created, ['Job/migrate']);
    await scene.live('ConfigMap/a');
  });

  test('REC-12 a status that could not be stored is stored by the next try, not at the next interval', async (t) => {
    if (world.cluster.kind === 'embedded') {
      t.skip('it has no admission policies');
      return;
    }
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.create();
    await scene.sync();
    await using _denied = await denyUpdates(world, scene.name);
    await until('updates are denied', async () => {
      const denied = await scene.patchApplication({ metadata: { labels: { try: 'x' } } }).then(
        () => false,
        () => true,
      );
      return denied ? { is: true } : { seen: 'they are not' };
    });
    const failures = world.controller.count('reconcile failed');
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    await world.controller.untilLogged('a pass fails', () => world.controller.count('reconcile failed') > failures);
    await _denied[Symbol.asyncDispose]();
    await scene.until('OutOfSync', (view) => view.sync === 'OutOfSync', { timeoutMs: 30_000 });
  });

  test('REC-17 no more comparisons and operations are under way than configured', async (t) => {
    await world.controller.stop();
    await world.setParameters(t, { 'controller.status.processors': '3', 'controller.operation.processors': '2' });
    world.controller.start();
    const scene = await world.scene(t);
    // Whoever compares or syncs asks a chart repository of its own; the server counts how many do at once.
    await using charts = await serveCharts('served', ['1.0.0', '2.0.0'], chartFiles('one'));
    charts.slowDown(300);
    const names = Array.from({ length: 8 }, (_, index) => `${scene.name}-${index}`);
    for (const [index, name] of names.entries()) {
      const namespace = scene.adoptNamespace(name);
      await scene.createNamespace(namespace);
      const source = { repoURL: `${charts.url}/${index}`, chart: 'served', path: undefined, targetRevision: '2.0.0' };
      await scene.create({ name, source, destination: { namespace } });
    }
    await Promise.all(names.map((name) => scene.until('compared', (view) => view.sync === 'OutOfSync', { name })));
    assert.equal(charts.peak(), 3, 'comparisons');

    await Promise.all(
      names.map(async (name) => {
        const view = await scene.sync({ revision: '1.0.0' }, { name });
        assert.equal(view.phase, 'Succeeded');
      }),
    );
    assert.equal(charts.peak(), 2, 'operations');

    await world.controller.stop();
    t.after(() => world.controller.start());
  });

  test('CFG-02 a source that takes too long is an error that names the setting', async (t) => {
    await world.setParameters(t, { 'controller.repo.server.timeout.seconds': '2' });
    const scene = await world.scene(t);
    await using charts = await serveCharts('served', ['1.0.0'], chartFiles('one'));
    charts.slowDown(6_000);
    const source = { repoURL: charts.url, chart: 'served', path: undefined, targetRevision: '1.0.0' };
    await scene.createAutomated({ source });
    await scene.untilCondition('ComparisonError', /within 2 s[\s\S]*controller\.repo\.server\.timeout\.seconds/);
    charts.slowDown(0);
    await scene.untilSettled('1.0.0');
  });

  test('APP-01 Applications of other namespaces count when application.namespaces names them, and no others', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const { client } = world.cluster;
    const place = (name: string): string => `${scene.name}-${name}`;
    const statusOf = async (namespace: string): Promise<string> => {
      const object = await client.get({ gvk: applicationKind, namespace, name: 'guest' });
      return stringAt(object, 'status', 'sync', 'status') ?? '';
    };
    const untilSynced = (namespace: string): Promise<unknown> =>
      until(`${namespace} is Synced`, async () => {
        const seen = await statusOf(namespace);
        return seen === 'Synced' ? { is: true } : { seen };
      });
    const keyOf = async (namespace: string): Promise<unknown> =>
      at(await scene.get('ConfigMap/a', { namespace: `${namespace}-objects` }), 'data', 'key');
    for (const namespace of [place('team-one'), place('team-two'), place('stranger')]) {
      await scene.createNamespace(namespace);
      await scene.createNamespace(`${namespace}-objects`);
      const object = scene.application({ destination: { namespace: `${namespace}-objects` }, automated: {} });
      await client.create({ ...object, metadata: { name: 'guest', namespace } });
    }
    await scene.createAutomated();
    await scene.untilSettled();
    assert.equal(await statusOf(place('team-one')), '');

    await world.setParameters(t, { 'application.namespaces': `${place('team-*')}, elsewhere` });
    await Promise.all([untilSynced(place('team-one')), untilSynced(place('team-two'))]);
    const object = await scene.live('ConfigMap/a', { namespace: `${place('team-one')}-objects` });
    assert.match(annotationOf(object, 'argocd.argoproj.io/tracking-id') ?? '', /team-one_guest:/);
    assert.equal(await statusOf(place('stranger')), '');

    await world.setParameters(t, { 'application.namespaces': place('team-one') });
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    await scene.untilObject('ConfigMap/a', 'is changed', (live) => at(live, 'data', 'key') === 'two');
    await until('the first team follows', async () => {
      const seen = await keyOf(place('team-one'));
      return seen === 'two' ? { is: true } : { seen: String(seen) };
    });
    assert.deepEqual([await keyOf(place('team-two')), await statusOf(place('stranger'))], ['one', '']);

    await world.setParameters(t, {});
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'three' }) });
    await scene.untilObject('ConfigMap/a', 'is changed', (live) => at(live, 'data', 'key') === 'three');
    await scene.stays('nobody else', () => true, { timeoutMs: 1000 });
    assert.equal(await keyOf(place('team-one')), 'two');
  });

  test('REC-03 REC-13 a refresh uses what was rendered, a hard one renders anew', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();
    const before = world.controller.count('rendered');
    await scene.refresh();
    assert.equal(world.controller.count('rendered') - before, 0);
    await scene.refresh('hard');
    await world.controller.untilLogged('rendered once', () => world.controller.count('rendered') === before + 1);
    await scene.untilSettled();
  });

  test('REC-15 a source that fails for a moment keeps the verdict for the grace period, and is told after it', async (t) => {
    await world.setParameters(t, { 'controller.repo.error.grace.period.seconds': '6' });
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    const settled = await scene.untilSettled();

    await scene.repository.goAway();
    await scene.until('waits for its source', (view) => view.waitingFor.includes('source-unreadable'));
    await scene.stays(
      'the verdict',
      (view) =>
        view.sync === 'Synced' &&
        view.health === 'Healthy' &&
        view.revision === settled.revision &&
        view.conditions.length === 0,
    );
    const view = await scene.until('Unknown', (seen) => seen.sync === 'Unknown');
    assert.ok(view.conditions.some(({ type }) => type === 'ComparisonError'));
    assert.equal(view.waitingFor, '');

    await scene.repository.comeBack();
    await scene.untilSettled();
    // Never compared before, it has no verdict to keep.
    const name = `${scene.name}-new`;
    await scene.create({ name, source: { repoURL: 'file:///no/such/repository' } });
    await scene.until('Unknown', (seen) => seen.sync === 'Unknown', { name, timeoutMs: 4000 });
  });
}
