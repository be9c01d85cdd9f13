import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { at } from '@tiphys/api';
import { saysOf, type ApplicationView } from './harness/application.ts';
import { configMap, customResourceDefinition } from './harness/manifests.ts';
import type { Scene } from './harness/scene.ts';
import { root } from './harness/tools.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

const folder = process.env['TIPHYS_EXAMPLE_APPS'] ?? join(root, '..', 'shared/inputs/argocd-example-apps');
const absent = existsSync(folder) ? false : `the public example applications are not at ${folder}`;

const leftOut = [
  'jsonnet-guestbook',
  'jsonnet-guestbook-tla',
  'plugins/kasane',
  'plugins/kustomized-helm',
  'plugins/nix',
];

/** Objects of the application in its namespace that must be there, by `Kind/name`. */
const plain: Readonly<Record<string, readonly string[]>> = {
  guestbook: ['Deployment/guestbook-ui', 'Service/guestbook-ui'],
  'kustomize-guestbook': ['Deployment/kustomize-guestbook-ui', 'Service/kustomize-guestbook-ui'],
  'helm-guestbook': ['Deployment/*helm-guestbook', 'Service/*helm-guestbook'],
  'helm-hooks': ['ReplicaSet/frontend', 'Service/frontend', 'Job/maint-page-up', 'Job/maint-page-down'],
  'pre-post-sync': ['Deployment/pre-post-sync-kustomize-guestbook-ui'],
  'sync-waves': ['ReplicaSet/backend', 'ReplicaSet/frontend', 'Job/maint-page-up', 'Job/maint-page-down'],
  'sock-shop': ['Deployment/carts', 'Deployment/front-end', 'Service/front-end', 'Ingress/front-end-ingress'],
};

const isSettled = (view: ApplicationView): boolean =>
  view.sync === 'Synced' && view.health === 'Healthy' && view.phase === 'Succeeded';

/** The applications that every Argo CD user starts from, served from a Git repository of their own. */
export function exampleAppsSuite(world: World): void {
  const open = async (t: TestContext): Promise<Scene> => {
    const scene = await world.scene(t);
    await scene.repository.import(folder);
    return scene;
  };

  describe('example applications', { concurrency: 4, skip: absent }, () => {
    for (const [path, ids] of Object.entries(plain)) {
      test(`REC-05 REPO-03 ${path} goes to Synced, Healthy, Succeeded`, async (t) => {
        const scene = await open(t);
        await scene.create({ source: { path } });
        const view = await scene.sync();
        assert.equal(view.phase, 'Succeeded', saysOf(view));
        await scene.until('Synced, Healthy, Succeeded', isSettled);
        // A chart puts the release's name, which is the application's, before its own.
        for (const id of ids) await scene.live(id.replace('*', `${scene.name}-`));
      });
    }

    test('SYNC-36 SYNC-45 blue-green fails naming argoproj.io/Rollout, and is Synced once there is a CRD', async (t) => {
      const scene = await open(t);
      await scene.create({ source: { path: 'blue-green' } });
      const failed = await scene.sync();
      assert.equal(failed.phase, 'Failed');
      assert.match(saysOf(failed), /argoproj\.io\/Rollout/);

      const definition = scene.adoptDefinition(customResourceDefinition('argoproj.io/v1alpha1', 'Rollout'));
      await world.cluster.client.create(definition);

      await until('a sync succeeds', async () => {
        const view = await scene.sync();
        return view.phase === 'Succeeded' ? { is: true } : { seen: saysOf(view) };
      });
      await scene.until('Synced', (view) => view.sync === 'Synced');
    });

    test('REC-15 REPO-19 helm-dependency is Unknown, with the chart repository that cannot be reached', async (t) => {
      const scene = await open(t);
      await scene.create({ source: { path: 'helm-dependency' } });
      const view = await scene.untilCondition('ComparisonError', /charts\.helm\.sh/, { timeoutMs: 180_000 });
      assert.equal(view.sync, 'Unknown');
    });

    test('DIFF-02 REC-09 APP-11 a commit arrives, a deleted object comes back, a deleted application takes what is its own', async (t) => {
      const scene = await open(t);
      await scene.createObject(configMap('of-somebody-else'));
      const before = await objectsIn(world, scene.namespace);
      await scene.createAutomated({
        source: { path: 'guestbook' },
        automated: { selfHeal: true, prune: true },
        cascade: true,
      });
      await scene.untilSettled();

      const file = 'guestbook/guestbook-ui-deployment.yaml';
      const text = await scene.repository.git('show', `HEAD:${file}`);
      const revision = await scene.repository.commit({ [file]: text.replace('replicas: 1', 'replicas: 2') });
      await scene.untilSettled(revision);
      assert.equal(at(await scene.live('Deployment/guestbook-ui'), 'spec', 'replicas'), 2);

      await scene.delete('Service/guestbook-ui');
      await scene.untilObject('Service/guestbook-ui', 'is back', (object) => object !== undefined);
      await scene.untilSettled();

      await scene.deleteApplication();
      await scene.untilGone();
      await until('nothing but what was there before', async () => {
        const now = await objectsIn(world, scene.namespace);
        return now.join() === before.join() ? { is: true } : { seen: `${now.join()}\nbefore: ${before.join()}` };
      });
    });
  });

  test(
    'APP-12 APP-13 APP-15 apps: the parent is Synced with 14 children, each with its own outcome',
    { skip: absent },
    async (t) => {
      const scene = await open(t);
      const names = [...Object.keys(plain), 'blue-green', 'helm-dependency', ...leftOut];
      const nameOf = (path: string): string => `example.${path.replaceAll('/', '-').replace('plugins', 'plugin')}`;
      for (const path of names) {
        scene.adopt(nameOf(path));
        scene.adoptNamespace(path.replaceAll('/', '-').replace('plugins', 'plugin'));
      }
      const parameters = [
        { name: 'config.spec.source.repoURL', value: scene.repository.url },
        { name: 'config.spec.source.targetRevision', value: 'HEAD' },
      ];
      await scene.createAutomated({
        source: { path: 'apps', helm: { parameters } },
        destination: { namespace: 'argocd' },
      });

      const parent = await scene.until(
        'Synced with 14 children',
        (view) => view.sync === 'Synced' && view.resources.length === 14,
      );
      assert.deepEqual(
        parent.resources.map(({ id }) => id).toSorted(),
        names.map((path) => `Application/${nameOf(path)}`).toSorted(),
      );
      for (const path of Object.keys(plain))
        await scene.until('Synced, Healthy, Succeeded', isSettled, { name: nameOf(path), timeoutMs: 120_000 });
      for (const path of leftOut) {
        const view = await scene.untilCondition('ComparisonError', new RegExp(path), { name: nameOf(path) });
        assert.equal(view.sync, 'Unknown');
      }
      await scene.untilSays(/argoproj\.io\/Rollout/, { name: nameOf('blue-green') });
      await scene.untilCondition('ComparisonError', /charts\.helm\.sh/, {
        name: nameOf('helm-dependency'),
        timeoutMs: 180_000,
      });
    },
  );
}

/** Everything in a namespace but what the cluster itself writes beside it; definitions of other tests come and go. */
async function objectsIn(world: World, namespace: string): Promise<string[]> {
  const types = await world.cluster.kubectl(['api-resources', '--namespaced', '--verbs=list', '-o', 'name']);
  const own = types.split('\n').filter((type) => !/^$|^events|^endpoints|^endpointslices|argoproj|example/.test(type));
  const names = await world.cluster.kubectl(['get', own.join(','), '-n', namespace, '-o', 'name']);
  return names
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}
