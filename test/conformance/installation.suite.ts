import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { KubeObject } from '@tiphys/api';
import type { LogLine } from './harness/controller.ts';
import { configMap, manifest } from './harness/manifests.ts';
import { until } from './harness/until.ts';
import type { Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

const refused = 20;
const rival = 'argocd-application-controller';

/** The application-controller of somebody else, as its usual installation has it. */
const foreignController = (namespace: string, annotations: Readonly<Record<string, string>> = {}): KubeObject => {
  const labels = { 'app.kubernetes.io/name': rival };
  const template = {
    metadata: { labels, annotations },
    spec: { containers: [{ name: rival, image: 'example/argocd' }] },
  };
  const spec = { replicas: 1, serviceName: rival, selector: { matchLabels: labels }, template };
  return manifest('apps/v1 StatefulSet', rival, { namespace, labels, body: { spec } });
};

/** Two installations on one cluster would fight: who comes second keeps its hands off. */
export function installationSuite(world: World): void {
  const scale = (scene: Scene, replicas: number): Promise<void> =>
    scene.patch(`StatefulSet/${rival}`, { spec: { replicas } });

  const lease = () => ({
    gvk: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
    namespace: world.namespace,
    name: 'tiphys-application-controller',
  });

  /** Brings the workload of a controller, and takes it away when the test ends: a namespace takes its time. */
  async function bring(t: TestContext, workload: KubeObject): Promise<void> {
    const { client } = world.cluster;
    await client.create(workload);
    const { namespace, name = '' } = workload.metadata;
    const ref = { gvk: { group: 'apps', version: 'v1', kind: 'StatefulSet' }, namespace, name };
    t.after(async () => {
      await client.delete(ref).catch(() => undefined);
      await until('the workload is gone', async () => {
        const found = await client.get(ref);
        return found === undefined ? { is: true } : { seen: 'it is there' };
      });
    });
  }

  /** A scene whose application another installation has worked on, and that one's controller. */
  async function foreignScene(t: TestContext): Promise<Scene> {
    await world.controller.stop();
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await bring(t, foreignController(scene.namespace));
    await scene.createAutomated();
    const history = [{ id: 0, revision: 'a'.repeat(40), deployedAt: '2026-01-01T00:00:00Z' }];
    await scene.patchApplication({ status: { reconciledAt: '2026-01-01T00:00:00Z', history } });
    await world.cluster.client.delete(lease()).catch(() => undefined);
    return scene;
  }

  const untouched = async (scene: Scene): Promise<void> => {
    assert.equal(await scene.get('ConfigMap/a'), undefined);
    const object = await world.cluster.client.get({
      gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' },
      namespace: world.namespace,
      name: scene.name,
    });
    assert.deepEqual(Object.keys(object?.['status'] ?? {}).toSorted(), ['history', 'reconciledAt']);
  };

  describe('another installation', { concurrency: 1 }, () => {
    test('a controller does not start where another one runs, and --take-over does not help', async (t) => {
      const scene = await foreignScene(t);
      for (const flags of [[], ['--take-over']]) {
        world.controller.start('300ms', ...flags);
        const { exit, said } = await world.controller.ended();
        assert.equal(exit, refused);
        assert.match(said, new RegExp(`StatefulSet ${scene.namespace}/${rival} .*scale it to 0`));
      }
      await untouched(scene);
    });

    test('where another one has worked it starts with --take-over alone, and from then on without', async (t) => {
      const scene = await foreignScene(t);
      await scale(scene, 0);
      await scene.untilObject(`StatefulSet/${rival}`, 'has no pods', (object) => {
        const status = object?.['status'] as { replicas?: number } | undefined;
        return (status?.replicas ?? 0) === 0;
      });
      world.controller.start();
      const { exit, said } = await world.controller.ended();
      assert.equal(exit, refused);
      assert.match(said, new RegExp(`worked on 1 Application.*${scene.name}.*--take-over`));
      await untouched(scene);

      world.controller.start('300ms', '--take-over');
      await scene.untilSettled();
      await scene.live('ConfigMap/a');

      await world.controller.stop();
      world.controller.start();
      const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
      await scene.untilSettled(revision);
    });

    test('one that is started beside ours stops it from writing until it is gone', async (t) => {
      world.controller.assertAlive();
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      await scene.createAutomated();
      await scene.untilSettled();

      await bring(t, foreignController(scene.namespace));
      const isTold = ({ message, text }: LogLine): boolean =>
        message === 'nothing is written for now' && text.includes(`StatefulSet ${scene.namespace}/${rival}`);
      await world.controller.untilLogged('another controller runs', (log) => log.some(isTold));
      const before = (await scene.view()).object;
      const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
      await scene.stays(
        'as it was',
        ({ object }) => object.metadata.resourceVersion === before.metadata.resourceVersion,
      );
      assert.notDeepEqual(await scene.data('a'), { key: 'two' });

      await scale(scene, 0);
      await scene.untilSettled(revision);
      assert.deepEqual(await scene.data('a'), { key: 'two' });
    });

    test('while another process holds the Lease nothing is written, neither objects nor statuses', async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      await scene.createAutomated();
      await scene.untilSettled();
      const hold = (): Promise<unknown> =>
        world.cluster.client.patch(lease(), {
          type: 'merge',
          body: {
            spec: {
              holderIdentity: 'another-machine_1',
              leaseDurationSeconds: 3,
              renewTime: new Date().toISOString().replace('Z', '000Z'),
            },
          },
        });
      await hold();
      const renewal = setInterval(() => void hold().catch(() => undefined), 500);
      t.after(() => clearInterval(renewal));
      const before = world.controller.count('nothing is written for now');
      const count = (): number => world.controller.count('nothing is written for now');
      await world.controller.untilLogged('it has noticed', () => count() > before);
      const { object } = await scene.view();
      const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
      await scene.stays('as it was', (view) => view.revision !== revision);
      assert.deepEqual((await scene.view()).object['status'], object['status']);

      clearInterval(renewal);
      await scene.untilSettled(revision);
      assert.deepEqual(await scene.data('a'), { key: 'two' });
    });

    test('a workload of ours by that name is nobody else', async (t) => {
      await world.controller.stop();
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      await bring(t, foreignController(scene.namespace, { 'tiphys.dev/workload': 'application-controller' }));
      await scene.createAutomated();
      world.controller.start();
      await scene.untilSettled();
    });
  });
}
