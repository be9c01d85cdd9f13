import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, listAt, stringAt } from '@tiphys/api';
import {
  configMap,
  customResourceDefinition,
  deployment,
  job,
  manifest,
  secret,
  service,
  workload,
} from './harness/manifests.ts';
import { saysOf, toldOf } from './harness/application.ts';
import type { Recorder } from './harness/recorder.ts';
import type { World } from './harness/world.ts';

const slow = { duration: '1s' } as const;

type Moment = readonly [id: string, isSo?: (object: KubeObject) => boolean];

const hasCondition =
  (type: string) =>
  (object: KubeObject): boolean =>
    listAt(object, 'status', 'conditions').some(
      (condition) => stringAt(condition, 'type') === type && stringAt(condition, 'status') === 'True',
    );
const isComplete = hasCondition('Complete');
const isAvailable = hasCondition('Available');

/** That each moment came after the one before it. */
function assertOrder(record: Recorder, moments: readonly Moment[]): void {
  const seen = moments.map(([id, isSo]) => ({
    what: `${id} ${isSo === undefined ? 'is made' : 'is done'}`,
    at: record.first(id, isSo),
  }));
  for (const { what, at } of seen) assert.ok(at !== undefined, `${what}: never`);
  const inOrder = seen.toSorted((a, b) => ((a.at ?? 0n) < (b.at ?? 0n) ? -1 : 1));
  assert.deepEqual(
    inOrder.map(({ what }) => what),
    seen.map(({ what }) => what),
  );
}

/** Phases and waves. */
export function waveTests(world: World): void {
  test('SYNC-05 SYNC-01 SYNC-13 SYNC-19 PreSync waves, Sync, health, PostSync come in exactly this order', async (t) => {
    const objects = [
      job('smoke-test', { hook: 'PostSync', ...slow }),
      deployment('page', slow),
      job('load', { hook: 'PreSync', wave: 0, ...slow }),
      job('migrate', { hook: 'PreSync', wave: -1, ...slow }),
      job('notify', { hook: 'SyncFail' }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    const record = await scene.record('Job', 'Deployment');
    await scene.createAutomated();

    const view = await scene.untilSettled();

    assert.deepEqual(record.created, ['Job/migrate', 'Job/load', 'Deployment/page', 'Job/smoke-test']);
    // Each begins only when what comes before it has ended: by the API server's own count of changes, not by any clock.
    assertOrder(record, [
      ['Job/migrate', isComplete],
      ['Job/load'],
      ['Job/load', isComplete],
      ['Deployment/page'],
      ['Deployment/page', isAvailable],
      ['Job/smoke-test'],
      ['Job/smoke-test', isComplete],
    ]);
    const hooks = view.results.filter(({ id }) => id.startsWith('Job/'));
    assert.deepEqual(
      hooks.map(({ id, syncPhase, hookPhase }) => `${id} ${syncPhase} ${hookPhase}`),
      ['Job/migrate PreSync Succeeded', 'Job/load PreSync Succeeded', 'Job/smoke-test PostSync Succeeded'],
    );
  });

  test('SYNC-07 SYNC-08 a wave begins when every workload of the one before it is Available', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [
        deployment('one', { ...slow, wave: 0 }),
        deployment('two', { duration: '2s', wave: 0 }),
        deployment('three', { ...slow, wave: 1 }),
        configMap('last', {}, { wave: 2 }),
      ],
    });
    const record = await scene.record('Deployment', 'ConfigMap');
    await scene.createAutomated();
    await scene.untilSettled();
    for (const earlier of ['Deployment/one', 'Deployment/two'])
      assertOrder(record, [
        [earlier, isAvailable],
        ['Deployment/three'],
        ['Deployment/three', isAvailable],
        ['ConfigMap/last'],
      ]);
  });

  test('SYNC-02 SYNC-06 a failed PreSync hook ends the operation before a Sync resource is touched', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': deployment('page') });
    await scene.create();
    await scene.sync();
    const { metadata } = await scene.live('Deployment/page');
    const migrate = job('migrate', { hook: 'PreSync', outcome: 'fail', ...slow });
    const changed = deployment('page', { image: 'registry.example/app:2' });
    const revision = await scene.repository.commit({ 'app/a.yaml': [migrate, changed] });
    await scene.until('sees the commit', (view) => view.revision === revision);

    const view = await scene.sync();

    assert.equal(view.phase, 'Failed');
    assert.match(toldOf(view), /migrate/);
    assert.equal((await scene.live('Deployment/page')).metadata['generation'], metadata['generation']);
    assert.equal(view.history.length, 1);
  });

  test('SYNC-03 SYNC-15 PostSync waits for the health of every Sync resource, and the operation says for which', async (t) => {
    const objects = [deployment('page', { outcome: 'never-ready' }), job('smoke-test', { hook: 'PostSync' })];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    await scene.createAutomated();

    await scene.until(
      'waits for the Deployment',
      (view) => view.phase === 'Running' && /Deployment.*page/.test(toldOf(view)),
    );
    await scene.stays('still waits', (view) => view.phase === 'Running');
    assert.equal(await scene.get('Job/smoke-test'), undefined);
  });

  test('SYNC-04 SYNC-16 SYNC-25 a failed PostSync hook fails the operation, SyncFail runs, and health stays what it is', async (t) => {
    const notify = job('notify', { hook: 'SyncFail' });
    const scene = await world.scene(t, {
      'app/a.yaml': [deployment('page'), job('smoke-test', { hook: 'PostSync' }), notify],
    });
    await scene.create();
    assert.equal((await scene.sync()).phase, 'Succeeded');
    assert.equal(await scene.get('Job/notify'), undefined);

    await scene.repository.commit({
      'app/a.yaml': [deployment('page'), job('smoke-test', { hook: 'PostSync', outcome: 'fail' }), notify],
    });
    await scene.refresh();
    const view = await scene.sync();

    assert.equal(view.phase, 'Failed');
    assert.match(toldOf(view), /smoke-test/);
    assert.equal(view.results.find(({ id }) => id === 'Job/notify')?.hookPhase, 'Succeeded');
    await scene.live('Job/notify');
    await scene.until('Synced, Healthy', (seen) => seen.sync === 'Synced' && seen.health === 'Healthy');
  });

  test('SYNC-16 a SyncFail hook that fails itself changes nothing but the message', async (t) => {
    const objects = [
      job('migrate', { hook: 'PreSync', outcome: 'fail' }),
      job('notify', { hook: 'SyncFail', outcome: 'fail' }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), ...objects] });
    await scene.create();
    const view = await scene.sync();
    assert.equal(view.phase, 'Failed');
    assert.deepEqual(view.results.map(({ id, hookPhase }) => `${id} ${hookPhase}`).toSorted(), [
      'Job/migrate Failed',
      'Job/notify Failed',
    ]);
    assert.match(view.message, /migrate[\s\S]*SyncFail hook .*notify failed too/);
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('SYNC-07 SYNC-09 ANN-01 waves ascend: the documented layout from -2 to 2', async (t) => {
    const rules = { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] };
    const backend = { service: { name: 'page', port: { number: 80 } } };
    const paths = [{ path: '/', pathType: 'Prefix', backend }];
    const scaled = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'page' };
    const objects = [
      manifest('autoscaling/v2 HorizontalPodAutoscaler', 'page', {
        wave: 2,
        body: { spec: { maxReplicas: 2, scaleTargetRef: scaled } },
      }),
      manifest('networking.k8s.io/v1 Ingress', 'page', {
        wave: 2,
        body: { spec: { rules: [{ http: { paths } }] } },
      }),
      deployment('page', { wave: 1 }),
      job('migrate', { wave: 0 }),
      secret('password', { password: 'x' }, { wave: -1 }),
      configMap('settings', {}, { wave: -1 }),
      manifest('rbac.authorization.k8s.io/v1 Role', 'reader', { wave: -2, body: rules }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    const record = await scene.record('ConfigMap', 'Secret', 'Job', 'Deployment', 'Ingress');
    await scene.createAutomated();

    await scene.until('Succeeded', (view) => view.phase === 'Succeeded' && view.sync === 'Synced');

    const own = record.created.filter((id) => !id.includes('kube-root-ca'));
    assert.deepEqual(own, ['Secret/password', 'ConfigMap/settings', 'Job/migrate', 'Deployment/page', 'Ingress/page']);
    assert.equal((await scene.view()).resources.length, objects.length);
  });

  test('ANN-01 a wave that is no integer counts as 0, with a warning that names the object', async (t) => {
    const objects = [
      configMap('odd', {}, { wave: 'soon' }),
      configMap('before', {}, { wave: -1 }),
      configMap('later', {}, { wave: 1 }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    const record = await scene.record('ConfigMap');
    await scene.createAutomated();
    await scene.until('warned', ({ conditions }) =>
      conditions.some(({ message }) => /odd/.test(message) && /soon/.test(message)),
    );
    await scene.untilSettled();
    const own = record.created.filter((id) => !id.includes('kube-root-ca'));
    assert.deepEqual(own, ['ConfigMap/before', 'ConfigMap/odd', 'ConfigMap/later']);
  });

  const gates = [
    {
      held: deployment('held', { outcome: 'never-ready' }),
      phase: 'Running',
      what: 'still progressing holds wave 1',
    },
    { held: deployment('held', {}, { paused: true }), phase: 'Running', what: 'Suspended holds wave 1' },
    { held: job('held', { outcome: 'fail' }), phase: 'Failed', what: 'Degraded fails the operation before wave 1' },
  ];
  for (const { held, phase, what } of gates) {
    test(`SYNC-08 a resource of wave 0 that is ${what}; the message names it`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': [held, configMap('later', {}, { wave: 1 })] });
      await scene.create();
      await scene.until('compared', (view) => view.sync !== '');
      await scene.request();
      await scene.until(`${phase} naming it`, (view) => view.phase === phase && view.message.includes('held'));
      await scene.stays(phase, (view) => view.phase === phase);
      assert.equal(await scene.get('ConfigMap/later'), undefined);
    });
  }

  for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'])
    test(`SYNC-08 HEALTH-03 HEALTH-04 a wave that changes a ${kind} waits for its new pods, not for what its status said before`, async (t) => {
      const files = (outcome: 'succeed' | 'never-ready', value: string) => ({
        'app/a.yaml': [workload(kind)('page', { outcome, wave: 0 }), configMap('later', { key: value }, { wave: 1 })],
      });
      const scene = await world.scene(t, files('succeed', 'one'));
      await scene.create();
      assert.equal((await scene.sync()).phase, 'Succeeded');
      const revision = await scene.repository.commit(files('never-ready', 'two'));
      await scene.until('sees the commit', (view) => view.revision === revision);
      await scene.request();
      await scene.until('waits for it', (view) => view.phase === 'Running' && view.message.includes('page'));
      await scene.stays('waits', (view) => view.phase === 'Running');
      assert.deepEqual(await scene.data('later'), { key: 'one' });
    });

  test('SYNC-10 inside a wave the order is by kind: a namespace and what is in it, a ConfigMap before its Deployment', async (t) => {
    const scene = await world.scene(t);
    const made = scene.adoptNamespace(`${scene.name}-made`);
    const objects = [
      service('page'),
      deployment('page'),
      configMap('z-settings'),
      configMap('inside', {}, { namespace: made }),
      manifest('v1 Namespace', made),
    ];
    await scene.repository.commit({ 'app/a.yaml': objects });
    const record = await scene.record('ConfigMap', 'Service', 'Deployment');
    await scene.createAutomated();
    await scene.untilSettled();
    assert.deepEqual(
      record.created.filter((id) => !id.includes('kube-root-ca')),
      ['ConfigMap/z-settings', 'Service/page', 'Deployment/page'],
    );
    await scene.live('ConfigMap/inside', { namespace: made });
  });

  test('SYNC-36 a definition and its instance in one sync, without an option', async (t) => {
    const scene = await world.scene(t);
    const group = `${scene.name}.example.com`;
    const instance = manifest(`${group}/v1 Widget`, 'one', { body: { spec: { size: 1 } } });
    await scene.repository.commit({
      'app/a.yaml': [instance, scene.adoptDefinition(customResourceDefinition(group, 'Widget'))],
    });
    await scene.createAutomated();
    await scene.untilSettled();
    await scene.live('Widget/one', { gvk: { group, version: 'v1', kind: 'Widget' } });
  });

  for (const option of ['', 'SkipDryRunOnMissingResource=true']) {
    test(`SYNC-36 SYNC-45 a kind that is nowhere is an error that names it ${option}`, async (t) => {
      const nowhere = manifest('nowhere.example.com/v1 Gadget', 'one', option === '' ? {} : { options: option });
      const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), nowhere] });
      await scene.create();
      const view = await scene.sync();
      assert.equal(view.phase, 'Failed');
      assert.match(
        saysOf(view),
        /nowhere\.example\.com\/Gadget|Gadget.*nowhere\.example\.com|nowhere\.example\.com\/v1.*Gadget/,
      );
      // With the option the preflight passes, and the rest of the sync is real.
      assert.equal((await scene.get('ConfigMap/a')) === undefined, option === '');
    });
  }
}
