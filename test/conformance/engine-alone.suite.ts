import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, stringAt } from '@tiphys/api';
import { configMap, deployment, job } from './harness/manifests.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

/** What needs the controller for itself: the count of its renders, and its death. */
export function aloneTests(world: World): void {
  /** For one test nothing brings a commit here but who asks for it. */
  async function pollRarely(t: TestContext): Promise<void> {
    await world.controller.stop();
    world.controller.start('1h');
    t.after(async () => {
      await world.controller.stop();
      world.controller.start();
    });
  }

  test('REC-01 a pass renders, compares, and stores what it found; then it may sync', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    let from = world.controller.log.length;
    const steps = (): string[] =>
      world.controller.log
        .slice(from)
        .filter(({ message, fields }) => {
          const isOwn = String(fields['application']).endsWith(`/${scene.name}`);
          return (
            message === 'rendered' ||
            (isOwn && /^(application compared|automated sync|operation finished)$/.test(message))
          );
        })
        .map(({ message }) => message);
    await scene.create();
    const compared = await scene.until('its status is written', ({ sync }) => sync === 'OutOfSync');
    await world.controller.untilLogged('it is compared', () => steps().includes('application compared'));
    assert.deepEqual(steps(), ['rendered', 'application compared']);
    assert.equal(compared.phase, '', 'no sync follows');
    assert.match(stringAt(compared.object, 'status', 'reconciledAt') ?? '', /Z$/);

    from = world.controller.log.length;
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    await scene.patchApplication({ spec: { syncPolicy: { automated: {} } } });
    await scene.untilSettled();
    await world.controller.untilLogged('the operation is over', () => steps().includes('operation finished'));
    const [first, ...rest] = steps();
    assert.equal(first, 'rendered');
    const decided = rest.indexOf('automated sync');
    assert.ok(
      rest.indexOf('application compared') < decided && decided < rest.indexOf('operation finished'),
      rest.join(),
    );
  });

  test('REC-13 what has not changed is not rendered again; a changed parameter is', async (t) => {
    const chart = {
      'app/Chart.yaml': { apiVersion: 'v2', name: 'app', version: '1.0.0' },
      'app/values.yaml': { value: 'one' },
      'app/templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {value: "{{ .Values.value }}"}\n',
    };
    const scene = await world.scene(t, chart);
    const before = world.controller.count('rendered');
    await scene.createAutomated();
    await scene.untilSettled();
    const rendered = (): number => world.controller.count('rendered') - before;
    await world.controller.untilLogged('rendered once', () => rendered() === 1);

    await scene.refresh();
    const elsewhere = await scene.repository.commit({ 'elsewhere/b.yaml': 'nothing of this application' });
    await scene.refresh();
    await scene.until('knows the new commit', (view) => view.revision === elsewhere);
    assert.equal(rendered(), 1);

    await scene.patchApplication({ spec: { source: { helm: { parameters: [{ name: 'value', value: 'two' }] } } } });
    await scene.untilObject(
      'ConfigMap/settings',
      'has the parameter',
      (object) => at(object, 'data', 'value') === 'two',
    );
    await world.controller.untilLogged('rendered twice', () => rendered() === 2);
  });

  test('REC-05 the events of our own writes are no news; a write by somebody else right after ours is', async (t) => {
    const data = Array.from({ length: 5 }, (_, index) => configMap(`c${index}`, { key: 'one' }));
    const scene = await world.scene(t, { 'app/a.yaml': data });
    const causes = (): unknown[] =>
      world.controller.log
        .filter(({ message, fields }) => message === 'application compared' && isOf(fields['application']))
        .map(({ fields }) => fields['because']);
    const isOf = (application: unknown): boolean => String(application).endsWith(`/${scene.name}`);
    await scene.create();
    await scene.sync();
    await sleep(1_000);
    assert.ok(!causes().includes('live-changed'), causes().join());

    await scene.repository.commit({
      'app/a.yaml': data.map(({ metadata }) => configMap(metadata.name ?? '', { key: 'two' })),
    });
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');
    // Right before the operation, and, side by side with it, as soon as it has written an object.
    const objects = data.map(({ metadata }) => `ConfigMap/${metadata.name ?? ''}`);
    for (const object of objects) await scene.patch(object, { data: { key: 'by hand before' } });
    const meddle = async (object: string): Promise<void> => {
      await until(`${object} is written`, async () => {
        const key = at(await scene.live(object), 'data', 'key');
        return key === 'two' ? { is: true } : { seen: String(key) };
      });
      await scene.patch(object, { data: { key: 'by hand after' } });
    };
    await Promise.all([scene.sync(), ...objects.map(meddle)]);
    await scene.until('says what is so', ({ sync }) => sync === 'OutOfSync');
    await scene.sync();
    await scene.until('Synced', ({ sync }) => sync === 'Synced');
  });

  test('REC-02 an interval without news is no work; what a watch does not tell is found at the next one', async (t) => {
    const cm = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace: world.namespace } };
    await world.cluster.client.apply(
      { ...cm, data: { 'timeout.reconciliation': '1s' } },
      { fieldManager: 'conformance' },
    );
    t.after(() =>
      world.cluster.client.delete({ gvk: { group: '', version: 'v1', kind: 'ConfigMap' }, ...cm.metadata }),
    );
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();
    const compared = (): number => world.controller.count('application compared');
    await until('two intervals without a comparison', async () => {
      const before = compared();
      await sleep(2_500);
      return compared() === before ? { is: true } : { seen: `${compared() - before} comparisons` };
    });

    await scene.patchApplication({ status: { sync: { status: 'OutOfSync' }, resources: null } });
    await scene.until('what is so is written again', (view) => view.sync === 'Synced');
    const elsewhere = await scene.repository.commit({ 'elsewhere/b.yaml': 'nothing of this application' });
    await scene.until('names the newest commit', (view) => view.revision === elsewhere);
  });

  test('REC-03 who asks for a sync, changes the spec or refreshes gets what is in Git at that moment', async (t) => {
    await pollRarely(t);
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a', { key: 'one' }) });
    await scene.create();
    await scene.until('compared', (view) => view.sync === 'OutOfSync');

    const second = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    const synced = await scene.sync();
    assert.equal(synced.syncedRevision, second);
    assert.deepEqual(await scene.data('a'), { key: 'two' });

    const third = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'three' }) });
    await scene.patchApplication({ spec: { source: { directory: { recurse: true } } } });
    await scene.until('compared with the third commit', (view) => view.revision === third);

    const fourth = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'four' }) });
    await scene.refresh();
    await scene.until('compared with the fourth commit', (view) => view.revision === fourth);
    await scene.stays('at the fourth commit', (view) => view.revision === fourth, { timeoutMs: 1000 });
    // A commit that the watch of the repository has not seen yet is no reason to compare for ever.
    const compared = world.controller.count('application compared');
    await scene.stays('at the fourth commit', (view) => view.revision === fourth);
    assert.ok(world.controller.count('application compared') <= compared + 1, world.controller.tail());
  });

  test('REC-15 a repository that was lost stays lost, whatever is compared meanwhile', async (t) => {
    await pollRarely(t);
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();

    await scene.repository.goAway();
    await scene.refresh();
    await scene.until('Unknown', (view) => view.sync === 'Unknown');
    // A change in the cluster has it compared again, with no need to ask the repository.
    await scene.patch('ConfigMap/a', { data: { key: 'by hand' } });
    await scene.stays('Unknown', (view) => view.sync === 'Unknown');

    await scene.repository.comeBack();
    await scene.refresh();
    await scene.until('known again', (view) => view.sync === 'OutOfSync');
  });

  test('REC-16 killed during a PreSync Job: after the restart the operation goes on, with one Job run', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [job('migrate', { hook: 'PreSync', duration: '4s' }), deployment('page')],
    });
    const record = await scene.record('Job', 'Deployment');
    await scene.createAutomated();
    await scene.untilObject('Job/migrate', 'is there', (object) => object !== undefined);
    const before = await scene.view();

    await world.controller.stop('SIGKILL');
    await sleep(500);
    world.controller.start();

    const view = await scene.untilSettled();
    assert.deepEqual(record.created, ['Job/migrate', 'Deployment/page']);
    assert.equal(view.startedAt, before.startedAt === '' ? view.startedAt : before.startedAt);
    assert.equal(view.history.length, 1);
  });

  test('REC-16 killed at any moment: each wave and hook runs once and the operation ends', async (t) => {
    const objects = [
      job('before', { hook: 'PreSync', duration: '700ms' }),
      ...[0, 1, 2, 3].map((wave) => deployment(`page${wave}`, { wave, duration: '300ms' })),
      job('during', { hook: 'Sync', wave: 2, duration: '700ms' }),
      job('after', { hook: 'PostSync', duration: '700ms', deletePolicy: 'HookSucceeded' }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': objects });
    const record = await scene.record('Job', 'Deployment');
    await scene.createAutomated();
    // The first in the PreSync hook, the second between two waves, the third in a hook beside a resource.
    for (const created of [1, 3, 5]) {
      await until(`${created} objects are made`, () => {
        const { length } = record.created;
        const seen = `${record.created.join()}\n${world.controller.tail()}`;
        return Promise.resolve(length >= created ? { is: true } : { seen });
      });
      await world.controller.stop('SIGKILL');
      world.controller.start();
    }
    await scene.untilSettled('', { timeoutMs: 120_000 });
    await record.until('the last hook has run', ({ created }) => created.includes('Job/after'));
    assert.deepEqual(record.created, [
      'Job/before',
      'Deployment/page0',
      'Deployment/page1',
      ...record.created.slice(3, 5),
      'Deployment/page3',
      'Job/after',
    ]);
    assert.deepEqual(record.created.slice(3, 5).toSorted(), ['Deployment/page2', 'Job/during']);
  });

  test('REC-16 what changed in Git and in the cluster while the controller was down is seen at the next start', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('b') });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();
    await world.controller.stop();
    const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    await scene.delete('ConfigMap/b');

    world.controller.start();

    await scene.untilSettled(revision);
    assert.deepEqual(await scene.data('a'), { key: 'two' });
    await scene.live('ConfigMap/b');
  });
}
