import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, type KubeObject } from '@tiphys/api';
import { configMap, deployment } from './harness/manifests.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

/** Prune and self-heal. */
export function pruneTests(world: World): void {
  test('SYNC-27 SYNC-41 prune deletes what left the source, and the result says Pruned', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('b') });
    await scene.create();
    await scene.sync();
    await scene.repository.remove('app/b.yaml');
    await scene.until('b requires pruning', (view) =>
      view.resources.some((r) => r.id === 'ConfigMap/b' && r.requiresPruning),
    );

    const view = await scene.sync({ prune: true });

    assert.equal(view.phase, 'Succeeded');
    assert.deepEqual(
      view.results.filter(({ id }) => id === 'ConfigMap/b').map(({ status }) => status),
      ['Pruned'],
    );
    await scene.untilAbsent('ConfigMap/b');
    await scene.until('Synced, one resource', (seen) => seen.sync === 'Synced' && seen.resources.length === 1);
  });

  // Git gave it once, so that it carries our mark; a prune would take everything in it, whoever made that.
  test('SYNC-27 SYNC-32 a namespace that leaves Git is not pruned while CreateNamespace=true wants it', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    const namespace = scene.adoptNamespace(`${scene.name}-own`);
    await scene.repository.commit({
      'app/ns.yaml': { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    });
    const automated = { prune: true, selfHeal: true };
    await scene.createAutomated({ automated, destination: { namespace }, syncOptions: ['CreateNamespace=true'] });
    await scene.untilSettled();
    await scene.createObject(configMap('precious', undefined, { namespace }));

    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) }, ['app/ns.yaml']);
    await scene.untilSettled(await scene.repository.git('rev-parse', 'HEAD'));

    assert.deepEqual(await scene.data('a', namespace), { key: 'two' });
    assert.equal((await scene.live(`Namespace/${namespace}`)).metadata.deletionTimestamp, undefined);
    assert.deepEqual(await scene.data('precious', namespace), { key: 'one' });
  });

  const marks = ['Prune=false', 'Prune=confirm'];
  for (const options of marks) {
    test(`SYNC-27 ANN-04 ${options} on an object keeps it`, async (t) => {
      const scene = await world.scene(t, {
        'app/a.yaml': configMap('a'),
        'app/b.yaml': configMap('b', {}, { options }),
      });
      await scene.createAutomated({ automated: { prune: true } });
      await scene.untilSettled();
      await scene.repository.remove('app/b.yaml');
      await scene.until('b requires pruning', (view) =>
        view.resources.some((r) => r.id === 'ConfigMap/b' && r.requiresPruning),
      );
      await scene.stays('b is there', () => true);
      await scene.live('ConfigMap/b');
    });
  }

  for (const prune of [false, true]) {
    for (const selfHeal of [false, true]) {
      test(`SYNC-30 ${prune ? 'SYNC-27' : 'SYNC-26'} APP-06 prune ${prune}, selfHeal ${selfHeal}`, async (t) => {
        const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('b') });
        await scene.createAutomated({ automated: { prune, selfHeal } });
        await scene.untilSettled();

        await scene.patch('ConfigMap/a', { data: { key: 'by hand' } });
        if (selfHeal)
          await scene.untilObject('ConfigMap/a', 'is healed', (object) => at(object, 'data', 'key') === 'one');
        else await scene.until('OutOfSync', (view) => view.sync === 'OutOfSync');
        if (!selfHeal) await scene.stays('OutOfSync', (view) => view.sync === 'OutOfSync');
        assert.deepEqual(await scene.data('a'), { key: selfHeal ? 'one' : 'by hand' });

        // Together with a change, so that there is an automated operation either way.
        await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) }, ['app/b.yaml']);
        await scene.untilObject('ConfigMap/a', 'is the new one', (object) => at(object, 'data', 'key') === 'two');
        if (prune) await scene.untilAbsent('ConfigMap/b');
        else
          await scene.until('b is extra', ({ resources }) =>
            resources.some((r) => r.id === 'ConfigMap/b' && r.requiresPruning),
          );
        if (!prune) await scene.stays('OutOfSync', (view) => view.sync === 'OutOfSync');
        assert.equal((await scene.get('ConfigMap/b')) === undefined, prune);
      });
    }
  }

  test('SYNC-29 an empty render never prunes by itself, and says so', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), configMap('b')] });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();

    await scene.repository.commit({ 'app/a.yaml': '# nothing\n' });

    await scene.untilCondition('SyncError', /wipe out all resources|empty/i);
    await scene.stays('nothing is deleted', (view) => view.resources.length === 2);
    await scene.live('ConfigMap/a');
    await scene.live('ConfigMap/b');

    await scene.patchApplication({ spec: { syncPolicy: { automated: { allowEmpty: true } } } });
    await scene.untilAbsent('ConfigMap/a');
    await scene.untilAbsent('ConfigMap/b');
  });

  test('SYNC-29 a manual sync of an empty render needs prune', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.create();
    await scene.sync();
    const revision = await scene.repository.commit({ 'app/a.yaml': '# nothing\n' });
    await scene.until('sees the commit', (view) => view.revision === revision);
    await scene.sync();
    await scene.live('ConfigMap/a');
    assert.equal((await scene.sync({ prune: true })).phase, 'Succeeded');
    await scene.untilAbsent('ConfigMap/a');
  });

  const propagations = [
    { policy: 'orphan', kept: true, waits: false },
    { policy: 'background', kept: false, waits: false },
    { policy: 'foreground', kept: false, waits: true },
    { policy: undefined, kept: false, waits: true },
  ];
  for (const { policy, kept, waits } of propagations) {
    const option = policy === undefined ? 'no PrunePropagationPolicy' : `PrunePropagationPolicy=${policy}`;
    const outcome = kept ? 'leaves the dependants' : waits ? 'waits for the dependants' : 'takes the dependants later';
    test(`SYNC-31 ${option} ${outcome}`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'app/b.yaml': deployment('page') });
      const syncOptions = policy === undefined ? [] : [option];
      await scene.createAutomated({ automated: { prune: true }, syncOptions });
      await scene.untilSettled();
      const replicaSets = await world.cluster.client.resourceFor({ group: 'apps', version: 'v1', kind: 'ReplicaSet' });
      const dependants = async (): Promise<readonly KubeObject[]> =>
        (await world.cluster.client.list(replicaSets, { namespace: scene.namespace })).items;
      const [dependant, ...others] = await dependants();
      assert.ok(dependant !== undefined && others.length === 0);
      const id = `ReplicaSet/${dependant.metadata.name ?? ''}`;
      await scene.patch(id, { metadata: { finalizers: ['example.com/hold'] } });
      t.after(() => scene.patch(id, { metadata: { finalizers: null } }).catch(() => undefined));

      await scene.repository.remove('app/b.yaml');

      // Only a foreground deletion leaves the owner until what it owns has gone.
      if (waits)
        await scene.untilObject('Deployment/page', 'waits for its dependants', (object) =>
          listAt(object, 'metadata', 'finalizers').includes('foregroundDeletion'),
        );
      else await scene.untilAbsent('Deployment/page');
      if (kept) {
        await scene.stays('looked at', () => true);
        assert.deepEqual((await scene.live(id)).metadata.deletionTimestamp, undefined);
        return;
      }
      await scene.untilObject(id, 'is to go', (object) => object?.metadata.deletionTimestamp !== undefined);
      await scene.patch(id, { metadata: { finalizers: null } });
      await until('the dependants are gone', async () => {
        const left = await dependants();
        return left.length === 0 ? { is: true } : { seen: `${left.length} ReplicaSets` };
      });
      await scene.untilAbsent('Deployment/page');
    });
  }

  const places = [
    { where: 'the application', syncOptions: ['PruneLast=true'], mark: {} },
    { where: 'the object', syncOptions: [], mark: { options: 'PruneLast=true' } },
    { where: 'neither', syncOptions: [], mark: {} },
  ];
  for (const { where, syncOptions, mark } of places) {
    test(`SYNC-35 PruneLast on ${where}: deletions ${where === 'neither' ? 'come first' : 'come after everything else'}`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'app/old.yaml': configMap('old', {}, mark) });
      await scene.createAutomated({ automated: { prune: true }, syncOptions });
      await scene.untilSettled();
      const record = await scene.record('ConfigMap', 'Deployment');
      const more = [deployment('new', { duration: '1s' }), configMap('later', {}, { wave: 1 })];
      await scene.repository.commit({ 'app/new.yaml': more }, ['app/old.yaml']);
      await scene.until(
        'all done',
        (view) => view.sync === 'Synced' && view.phase === 'Succeeded' && record.created.includes('ConfigMap/later'),
      );
      const order = record.events.map(({ id }) => id).filter((id) => /old|later/.test(id));
      assert.deepEqual(
        order,
        where === 'neither' ? ['ConfigMap/old', 'ConfigMap/later'] : ['ConfigMap/later', 'ConfigMap/old'],
      );
    });
  }
}
