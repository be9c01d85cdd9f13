import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, type KubeObject } from '@tiphys/api';
import type { ApplicationView } from './harness/application.ts';
import { configMap, deployment, job } from './harness/manifests.ts';
import { applicationKind, type Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

/** The manifest of a child of the scene's application: its own folder, namespace and automated sync. */
function child(
  scene: Scene,
  suffix: string,
  more: Readonly<{ wave?: number; cascade?: boolean; apiVersion?: string; spec?: object }> = {},
) {
  const name = `${scene.name}-${suffix}`;
  scene.adopt(name);
  const object = scene.application({
    name,
    source: { path: suffix },
    automated: { prune: true },
    ...(more.cascade === true ? { cascade: true } : {}),
    ...(more.wave === undefined ? {} : { annotations: { 'argocd.argoproj.io/sync-wave': String(more.wave) } }),
    ...(more.spec === undefined ? {} : { spec: more.spec }),
  });
  return { ...object, ...(more.apiVersion === undefined ? {} : { apiVersion: more.apiVersion }) };
}

/** Parents live in the control plane's namespace: so do the children that they make. */
const inControlPlane = (world: World) => ({ destination: { namespace: world.namespace } });

/** Applications of applications. */
export function childTests(world: World): void {
  test('APP-12 APP-13 APP-15 one apply of a parent brings up its children; a new file is a new child, a removed one goes with its workload', async (t) => {
    const scene = await world.scene(t);
    const [one, two] = ['one', 'two'].map((name) => child(scene, name, { cascade: true }));
    await scene.repository.commit({
      'app/one.yaml': one!,
      'one/a.yaml': configMap('of-one'),
      'two/a.yaml': configMap('of-two'),
    });
    await scene.createAutomated({ ...inControlPlane(world), automated: { prune: true } });
    await scene.untilSettled('', { name: `${scene.name}-one` });
    const parent = await scene.untilSettled();
    assert.deepEqual(
      parent.resources.map(({ id, status }) => `${id} ${status}`),
      [`Application/${scene.name}-one Synced`],
    );
    assert.equal(at(parent.object, 'status', 'summary', 'isAppOfApps'), true);

    await scene.repository.commit({ 'app/two.yaml': two! });
    await scene.untilSettled('', { name: `${scene.name}-two` });
    assert.deepEqual(await scene.data('of-two'), { key: 'one' });

    await scene.repository.remove('app/one.yaml');
    await scene.untilGone(`${scene.name}-one`);
    assert.equal(await scene.get('ConfigMap/of-one'), undefined);
    await scene.live('ConfigMap/of-two');
  });

  test('APP-16 a dry run says how much goes with a child that a parent prunes, its own children included', async (t) => {
    const scene = await world.scene(t);
    const [one, free] = [child(scene, 'one', { cascade: true }), child(scene, 'free')];
    await scene.repository.commit({
      'app/one.yaml': one,
      'app/free.yaml': free,
      'one/a.yaml': [configMap('one-a'), configMap('one-b')],
      'one/deep.yaml': child(scene, 'deep', { cascade: true }),
      'deep/a.yaml': configMap('deep'),
      'free/a.yaml': configMap('free'),
      'app/kept.yaml': configMap('kept', {}, { namespace: scene.namespace }),
    });
    await scene.create(inControlPlane(world));
    await scene.sync();
    for (const suffix of ['one', 'deep', 'free']) await scene.untilSettled('', { name: `${scene.name}-${suffix}` });
    const revision = await scene.repository.remove('app/one.yaml', 'app/free.yaml');
    await scene.until('sees the commit', (view) => view.revision === revision);

    const view = await scene.sync({ dryRun: true, prune: true });

    const said = view.results.filter(({ status }) => status === 'Pruned').map(({ id, message }) => `${id} ${message}`);
    assert.deepEqual(said.toSorted(), [
      `Application/${scene.name}-free pruned (dry run)`,
      // Two ConfigMaps, an application, and what that deploys.
      `Application/${scene.name}-one pruned, and with it 4 objects of its own (dry run)`,
    ]);
    for (const id of ['one-a', 'free']) await scene.live(`ConfigMap/${id}`);
    await scene.live('ConfigMap/deep');
  });

  test('APP-14 HEALTH-21 a child of a later wave is created only when the earlier one is Healthy', async (t) => {
    const scene = await world.scene(t);
    const children = [child(scene, 'infra', { wave: 0 }), child(scene, 'work', { wave: 2 })];
    await scene.repository.commit({
      'app/children.yaml': children,
      'infra/a.yaml': deployment('infra', { outcome: 'never-ready' }),
      'work/a.yaml': configMap('work'),
    });
    await scene.createAutomated(inControlPlane(world));
    await scene.until('the first child is Progressing', (view) => view.health === 'Progressing', {
      name: `${scene.name}-infra`,
    });
    await scene.stays('the parent waits', (view) => view.phase === 'Running');
    assert.equal(await scene.find(`${scene.name}-work`), undefined);

    await scene.repository.commit({ 'infra/a.yaml': deployment('infra') });

    await scene.untilSettled('', { name: `${scene.name}-work` });
    await scene.untilSettled();
  });

  const changes: readonly (readonly [string, readonly KubeObject[], readonly KubeObject[]])[] = [
    [
      'whose new objects are not ready',
      [deployment('infra'), deployment('more', { outcome: 'never-ready' })],
      [deployment('infra'), deployment('more')],
    ],
    [
      'whose sync still runs, though its objects are healthy',
      [deployment('infra'), configMap('more'), job('check', { hook: 'PostSync', duration: '6s' })],
      [deployment('infra'), configMap('more'), job('check', { hook: 'PostSync', duration: '6s' })],
    ],
  ];
  for (const [what, first, then] of changes)
    test(`APP-14 HEALTH-21 what was said of the old spec of a child lets no wave pass: a child ${what}`, async (t) => {
      const scene = await world.scene(t);
      const childAt = (suffix: string, wave: number, path: string): KubeObject => {
        const source = { repoURL: scene.repository.url, targetRevision: 'HEAD', path };
        return child(scene, suffix, { wave, spec: { source } });
      };
      const children = (version: string) => [
        childAt('infra', 0, `infra${version}`),
        childAt('work', 2, `work${version}`),
      ];
      const [infra, work] = [`${scene.name}-infra`, `${scene.name}-work`];
      await scene.repository.commit({
        'app/children.yaml': children(''),
        'infra/a.yaml': deployment('infra'),
        'work/a.yaml': configMap('work'),
        'infra2/a.yaml': first,
        'work2/a.yaml': configMap('work', { key: 'two' }),
      });
      await scene.createAutomated(inControlPlane(world));
      for (const name of [work, infra]) await scene.untilSettled('', { name });
      await scene.untilSettled();

      await scene.repository.commit({ 'app/children.yaml': children('2') });
      const pathOf = (view: ApplicationView): unknown => at(view.object, 'spec', 'source', 'path');
      await scene.until('the first child has the new spec', (view) => pathOf(view) === 'infra2', { name: infra });
      await scene.stays('the second waits', (view) => pathOf(view) === 'work', { name: work, timeoutMs: 4000 });

      await scene.repository.commit({ 'infra2/a.yaml': then, 'infra2/note.txt': 'done' });
      await scene.until('the second follows', (view) => pathOf(view) === 'work2', { name: work });
      const healthy = await scene.view(infra);
      assert.deepEqual([healthy.phase, healthy.health, healthy.sync], ['Succeeded', 'Healthy', 'Synced']);
      await scene.untilSettled();
    });

  test('HEALTH-21 a child that has yet to sync its newest revision is on its way, however healthy the last one is', async (t) => {
    const scene = await world.scene(t);
    const quiet = { 'argocd.argoproj.io/skip-reconcile': 'true' }; // what it says, the test says
    const one = child(scene, 'one', { wave: 0 });
    const marked = { ...one, metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, ...quiet } } };
    const later = configMap('later', {}, { wave: 1, namespace: scene.namespace });
    await scene.repository.commit({ 'app/a.yaml': [marked, later], 'one/a.yaml': configMap('of-one') });
    await scene.create(inControlPlane(world));
    await scene.until('compared', (view) => view.sync === 'OutOfSync');
    await scene.request();
    const name = `${scene.name}-one`;
    await scene.until('waits for it', (view) => view.phase === 'Running' && view.message.includes(name));
    const { object } = await scene.view(name);
    const comparedTo = { source: at(object, 'spec', 'source'), destination: at(object, 'spec', 'destination') };
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' };
    const state = { phase: 'Succeeded', operation: {}, ...times, syncResult: { revision: 'a'.repeat(40) } };
    const says = (status: string, revision: string): Promise<void> =>
      scene.patchApplication(
        {
          status: {
            sync: { status, revision: revision.repeat(40), comparedTo },
            health: { status: 'Healthy' },
            operationState: state,
          },
        },
        name,
      );
    await says('OutOfSync', 'b');
    await scene.stays('waits', (view) => view.phase === 'Running');
    assert.equal(await scene.get('ConfigMap/later'), undefined);
    await says('Synced', 'a');
    await scene.untilObject('ConfigMap/later', 'is made', (made) => made !== undefined);
  });

  test('APP-15 HEALTH-21 a Degraded child makes its parent Degraded', async (t) => {
    const scene = await world.scene(t);
    await scene.repository.commit({
      'app/one.yaml': child(scene, 'one'),
      'one/a.yaml': job('broken', { outcome: 'fail' }),
    });
    await scene.createAutomated(inControlPlane(world));
    await scene.until('Degraded', (view) => view.health === 'Degraded', { name: `${scene.name}-one` });
    await scene.until('Synced, Degraded', (view) => view.health === 'Degraded' && view.sync === 'Synced');
  });

  test('APP-01 a child written with the group argocd.io is stored under the real group, with a warning', async (t) => {
    const scene = await world.scene(t);
    await scene.repository.commit({
      'app/one.yaml': child(scene, 'one', { apiVersion: 'argocd.io/v1alpha1' }),
      'one/a.yaml': configMap('of-one'),
    });
    await scene.createAutomated(inControlPlane(world));
    await scene.untilSettled('', { name: `${scene.name}-one` });
    const stored = await world.cluster.client.get({
      gvk: applicationKind,
      namespace: world.namespace,
      name: `${scene.name}-one`,
    });
    assert.equal(stored?.apiVersion, 'argoproj.io/v1alpha1');
    await scene.until('warned', ({ conditions }) => conditions.some(({ message }) => message.includes('argocd.io')));
  });

  test('APP-05 a child with a list of destinations is refused by its parent, with path and hint', async (t) => {
    const scene = await world.scene(t);
    const destinations = [{ server: 'https://kubernetes.default.svc', namespace: 'x' }];
    await scene.repository.commit({
      'app/one.yaml': child(scene, 'one', { spec: { destination: undefined, destinations } }),
      'one/a.yaml': configMap('a'),
    });
    await scene.createAutomated(inControlPlane(world));
    await scene.untilSays(/spec\.destinations[\s\S]*ApplicationSet/);
  });
}
