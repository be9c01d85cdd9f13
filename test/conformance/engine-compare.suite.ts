import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, canonicalJson, type KubeObject } from '@tiphys/api';
import type { ApplicationView } from './harness/application.ts';
import { configMap, deployment, job, secret, service, workload } from './harness/manifests.ts';
import type { World } from './harness/world.ts';

const containers = (limits: object): object => ({
  template: {
    metadata: { labels: { app: 'page' } },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: { limits }, env: [] }] },
  },
});

/** What counts as a difference, and what does not. */
export function compareTests(world: World): void {
  test('DIFF-01 what the API server defaults, and status, is no difference', async (t) => {
    const objects = [deployment('page'), service('page', {}, { type: 'LoadBalancer' }), job('once')];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    await scene.createAutomated();
    await scene.untilSettled();

    await scene.refresh('hard');

    const view = await scene.untilSettled();
    assert.deepEqual(new Set(view.resources.map(({ status }) => status)), new Set(['Synced']));
    assert.equal(view.history.length, 1);
  });

  test('DIFF-02 SYNC-26 changed, missing and extra objects are OutOfSync; the extra one requires pruning and stays', async (t) => {
    const objects = ['changed', 'missing', 'same'].map((name) => configMap(name));
    const scene = await world.scene(t, { 'app/a.yaml': objects, 'app/extra.yaml': configMap('extra') });
    await scene.create();
    await scene.sync();
    await scene.untilSettled();

    await scene.patch('ConfigMap/changed', { data: { key: 'by hand' } });
    await scene.delete('ConfigMap/missing');
    await scene.repository.remove('app/extra.yaml');

    const rows = ['changed OutOfSync -', 'extra OutOfSync prune', 'missing OutOfSync -', 'same Synced -'];
    await scene.until('the three kinds of difference', ({ resources }) => {
      const seen = resources.map(
        (r) => `${r.id.slice('ConfigMap/'.length)} ${r.status} ${r.requiresPruning ? 'prune' : '-'}`,
      );
      return seen.toSorted().join() === rows.join();
    });
    const view = await scene.sync();
    assert.deepEqual(
      view.results.filter(({ id }) => id === 'ConfigMap/extra').map(({ status, message }) => `${status} ${message}`),
      ['PruneSkipped ignored (requires pruning)'],
    );
    await scene.until('still OutOfSync', (seen) => seen.sync === 'OutOfSync' && seen.resources.length === 4);
    await scene.live('ConfigMap/extra');
  });

  test('DIFF-03 SYNC-28 what others made in the namespace is never marked, shown or pruned', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('ours'), 'app/b.yaml': configMap('leaves') });
    const copied = { 'argocd.argoproj.io/tracking-id': `${scene.name}:/ConfigMap:${scene.namespace}/somewhere-else` };
    const foreign = [
      configMap('plain'),
      configMap('labelled', {}, { labels: { 'app.kubernetes.io/instance': scene.name } }),
      configMap('copied', {}, { annotations: copied }),
      configMap(
        'of-another',
        {},
        { annotations: { 'argocd.argoproj.io/tracking-id': `another:/ConfigMap:${scene.namespace}/of-another` } },
      ),
    ];
    for (const object of foreign) await scene.createObject(object);
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();

    const revision = await scene.repository.remove('app/b.yaml');

    await scene.untilAbsent('ConfigMap/leaves');
    const view = await scene.untilSettled(revision);
    assert.deepEqual(
      view.resources.map(({ id }) => id),
      ['ConfigMap/ours'],
    );
    for (const object of foreign) {
      const live = await scene.live(`ConfigMap/${object.metadata.name ?? ''}`);
      assert.deepEqual(live.metadata.annotations ?? {}, object.metadata.annotations ?? {});
    }
  });

  const combinations = [
    { sync: 'Synced', health: 'Degraded', object: job('work', { outcome: 'fail' }) },
    { sync: 'Synced', health: 'Progressing', object: deployment('work', { outcome: 'never-ready' }) },
    { sync: 'OutOfSync', health: 'Healthy', object: deployment('work') },
    { sync: 'OutOfSync', health: 'Progressing', object: deployment('work', { outcome: 'never-ready' }) },
  ];
  for (const { sync, health, object } of combinations) {
    test(`DIFF-05 ${sync} and ${health} at once`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': [object, configMap('settings')] });
      await scene.create();
      assert.equal((await scene.sync()).phase, 'Succeeded');
      await scene.until(`Synced, ${health}`, (view) => view.sync === 'Synced' && view.health === health);
      if (sync === 'OutOfSync') await scene.patch('ConfigMap/settings', { data: { key: 'a hotfix' } });
      await scene.until(`${sync}, ${health}`, (view) => view.sync === sync && view.health === health);
    });
  }

  const ignoreReplicas = {
    ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
  };

  test('DIFF-06 SYNC-30 an ignored pointer is no difference, and self-heal leaves it alone', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [deployment('scaled'), configMap('settings')] });
    await scene.createAutomated({ automated: { selfHeal: true }, spec: ignoreReplicas });
    await scene.untilSettled();

    await scene.patch('Deployment/scaled', { spec: { replicas: 3 } });
    await scene.untilObject('Deployment/scaled', 'has three', (object) => at(object, 'status', 'readyReplicas') === 3);

    await scene.stays('Synced', (view) => view.sync === 'Synced');
    assert.equal(at(await scene.live('Deployment/scaled'), 'spec', 'replicas'), 3);
    // Not everything is ignored: another field of the same object still counts.
    const image = ['spec', 'template', 'spec', 'containers', 0, 'image'] as const;
    const containers = [{ name: 'main', image: 'registry.example/app:by-hand' }];
    await scene.patch('Deployment/scaled', { spec: { template: { spec: { containers } } } });
    const isHealed = (object?: KubeObject): boolean => at(object, ...image) === 'registry.example/app:1';
    await scene.untilObject('Deployment/scaled', 'is healed', isHealed);
  });

  test('DIFF-06 a rule counts for its group, kind, name and namespace alone, the first two as globs', async (t) => {
    const scene = await world.scene(t);
    const elsewhere = `${scene.name}-elsewhere`;
    await scene.createNamespace(elsewhere);
    const there = { namespace: elsewhere };
    const workloads = [deployment('w'), workload('StatefulSet')('s')];
    const maps = [configMap('a'), configMap('b'), configMap('a', { key: 'one' }, there)];
    await scene.repository.commit({ 'app/a.yaml': [...maps, ...workloads, service('page')] });
    const ignoreDifferences = [
      { kind: 'ConfigMap', name: 'a', namespace: scene.namespace, jsonPointers: ['/data'] },
      { kind: 'Deployment', jsonPointers: ['/spec/replicas'] }, // of the core group: there are none
      { group: 'ap*', kind: 'Stateful*', jsonPointers: ['/spec/replicas'] },
      { kind: 'Secret', jsonPointers: ['/data', '/spec/ports/0/port'] },
    ];
    await scene.create({ spec: { ignoreDifferences } });
    await scene.sync();
    await scene.until('Synced', (view) => view.sync === 'Synced');

    const byHand = { data: { key: 'by hand' } };
    await scene.patch('ConfigMap/a', byHand);
    await scene.patch('ConfigMap/b', byHand);
    await scene.patch('ConfigMap/a', byHand, there);
    for (const id of ['Deployment/w', 'StatefulSet/s']) await scene.patch(id, { spec: { replicas: 2 } });
    await scene.patch('Service/page', { spec: { ports: [{ port: 81, targetPort: 8080 }] } });

    const differ = ({ resources }: ApplicationView): string =>
      resources
        .filter(({ status }) => status === 'OutOfSync')
        .map(({ id, namespace }) => `${namespace === elsewhere ? 'there ' : ''}${id}`)
        .toSorted()
        .join();
    const wanted = 'ConfigMap/b,Deployment/w,Service/page,there ConfigMap/a';
    await scene.until(wanted, (view) => differ(view) === wanted);
    await scene.stays(wanted, (view) => differ(view) === wanted, { timeoutMs: 1200 });
  });

  const respects = [
    { options: [], replicas: 1, what: 'without RespectIgnoreDifferences a sync writes the value of Git' },
    { options: ['RespectIgnoreDifferences=true'], replicas: 3, what: 'with it the live value stays' },
  ];
  for (const { options, replicas, what } of respects) {
    test(`DIFF-08 SYNC-37 ${what}`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': deployment('scaled') });
      await scene.create({ spec: ignoreReplicas, syncOptions: options });
      await scene.patchApplication({ spec: { syncPolicy: { syncOptions: options } } });
      await scene.sync();
      await scene.patch('Deployment/scaled', { spec: { replicas: 3 } });

      const revision = await scene.repository.commit({
        'app/a.yaml': deployment('scaled', { image: 'registry.example/app:2' }),
      });
      await scene.until('sees the commit', (view) => view.revision === revision);
      await scene.sync();

      const live = await scene.live('Deployment/scaled');
      assert.equal(at(live, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'registry.example/app:2');
      assert.equal(at(live, 'spec', 'replicas'), replicas);
    });
  }

  test('DIFF-11 the value of a Secret is in no status, event or log', async (t) => {
    const values = ['correct-horse-battery', 'staple-moved-to-git'];
    const scene = await world.scene(t, { 'app/a.yaml': secret('password', { password: values[0]! }) });
    await scene.createAutomated();
    await scene.untilSettled();
    await scene.patch('Secret/password', { stringData: { password: 'edited-by-hand-77' } });
    await scene.until('OutOfSync', (view) => view.sync === 'OutOfSync');
    // Refused by the API server, which says why: such answers are quoted in results and events.
    const refused = { ...secret('password', { password: values[1]! }), type: 'example.com/another' };
    await scene.repository.commit({ 'app/a.yaml': refused });
    await scene.until('the sync has failed', (view) => view.phase === 'Failed' || view.retryCount > 0);

    const events = await world.cluster.kubectl(['get', 'events', '-A', '-o', 'json']);
    const shown = [canonicalJson((await scene.view()).object), events, world.controller.tail('', Infinity)].join('\n');
    const secrets = [...values, 'edited-by-hand-77'];
    for (const value of [...secrets, ...secrets.map((one) => Buffer.from(one).toString('base64'))])
      assert.ok(!shown.includes(value), `${value} is shown`);
  });

  // A password of digits without quotes is what people write; the API server quotes it when it refuses it.
  for (const options of ['', 'ServerSideApply=true', 'Replace=true']) {
    test(`DIFF-11 a Secret of the wrong form is refused without its values being told [${options}]`, async (t) => {
      const object = (name: string, fields: object): object => ({ ...secret(name, {}, { options }), ...fields });
      const scene = await world.scene(t);
      for (const name of ['digits', 'text', 'misspelt']) await scene.createObject(secret(name, { key: 'before' }));
      await scene.repository.commit({
        'app/a.yaml': [
          object('digits', { stringData: { pin: 918_273_645 } }),
          object('text', { data: { word: 'swordfish, and not base64' } }),
          object('misspelt', { stringDatas: { word: 'swordfish-again' } }),
        ],
      });
      await scene.create();
      const view = await scene.sync();
      assert.equal(view.phase, 'Failed');
      const events = await world.cluster.kubectl(['get', 'events', '-A', '-o', 'json']);
      const shown = [canonicalJson(view.object), events, world.controller.tail('', Infinity)].join('\n');
      for (const value of ['918273645', 'swordfish']) assert.ok(!shown.includes(value), `${value} is shown`);
    });
  }

  test('DIFF-13 SYNC-14 hooks are not compared: one that is gone, or edited, leaves the application Synced', async (t) => {
    const hooks = [job('before', { hook: 'PreSync' }), configMap('during', { key: 'one' }, { hook: 'Sync' })];
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('ours'), ...hooks] });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    const settled = await scene.untilSettled();
    assert.deepEqual(
      settled.results.map(({ id, syncPhase }) => `${id} ${syncPhase}`).toSorted(),
      ['ConfigMap/during Sync', 'ConfigMap/ours Sync', 'Job/before PreSync'],
      'a Sync hook runs with the ordinary resources',
    );
    assert.deepEqual(
      settled.resources.map(({ id, hook, status }) => `${id} ${hook ? 'hook' : status}`),
      ['ConfigMap/during hook', 'ConfigMap/ours Synced', 'Job/before hook'],
      'what hooks left is shown, without a status',
    );

    await scene.delete('Job/before');
    await scene.patch('ConfigMap/during', { data: { key: 'by hand' } });

    await scene.stays(
      'Synced, and no new operation',
      (view) => view.sync === 'Synced' && view.startedAt === settled.startedAt,
    );
    assert.deepEqual(await scene.data('during'), { key: 'by hand' });
    assert.equal(await scene.get('Job/before'), undefined);
  });

  test('DIFF-14 values that mean the same are no difference', async (t) => {
    const written = deployment('page', {}, containers({ cpu: '1000m', memory: '1024Mi' }));
    const scene = await world.scene(t, { 'app/a.yaml': written });
    await scene.createAutomated();
    await scene.untilSettled();

    await scene.repository.commit({ 'app/a.yaml': deployment('page', {}, containers({ cpu: 1, memory: '1Gi' })) });
    await scene.refresh('hard');

    await scene.stays('Synced', (view) => view.sync === 'Synced');
    assert.equal((await scene.view()).history.length, 1, 'nothing had to be applied');
  });
}
