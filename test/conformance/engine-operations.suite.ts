import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, stringAt, stringifyJson, systemClock } from '@tiphys/api';
import { rollbackApplication } from '@tiphys/operations';
import { saysOf } from './harness/application.ts';
import { configMap, deployment, job, service } from './harness/manifests.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

const ten = Array.from({ length: 10 }, (_, index) => configMap(`c${index}`));

/** Asking for an operation, and running it. */
export function operationTests(world: World): void {
  test('SYNC-40 a dry run says what it would do and changes nothing', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync' })],
      'app/b.yaml': configMap('b'),
    });
    await scene.create();
    await scene.sync();
    const revision = await scene.repository.commit({ 'app/c.yaml': configMap('c') }, ['app/b.yaml']);
    await scene.until('sees the commit', (view) => view.revision === revision);
    const record = await scene.record('ConfigMap', 'Job');

    const view = await scene.sync({ dryRun: true, prune: true });

    assert.equal(view.phase, 'Succeeded', saysOf(view));
    const results = view.results.map(({ id, status }) => `${id} ${status}`);
    for (const row of ['ConfigMap/c Synced', 'ConfigMap/b Pruned']) assert.ok(results.includes(row), results.join());
    assert.deepEqual(record.events, []);
    assert.match(view.message, /dry-run/);
    assert.equal(view.history.length, 1);
    await scene.until('still OutOfSync', (seen) => seen.sync === 'OutOfSync');
  });

  test('SYNC-39 local manifests are synced in place of Git, and leave no entry in the history', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.create();
    await scene.sync();
    const local = [stringifyJson(configMap('a', { key: 'local' }))];

    const dry = await scene.sync({ manifests: local, dryRun: true });
    assert.equal(dry.phase, 'Succeeded', saysOf(dry));
    assert.deepEqual(await scene.data('a'), { key: 'one' });

    const view = await scene.sync({ manifests: local });
    assert.equal(view.phase, 'Succeeded', saysOf(view));
    assert.deepEqual(await scene.data('a'), { key: 'local' });
    const seen = await scene.until('differs from Git', ({ sync }) => sync === 'OutOfSync');
    assert.equal(seen.history.length, 1);
    const back = await scene.sync();
    assert.equal(back.phase, 'Succeeded', saysOf(back));
    assert.deepEqual(await scene.data('a'), { key: 'one' });
  });

  test('HIST-04 a rollback brings an entry of the history back, and stays while automated sync is held', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync' })] });
    await scene.create({ spec: { syncPolicy: { automated: { prune: true } } } });
    await scene.untilSettled();
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }), 'app/b.yaml': configMap('b') });
    await scene.until('has the second commit', ({ history, phase }) => history.length === 2 && phase === 'Succeeded');
    assert.deepEqual(await scene.data('a'), { key: 'two' });

    const { client: kube } = world.cluster;
    const request = { name: scene.name, namespace: world.namespace, prune: true };
    const ports = { kube, namespace: world.namespace, clock: systemClock };
    const alice = { username: 'alice' };
    await assert.rejects(
      rollbackApplication(alice, { ...request, automation: 'refuse' }, ports),
      /automated sync is on/,
    );
    const { entry, held } = await rollbackApplication(alice, { ...request, automation: 'hold' }, ports);
    assert.deepEqual([entry.id, held], [0, true]);
    const view = await scene.until(
      'is rolled back',
      ({ history, phase }) => history.length === 3 && phase === 'Succeeded',
    );

    assert.deepEqual(await scene.data('a'), { key: 'one' });
    await scene.untilAbsent('ConfigMap/b');
    assert.equal(
      view.results.some(({ id }) => id.startsWith('Job/')),
      false,
      'hooks are left out',
    );
    assert.equal((await scene.until('differs from Git', ({ sync }) => sync === 'OutOfSync')).history.length, 3);
  });

  test('SYNC-43 a selective sync touches what is named, runs no hooks, and leaves no history', async (t) => {
    const scene = await world.scene(t);
    const elsewhere = `${scene.name}-elsewhere`;
    await scene.createNamespace(elsewhere);
    const group = `${scene.name}.example.com`;
    const objects = [
      deployment('page'),
      deployment('page', { namespace: elsewhere }),
      service('page'),
      configMap('a'),
      job('migrate', { hook: 'PreSync' }),
    ];
    await scene.repository.commit({ 'app/a.yaml': objects });
    await scene.create();

    const none = await scene.sync({ resources: [{ group, kind: 'Deployment', name: 'page' }] });
    assert.deepEqual(none.results, [], 'the group counts');
    const view = await scene.sync({
      resources: [{ group: 'apps', kind: 'Deployment', name: 'page', namespace: scene.namespace }],
    });

    assert.deepEqual(
      view.results.map(({ id }) => id),
      ['Deployment/page'],
    );
    assert.deepEqual(view.history, []);
    await scene.live('Deployment/page');
    for (const id of ['Service/page', 'ConfigMap/a', 'Job/migrate']) assert.equal(await scene.get(id), undefined, id);
    assert.equal(await scene.get('Deployment/page', { namespace: elsewhere }), undefined);
  });

  test('strategy apply runs without hooks', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync' })] });
    await scene.create();
    const view = await scene.sync({ syncStrategy: { apply: {} } });
    assert.equal(view.phase, 'Succeeded');
    assert.equal(await scene.get('Job/migrate'), undefined);
    await scene.live('ConfigMap/a');
  });

  test('an operation asked for while one runs neither disturbs it nor is done over and over', async (t) => {
    const migrate = job('migrate', { hook: 'PreSync', duration: '3s' });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), migrate] });
    const record = await scene.record('Job');
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request();
    await scene.until('Running', (view) => view.phase === 'Running' && record.created.length === 1);

    await scene.request({ resources: [{ kind: 'ConfigMap', name: 'a' }] });

    const ended = await scene.until('ended', (view) => !view.requested && view.phase === 'Succeeded');
    assert.deepEqual(record.created, ['Job/migrate']);
    const rest = await scene.view();
    await scene.stays(
      'at rest',
      (view) => view.object.metadata.resourceVersion === rest.object.metadata.resourceVersion,
    );
    assert.equal(ended.history.length, 1);
  });

  test('SYNC-45 one bad manifest among ten: the preflight fails and nothing has changed', async (t) => {
    const bad = { ...configMap('bad'), data: { key: { nested: 'no string' } } };
    const scene = await world.scene(t, { 'app/a.yaml': [...ten.slice(1), bad] });
    const record = await scene.record('ConfigMap');
    await scene.create();
    const view = await scene.sync();
    assert.equal(view.phase, 'Failed');
    assert.match(saysOf(view), /bad/);
    assert.deepEqual(
      record.created.filter((id) => !id.includes('kube-root-ca')),
      [],
    );
  });

  test('SYNC-46 each object has its result: Synced, SyncFailed, Pruned, PruneSkipped', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a')], 'app/b.yaml': configMap('b') });
    await scene.create();
    await scene.sync();
    await scene.repository.commit({}, ['app/b.yaml']);
    await scene.until('b is extra', (view) => view.resources.some((r) => r.requiresPruning));
    const statusOf = (view: Awaited<ReturnType<typeof scene.sync>>): string[] =>
      view.results.map((r) => `${r.id} ${r.status}: ${r.message}`).toSorted();
    const unchanged = 'ConfigMap/a Synced: configmap/a unchanged';
    const skipped = 'ConfigMap/b PruneSkipped: ignored (requires pruning)';
    assert.deepEqual(statusOf(await scene.sync()), [unchanged, skipped]);
    assert.deepEqual(statusOf(await scene.sync({ prune: true })), [unchanged, 'ConfigMap/b Pruned: pruned']);
    // Only the API server can refuse this, and only at apply: a port above the range passes no dry run, so it fails there.
    await scene.repository.commit({ 'app/c.yaml': service('c', {}, { ports: [{ port: 70_000 }] }) });
    await scene.until('sees it', (view) => view.resources.some((r) => r.id === 'Service/c'));
    const failed = await scene.sync();
    assert.equal(failed.phase, 'Failed');
    const refused = failed.results.find(({ id }) => id === 'Service/c');
    assert.equal(refused?.status, 'SyncFailed');
    assert.match(refused.message, /spec\.ports\[0\]\.port/);
  });

  test('SYNC-06 terminate ends a running operation as Failed and deletes its hooks', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('endless', { hook: 'PreSync', outcome: 'never-ready' })],
    });
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request();
    await scene.until('Running', (view) => view.phase === 'Running');
    await scene.untilObject('Job/endless', 'runs', (object) => object !== undefined);

    await scene.patchApplication({ status: { operationState: { phase: 'Terminating' } } });

    const view = await scene.until('Failed', (seen) => seen.phase === 'Failed');
    assert.match(view.message, /terminated/i);
    await scene.untilAbsent('Job/endless');
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('SYNC-48 a failed operation is repeated with exponential delays up to maxDuration', async (t) => {
    const failing = job('migrate', { hook: 'PreSync', outcome: 'fail', duration: '50ms' });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), failing] });
    const record = await scene.record('Job');
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request(
      {},
      { operation: { retry: { limit: 3, backoff: { duration: '2s', factor: 2, maxDuration: '6s' } } } },
    );

    // How long each wait is to be, by what the application says while it waits.
    const delays = new Set<number>();
    await scene.until('Failed after three retries', ({ object, phase, retryCount, finishedAt }) => {
      const wait = listAt(object, 'status', 'waitingFor').find((one) => stringAt(one, 'code') === 'waiting-for-retry');
      const until = stringAt(wait, 'until');
      if (until !== undefined && finishedAt !== '') delays.add((Date.parse(until) - Date.parse(finishedAt)) / 1000);
      return phase === 'Failed' && retryCount === 3;
    });
    assert.equal(record.created.length, 4);
    // The third would be 8 s. Times of the status have whole seconds.
    const rounded = [...delays].map((delay) => Math.floor(delay));
    assert.deepEqual(rounded, [2, 4, 6]);
  });

  test('SYNC-50 REC-12 the operation tells its retries and when the next happens; success on a retry is Succeeded', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const namespace = `${scene.name}-late`;
    await scene.create({ destination: { namespace } });
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request({}, { operation: { retry: { limit: 10, backoff: { duration: '1s', factor: 1 } } } });
    await scene.until(
      'says that it tries again',
      (view) => view.phase === 'Running' && view.retryCount >= 2 && /retr/i.test(view.message),
    );

    await scene.createNamespace(namespace);

    const view = await scene.until('Succeeded', (seen) => seen.phase === 'Succeeded');
    await until('one event of its start, and one of its end', async () => {
      const seen = (await scene.events()).filter((text) => text.startsWith('Operation'));
      const reasons = seen.map((text) => text.split(':', 1)[0]);
      return reasons.join() === 'OperationStarted,OperationCompleted' ? { is: true } : { seen: reasons.join() };
    });
    assert.ok(view.retryCount >= 2);
    assert.deepEqual(await scene.data('a', namespace), { key: 'one' });
  });

  test('SYNC-06 an operation is Running, and ends as Succeeded, Failed or Error, each with a message', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync', duration: '2s' })],
    });
    await scene.create();
    const error = await scene.sync({ revision: 'no-such-revision' });
    assert.equal(error.phase, 'Error', 'it could not run');
    assert.match(error.message, /no-such-revision/);
    await scene.request();
    await scene.until('Running', ({ phase, message }) => phase === 'Running' && /migrate/.test(message));
    const done = await scene.until('Succeeded', ({ phase, requested }) => phase === 'Succeeded' && !requested);
    assert.match(done.message, /successfully synced/);
    await scene.repository.commit({ 'app/a.yaml': service('refused', {}, { ports: [{ port: 70_000 }] }) });
    await scene.until('sees it', (view) => view.resources.some(({ id }) => id === 'Service/refused'));
    const failed = await scene.sync();
    assert.equal(failed.phase, 'Failed', 'an object failed');
    assert.match(failed.message, /refused/);
  });

  test('SYNC-06 an operation that asks for no sync is refused, and nothing is applied', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.create();
    await scene.until('compared', (view) => view.sync === 'OutOfSync');
    await scene.patchApplication({ operation: { initiatedBy: { username: 'conformance' }, retry: { limit: 2 } } });
    const view = await scene.until('refused', ({ phase, requested }) => phase === 'Failed' && !requested);
    assert.equal(view.message, 'Invalid operation request: no operation specified');
    assert.equal(at(view.object, 'status', 'history'), undefined);
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('REC-10 an automated application that could not be synced by hand either says so for as long as it is so', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a', {}, { namespace: 'no-such-namespace-here' }) });
    await scene.createAutomated({ retry: { limit: 0 } });
    await scene.untilCondition('SyncError', /^Failed last sync attempt to [0-9a-f]{40}: .*no-such-namespace-here/);
    assert.equal((await scene.sync()).phase, 'Failed');
    const says = /^Failed last sync attempt to [0-9a-f]{40}: one or more objects failed to apply, reason: /;
    await scene.untilCondition('SyncError', says);
    await scene.stays('says so', ({ conditions }) =>
      conditions.some(({ type, message }) => type === 'SyncError' && says.test(message)),
    );
  });

  const policies = [
    { title: 'a manual one without retry is not repeated', operation: {}, again: false },
    {
      title: 'limit -1 repeats without end',
      operation: { retry: { limit: -1, backoff: { duration: '200ms', factor: 1 } } },
      again: true,
    },
  ];
  for (const { title, operation, again } of policies) {
    test(`SYNC-51 ${title}`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      await scene.create({ destination: { namespace: `${scene.name}-nowhere` } });
      await scene.until('compared', (view) => view.sync !== '');
      await scene.request({}, { operation });
      if (again)
        await scene.until(
          'more than the default of retries',
          (view) => view.phase === 'Running' && view.retryCount > 6,
        );
      else await scene.until('Failed', (view) => view.phase === 'Failed');
      if (!again) await scene.stays('not repeated', (view) => view.phase === 'Failed' && view.retryCount === 0);
    });
  }

  test('SYNC-51 an automated one without a policy is repeated by default', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ destination: { namespace: `${scene.name}-nowhere` } });
    await scene.until(
      'waits to try again',
      (view) => view.phase === 'Running' && view.retryCount >= 1 && view.message !== '',
    );
  });
}
