import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@tiphys/api';
import { toldOf } from './harness/application.ts';
import { configMap, job } from './harness/manifests.ts';
import type { Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

const terminate = (scene: Scene): Promise<void> =>
  scene.patchApplication({ status: { operationState: { phase: 'Terminating' } } });

const endless = (name: string) => job(name, { hook: 'PreSync', duration: '600s' });

/** What may happen to an operation while it runs. */
export function runningTests(world: World): void {
  test('SYNC-27 ANN-04 a prune that waits for approval goes on when it is given', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': configMap('a'),
      'app/b.yaml': configMap('b', {}, { options: 'Prune=confirm' }),
    });
    await scene.create();
    await scene.sync();
    const revision = await scene.repository.remove('app/b.yaml');
    await scene.until('sees the commit', (view) => view.revision === revision);
    await scene.request({ prune: true });
    await scene.until('waits for approval', (view) => view.phase === 'Running' && /approv/.test(toldOf(view)));
    await scene.live('ConfigMap/b');
    const approved = new Date(Date.now() + 1000).toISOString();
    await scene.patchApplication({ metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': approved } } });
    await scene.untilAbsent('ConfigMap/b');
    const view = await scene.until('Succeeded', (seen) => seen.phase === 'Succeeded' && !seen.requested);
    assert.equal(view.results.find(({ id }) => id === 'ConfigMap/b')?.status, 'Pruned');
  });

  test('SYNC-06 terminate is accepted when the source cannot be read any more, also between two attempts', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), endless('before')] });
    const retry = { limit: 3, backoff: { duration: '1s' } };
    await scene.create({ retry });
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request({}, { operation: { retry } });
    await scene.until('waits for its hook', (view) => view.phase === 'Running' && /before/.test(toldOf(view)));
    await scene.patchApplication({ spec: { source: { repoURL: 'file:///no/such/repository' } } });
    await scene.until('Unknown', (view) => view.sync === 'Unknown');
    await terminate(scene);
    const view = await scene.until('Failed', (seen) => seen.phase === 'Failed' && !seen.requested);
    assert.match(view.message, /^Operation terminated/);
    await scene.untilAbsent('Job/before');
    await scene.stays('Failed', (seen) => seen.phase === 'Failed');

    await scene.request({}, { operation: { retry: { limit: 3, backoff: { duration: '60s' } } } });
    await scene.until('waits for its next attempt', (seen) => seen.phase === 'Running' && seen.retryCount === 1);
    await terminate(scene);
    const after = await scene.until('Failed', (seen) => seen.phase === 'Failed' && !seen.requested);
    assert.match(after.message, /^Operation terminated/);
  });

  test('SYNC-06 an operation ends when the spec becomes one that nobody can act on', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), endless('before')] });
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    await scene.request();
    await scene.until('waits for its hook', (view) => view.phase === 'Running' && /before/.test(toldOf(view)));
    await scene.patchApplication({
      spec: { destination: { server: 'https://kubernetes.default.svc', name: 'in-cluster' } },
    });
    await scene.untilCondition('InvalidSpecError');
    await terminate(scene);
    await scene.until('ended', (view) => /^(Failed|Error)$/.test(view.phase) && !view.requested);
  });

  test('SYNC-44 a request that replaces the one that runs is taken up after it', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('before', { hook: 'PreSync', duration: '2s' })],
    });
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    const first = await scene.request();
    await scene.until('runs', (view) => view.phase === 'Running' && view.results.length > 0);
    const second = await scene.request({ dryRun: true });
    const view = await scene.until(
      'the second has ended',
      (seen) =>
        seen.phase === 'Succeeded' &&
        !seen.requested &&
        at(seen.object, 'status', 'operationState', 'operation', 'sync', 'dryRun') === true,
    );
    assert.notEqual(first, second);
    assert.equal(view.history.length, 1);
  });

  test('SYNC-48 retry.refresh takes the newest commit, without it an attempt repeats the first', async (t) => {
    for (const refresh of [false, true]) {
      const failing = job('before', { hook: 'PreSync', outcome: 'fail' });
      const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), failing] });
      const first = await scene.repository.git('rev-parse', 'HEAD');
      await scene.create();
      await scene.until('compared', (view) => view.sync !== '');
      const retry = { limit: 1, refresh, backoff: { duration: '3s' } };
      // As the automated sync asks: with the commit that it has seen.
      const initiatedBy = { automated: true };
      await scene.request({ revision: first }, { operation: { retry, initiatedBy } });
      await scene.until('waits for its next attempt', (view) => view.retryCount === 1);
      const second = await scene.repository.commit({
        'app/a.yaml': [configMap('a'), job('before', { hook: 'PreSync' })],
      });
      const view = await scene.until(
        'ended',
        (seen) => /^(Failed|Error|Succeeded)$/.test(seen.phase) && !seen.requested,
      );
      assert.equal(view.syncedRevision, refresh ? second : first);
      assert.equal(view.phase, refresh ? 'Succeeded' : 'Failed');
    }
  });

  test('SYNC-48 a commit that mends a failing automated sync does not wait for its next attempt', async (t) => {
    const failing = job('before', { hook: 'PreSync', outcome: 'fail' });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), failing] });
    await scene.createAutomated({ retry: { limit: 3, backoff: { duration: '10m', maxDuration: '1h' } } });
    await scene.until('waits for its next attempt', (view) => view.retryCount === 1);

    const mended = await scene.repository.commit({
      'app/a.yaml': [configMap('a'), job('before', { hook: 'PreSync' })],
    });
    const view = await scene.until('Synced', (seen) => seen.sync === 'Synced' && seen.phase === 'Succeeded');
    assert.equal(view.syncedRevision, mended);
    assert.deepEqual([view.retryCount, view.conditions], [0, []]);
  });

  test('SYNC-48 REC-05 between two attempts the status follows Git and the cluster', async (t) => {
    const failing = job('before', { hook: 'PreSync', outcome: 'fail' });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), failing] });
    await scene.createAutomated({ retry: { limit: 1, refresh: true, backoff: { duration: '60s' } } });
    await scene.until('waits for its next attempt', (view) => view.retryCount === 1);
    const waiting = /Retrying attempt #1 of 1 in 1m0s|Retrying attempt #1 of 1 in 60s/;

    const revision = await scene.repository.commit({ 'app/a.yaml': [configMap('a'), configMap('b'), failing] });
    const view = await scene.until('is compared with the commit', (seen) => seen.revision === revision);
    assert.deepEqual(
      view.resources.filter(({ hook }) => !hook).map(({ id }) => id),
      ['ConfigMap/a', 'ConfigMap/b'],
    );
    await scene.createObject(configMap('a'));
    const found = await scene.until('sees the object', (seen) =>
      seen.resources.some(({ id, health }) => id === 'ConfigMap/a' && health !== 'Missing'),
    );
    await scene.refresh();
    for (const { phase, retryCount, waitingFor } of [view, found, await scene.view()]) {
      assert.deepEqual([phase, retryCount], ['Running', 1]);
      assert.match(waitingFor, waiting);
    }
  });

  test('SYNC-12 ANN-02 a hook of two phases runs in each of them', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('check', { hook: 'PreSync,PostSync' })] });
    const record = await scene.record('Job', 'ConfigMap');
    await scene.createAutomated();
    const view = await scene.untilSettled();
    assert.deepEqual(
      record.events.filter(({ id }) => !id.includes('kube-root-ca')).map(({ type, id }) => `${type} ${id}`),
      ['created Job/check', 'created ConfigMap/a', 'deleted Job/check', 'created Job/check'],
    );
    assert.deepEqual(
      view.results
        .filter(({ id }) => id === 'Job/check')
        .map(({ syncPhase, hookPhase }) => `${syncPhase} ${hookPhase}`),
      ['PreSync Succeeded', 'PostSync Succeeded'],
    );
  });

  const deletions = [
    { propagationPolicy: 'Background', how: 'Background' },
    { propagationPolicy: 'Foreground', how: 'Foreground' },
    { propagationPolicy: 'Background', how: 'with its finalizers taken off' },
  ] as const;
  for (const { propagationPolicy, how } of deletions)
    test(`SYNC-18 a hook that somebody deletes while it runs (${how}) does not hold up its operation for ever`, async (t) => {
      const scene = await world.scene(t, {
        'app/a.yaml': [configMap('a'), job('before', { hook: 'PreSync', duration: '20s' })],
      });
      await scene.create();
      await scene.until('compared', (view) => view.sync !== '');
      await scene.request();
      await scene.until('waits for its hook', (view) => view.phase === 'Running' && /before/.test(toldOf(view)));
      const gvk = { group: 'batch', version: 'v1', kind: 'Job' };
      if (how.startsWith('with')) await scene.patch('Job/before', { metadata: { finalizers: null } });
      await world.cluster.client.delete({ gvk, namespace: scene.namespace, name: 'before' }, { propagationPolicy });
      const view = await scene.until(
        'ended',
        (seen) => /^(Failed|Error|Succeeded)$/.test(seen.phase) && !seen.requested,
      );
      assert.equal(view.phase, 'Failed');
      assert.match(toldOf(view), /before[\s\S]*deleted/);
      await scene.untilAbsent('Job/before');
    });

  test('SYNC-32 the result says which metadata the namespace was given', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const namespace = scene.adoptNamespace(`${scene.name}-new`);
    const managedNamespaceMetadata = { labels: { team: 'harbour' } };
    const syncPolicy = { automated: {}, syncOptions: ['CreateNamespace=true'], managedNamespaceMetadata };
    await scene.create({ destination: { namespace }, spec: { syncPolicy } });
    const { object } = await scene.untilSettled();
    assert.deepEqual(
      at(object, 'status', 'operationState', 'syncResult', 'managedNamespaceMetadata'),
      managedNamespaceMetadata,
    );
  });

  // etcd stores 1.5 MiB: an operation whose state is larger could never be said to have ended.
  test('REC-12 SYNC-46 an operation ends although the results of all its objects are too many to be stored', async (t) => {
    const many = Array.from({ length: 700 }, (_, index) =>
      configMap(`${'long-'.repeat(48)}${index}`, { key: 'one' }, { wave: index % 2 }),
    );
    const scene = await world.scene(t, {
      'app/Chart.yaml': { apiVersion: 'v2', name: 'large', version: '1.0.0' },
      'app/templates/a.yaml': many,
      'app/templates/hook.yaml': job('migrate', { hook: 'PreSync' }),
    });
    await scene.createAutomated({ source: { helm: { values: `text: ${'x'.repeat(250_000)}\n` } } });
    const view = await scene.untilSettled('', { timeoutMs: 120_000 });
    assert.equal(view.resources.filter(({ hook }) => !hook).length, many.length);
    assert.match(view.message, /the results of 700 applied objects are too many to be stored/);
    assert.deepEqual(
      view.results.map(({ id, hookPhase }) => [id, hookPhase]),
      [['Job/migrate', 'Succeeded']],
    );
    await scene.stays('one operation', ({ history }) => history.length === 1);
  });

  test('REC-12 CLI-17 a large source in many entries of the history leaves room for the newest', async (t) => {
    const scene = await world.scene(t, {
      'app/Chart.yaml': { apiVersion: 'v2', name: 'large', version: '1.0.0' },
      'app/templates/a.yaml': configMap('a'),
    });
    const values = `text: ${'x'.repeat(300_000)}\n`;
    await scene.createAutomated({ source: { helm: { values } } });
    await scene.untilSettled();
    for (const key of ['two', 'three', 'four']) {
      const revision = await scene.repository.commit({ 'app/templates/a.yaml': configMap('a', { key }) });
      const { history } = await scene.untilSettled(revision);
      assert.equal(history.at(-1)?.revision, revision);
    }
  });
}
