import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import type { ApplicationView } from './harness/application.ts';
import { configMap, deployment, job, service } from './harness/manifests.ts';
import { annotationOf, type Scene } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

const settings = (value: string) => configMap('settings', { value });
const page = { 'app/page.yaml': [deployment('page'), service('page'), settings('one')] };

/** From a commit to a healthy cluster, and back when somebody meddles. */
export function thinPathTests(world: World): void {
  test('REC-05 APP-01 a plain application goes to Synced at the compared revision, and Healthy', async (t) => {
    const scene = await world.scene(t, page);
    const revision = await scene.repository.git('rev-parse', 'HEAD');

    await scene.createAutomated();

    const view = await scene.untilSettled(revision);
    assert.equal(view.syncedRevision, revision);
    assert.deepEqual(view.resources.map(({ id, status }) => `${id} ${status}`).toSorted(), [
      'ConfigMap/settings Synced',
      'Deployment/page Synced',
      'Service/page Synced',
    ]);
    const live = await scene.live('Deployment/page');
    assert.equal(
      annotationOf(live, 'argocd.argoproj.io/tracking-id'),
      `${scene.name}:apps/Deployment:${scene.namespace}/page`,
    );
  });

  test('REC-06 without automation a difference is shown and nothing is applied', async (t) => {
    const scene = await world.scene(t, page);

    await scene.create();

    await scene.until('OutOfSync, Missing', (view) => view.sync === 'OutOfSync' && view.health === 'Missing');
    await scene.stays('OutOfSync with no operation', (view) => view.sync === 'OutOfSync' && view.phase === '');
    assert.equal(await scene.get('Deployment/page'), undefined);
  });

  test('REC-07 a new revision that renders differently is applied by an automated operation', async (t) => {
    const scene = await world.scene(t, page);
    await scene.createAutomated();
    await scene.untilSettled();

    const revision = await scene.repository.commit({
      'app/more.yaml': settings('unused'),
      'app/page.yaml': [deployment('page')],
    });

    const view = await scene.until(
      'synced by itself',
      (seen) => seen.syncedRevision === revision && seen.phase === 'Succeeded',
    );
    assert.equal(view.automated, true);
    assert.deepEqual(await scene.data('settings'), { value: 'unused' });
  });

  test('REC-08 automated without self-heal: a manual change stays, and shows', async (t) => {
    const scene = await world.scene(t, page);
    await scene.createAutomated({ automated: { prune: true } });
    await scene.untilSettled();

    await scene.patch('ConfigMap/settings', { data: { value: 'by hand' } });

    await scene.until('OutOfSync', (view) => view.sync === 'OutOfSync');
    await scene.stays('OutOfSync', (view) => view.sync === 'OutOfSync');
    assert.deepEqual(await scene.data('settings'), { value: 'by hand' });

    await scene.repository.commit({ 'app/page.yaml': [deployment('page'), service('page'), settings('two')] });
    await scene.untilSettled();
    assert.deepEqual(await scene.data('settings'), { value: 'two' });
  });

  const meddling: readonly (readonly [
    string,
    string,
    (scene: Scene) => Promise<void>,
    (object?: KubeObject) => boolean,
  ])[] = [
    [
      'edited',
      'ConfigMap/settings',
      (scene) => scene.patch('ConfigMap/settings', { data: { value: 'by hand' } }),
      (object) => at(object, 'data', 'value') === 'one',
    ],
    [
      'scaled',
      'Deployment/page',
      (scene) => scene.patch('Deployment/page', { spec: { replicas: 3 } }),
      (object) => at(object, 'spec', 'replicas') === 1,
    ],
    ['deleted', 'Service/page', (scene) => scene.delete('Service/page'), (object) => object !== undefined],
  ];
  for (const [what, id, meddle, isHealed] of meddling) {
    test(`REC-09 self-heal puts an object that was ${what} back within seconds`, async (t) => {
      const scene = await world.scene(t, page);
      await scene.createAutomated({ automated: { selfHeal: true } });
      const { startedAt } = await scene.untilSettled();
      const start = Date.now();

      await meddle(scene);

      await scene.untilObject(id, 'is as in Git', isHealed);
      assert.ok(Date.now() - start < 15_000, `${Date.now() - start} ms`);
      const isHeal = (view: ApplicationView): boolean => view.phase === 'Succeeded' && view.startedAt !== startedAt;
      const healed = await scene.until('the operation that healed it has ended', isHeal);
      assert.equal(healed.automated, true);
      const attempts = at(healed.object, 'status', 'operationState', 'operation', 'sync', 'autoHealAttemptsCount');
      assert.ok(Number(attempts) >= 1, `the operation counts as a self-heal: ${String(attempts)}`);
      await scene.untilSettled();
    });
  }

  test('REC-10 SYNC-51 a revision that keeps failing is tried limit+1 times, not once per interval', async (t) => {
    const failing = job('migrate', { hook: 'PreSync', outcome: 'fail', duration: '100ms' });
    const scene = await world.scene(t, { 'app/a.yaml': [settings('one'), failing] });
    const jobs = await scene.record('Job');
    await scene.createAutomated({ retry: { limit: 1, backoff: { duration: '1s', factor: 1 } } });

    const failed = await scene.until(
      'Failed after one retry',
      (view) => view.phase === 'Failed' && view.retryCount === 1,
    );
    await scene.refresh('hard');
    await scene.stays('not tried again', (view) => view.startedAt === failed.startedAt && view.phase === 'Failed', {
      timeoutMs: 4000,
    });

    assert.equal(jobs.created.length, 2);
    await scene.untilCondition('SyncError', /Failed last sync attempt/i);
  });

  test('REC-12 the status says all that tools read: sync, health, resources, operation, history, times', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [deployment('page'), job('check', { hook: 'PostSync' })] });
    const revision = await scene.repository.git('rev-parse', 'HEAD');
    await scene.createAutomated();
    const { object, results, history } = await scene.untilSettled(revision);

    const status = object['status'];
    assert.deepEqual(at(status, 'sync', 'comparedTo', 'destination'), at(object, 'spec', 'destination'));
    assert.equal(stringAt(status, 'sync', 'comparedTo', 'source', 'path'), 'app');
    assert.equal(stringAt(status, 'sourceType'), 'Directory');
    assert.ok(listAt(status, 'summary', 'images').includes('registry.example/app:1'));
    assert.equal(stringAt(status, 'controllerNamespace'), world.namespace);
    const times = [
      ['reconciledAt'],
      ['health', 'lastTransitionTime'],
      ['operationState', 'startedAt'],
      ['operationState', 'finishedAt'],
    ];
    for (const path of times)
      assert.match(stringAt(status, ...path) ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, path.join('.'));
    assert.match(stringAt(status, 'operationState', 'message') ?? '', /successfully synced/);
    assert.deepEqual(
      results.map(({ id, status: outcome, syncPhase }) => [id, outcome, syncPhase].join(' ')).toSorted(),
      ['Deployment/page Synced Sync', 'Job/check Synced PostSync'],
    );
    assert.equal(results.find(({ id }) => id === 'Job/check')?.hookPhase, 'Succeeded');
    assert.deepEqual(history, [{ id: 0, revision }]);
    assert.equal(at(status, 'operationState', 'operation', 'initiatedBy', 'automated'), true);
  });

  test('REC-15 a source that cannot be reached gives Unknown with the cause, and touches nothing', async (t) => {
    const scene = await world.scene(t, page);
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();

    await scene.repository.goAway();
    await scene.refresh('hard');

    const view = await scene.until('Unknown', (seen) => seen.sync === 'Unknown');
    assert.ok(
      view.conditions.some(({ type, message }) => type === 'ComparisonError' && message.includes('repository')),
    );
    await scene.stays('Unknown', (seen) => seen.sync === 'Unknown');
    for (const id of ['Deployment/page', 'Service/page', 'ConfigMap/settings']) await scene.live(id);

    await scene.repository.comeBack();
    await scene.refresh();
    const back = await scene.untilSettled();
    assert.deepEqual(
      back.conditions.filter(({ type }) => type === 'ComparisonError'),
      [],
    );
  });

  test('ANN-05 a refresh annotation compares at once and is taken off', async (t) => {
    const scene = await world.scene(t, page);
    await scene.create();
    await scene.until('compared', (view) => view.sync === 'OutOfSync');
    const revision = await scene.repository.commit({ 'app/more.yaml': configMap('more') });

    await scene.refresh();

    const view = await scene.until('compared with the new commit', (seen) => seen.revision === revision);
    assert.ok(view.resources.some(({ id }) => id === 'ConfigMap/more'));
  });

  test('a change of the sync status, and an operation, leave events on the Application', async (t) => {
    const scene = await world.scene(t, page);
    await scene.createAutomated();
    const { revision } = await scene.untilSettled();
    await scene.sync({ resources: [{ kind: 'ConfigMap', name: 'settings' }] });
    await scene.sync({ revision: 'nowhere' });
    await until('an event for each', async () => {
      const seen = await scene.events();
      const wanted = [
        `OperationStarted: Initiated automated sync to '${revision}'`,
        `OperationCompleted: Sync operation to ${revision} succeeded`,
        'ResourceUpdated: Updated sync status: OutOfSync -> Synced',
        `OperationStarted: conformance initiated partial sync to HEAD (${revision})`,
        'OperationStarted: conformance initiated sync to nowhere',
        'OperationCompleted: Sync operation failed: ',
        `OperationCompleted: Partial sync operation to ${revision} succeeded`,
      ];
      const missing = wanted.filter((text) => !seen.some((one) => one.startsWith(text)));
      return missing.length === 0 ? { is: true } : { seen: `${seen.join('\n')}\nmissing: ${missing.join('\n')}` };
    });
  });
}
