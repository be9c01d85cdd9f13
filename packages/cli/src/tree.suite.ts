import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type KubeObject, listAt, parseJson, systemClock } from '@tiphys/api';
import { type Access, type ClusterUnderTest, openClusterUnderTest, type Outcome } from './cluster-under-test.suite.ts';

/** What is seen of an application's objects in a cluster that runs workloads, without a controller of ours. */
export function treeSuite(access: () => Promise<Access>): void {
  describe('the objects of an application', () => {
    let world: ClusterUnderTest;
    let target: string;

    const make = (kind: string, name: string, more: object = {}): Promise<KubeObject> =>
      world.client.create({
        apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
        kind,
        metadata: { name, namespace: target, annotations: marks(kind, name) },
        ...more,
      });
    const marks = (kind: string, name: string): Record<string, string> =>
      name.startsWith('loose')
        ? {}
        : {
            'argocd.argoproj.io/tracking-id': `shop:${kind === 'Deployment' ? 'apps' : ''}/${kind}:${target}/${name}`,
          };

    before(async () => {
      world = await openClusterUnderTest(await access());
      ({ target } = world);
      const flags = ['--repo', 'https://git.example.com/r.git', '--path', 'k8s', '--dest-namespace', target];
      await world.cli(['app', 'create', 'shop', '--dest-server', 'https://kubernetes.default.svc', ...flags]);
      const labels = { app: 'web' };
      const template = {
        metadata: { labels },
        spec: { containers: [{ name: 'c', image: 'registry.example.com/c:1' }] },
      };
      await make('Deployment', 'web', { spec: { replicas: 2, selector: { matchLabels: labels }, template } });
      await make('ConfigMap', 'settings', { data: { a: 'b' } });
      await make('ConfigMap', 'loose', { data: {} });
      const resource = (group: string, kind: string, name: string): object => ({
        ...{ group, version: 'v1', kind, name, namespace: target, status: 'Synced' },
      });
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      const body = {
        status: {
          sync: { status: 'Synced' },
          resourceHealthSource: 'appTree',
          resources: [
            resource('apps', 'Deployment', 'web'),
            resource('', 'ConfigMap', 'settings'),
            resource('', 'ConfigMap', 'gone'),
          ],
        },
      };
      await world.client.patch({ gvk, namespace: world.control, name: 'shop' }, { type: 'merge', body });
      for (let attempt = 0; attempt < 300; attempt++) {
        const { out } = await world.cli(['app', 'resources', 'shop']);
        if ((out.match(/ Pod /g) ?? []).length === 2) break;
        await systemClock.sleep(100);
      }
    });
    after(() => world[Symbol.asyncDispose]());

    test('CLI-11 get -o tree shows a Deployment with its ReplicaSet and Pods', async () => {
      const { exit, out } = await world.cli(['app', 'get', 'shop', '-o', 'tree']);
      assert.equal(exit, 0);
      assert.match(
        out,
        /├─apps\/Deployment\/web +Synced .*\n│ └─apps\/ReplicaSet\/web-\S+ .*\n│ {3}├─Pod\/web-\S+ .*\n│ {3}└─Pod\/web-/,
      );
      assert.match(out, /└─ConfigMap\/gone +Synced +Missing/);
      assert.match(out, /^Name: +\S+\/shop$/m);
    });
    test('CLI-11 tree=detailed adds age and reason', async () => {
      const { out } = await world.cli(['app', 'resources', 'shop', '-o', 'tree=detailed']);
      assert.match(out, /^KIND\/NAME +STATUS +HEALTH +AGE +MESSAGE +REASON$/m);
      assert.match(out, /Pod\/web-\S+ +\S+ +\d+[sm]\S* .*[A-Za-z]$/m);
    });
    test('resources lists what is owned too; --orphaned what belongs to no application', async () => {
      const kinds = async (...flags: readonly string[]): Promise<string[]> => {
        const { out } = await world.cli(['app', 'resources', 'shop', ...flags]);
        return out
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => line.trim().split(/\s+/))
          .map((cells) =>
            `${cells.at(-4) ?? ''}/${cells.at(-2) ?? ''} ${cells.at(-1) ?? ''}`.replace(/web-\S+/, 'web-*'),
          );
      };
      assert.deepEqual((await kinds('--orphaned=false')).sort(), [
        'ConfigMap/gone No',
        'ConfigMap/settings No',
        'Deployment/web No',
      ]);
      const all = await kinds();
      for (const row of ['ReplicaSet/web-* No', 'Pod/web-* No']) assert.ok(all.includes(row), all.join('\n'));
      assert.deepEqual(await kinds('--orphaned'), ['ConfigMap/loose Yes']);
    });
    test('CLI-16 wait --health --resource looks at the live objects', async () => {
      const wait = (resource: string, timeout: string): Promise<Outcome> =>
        world.cli(['app', 'wait', 'shop', '--health', '--resource', resource, '--timeout', timeout]);
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      const answered = async <T>(waiting: Promise<T>): Promise<T> => {
        await systemClock.sleep(300);
        const body = { metadata: { annotations: { 'argocd.argoproj.io/refresh': null } } };
        await world.client.patch({ gvk, namespace: world.control, name: 'shop' }, { type: 'merge', body });
        return waiting;
      };
      const healthy = await answered(wait('apps:Deployment:web', '60'));
      assert.deepEqual([healthy.exit, healthy.err], [0, '']);
      const missing = await answered(wait(':ConfigMap:gone', '3'));
      assert.equal(missing.exit, 20);
      assert.match(missing.err, /health Healthy \(now Missing\)/);
      assert.equal((await answered(wait(`:ConfigMap:${target}/settings`, '20'))).exit, 0);
    });
    test('--project makes sure of the project', async () => {
      assert.equal((await world.cli(['app', 'resources', 'shop', '--project', 'default'])).exit, 0);
      assert.equal((await world.cli(['app', 'resources', 'shop', '--project', 'other'])).exit, 20);
    });
    test('delete-resource and patch-resource change managed objects, and nothing of others', async () => {
      const inCluster = (kind: string, name: string): Promise<KubeObject | undefined> =>
        world.client.get({ gvk: { group: '', version: 'v1', kind }, namespace: target, name });
      for (const name of ['one', 'two', 'theirs']) await make('ConfigMap', name, { data: { key: 'old' } });
      const foreign = { 'argocd.argoproj.io/tracking-id': `other:/ConfigMap:${target}/theirs` };
      const ref = { gvk: { group: '', version: 'v1', kind: 'ConfigMap' }, namespace: target, name: 'theirs' };
      await world.client.patch(ref, { type: 'merge', body: { metadata: { annotations: foreign } } });
      const app = { gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }, namespace: world.control };
      const shop = { ...app, name: 'shop' };
      const before = listAt(await world.client.get(shop), 'status', 'resources');
      const more = ['one', 'two', 'theirs'].map((name) => ({
        version: 'v1',
        kind: 'ConfigMap',
        namespace: target,
        name,
      }));
      await world.client.patch(shop, { type: 'merge', body: { status: { resources: [...before, ...more] } } });
      const change = (verb: string, ...flags: readonly string[]): Promise<Outcome> =>
        world.cli(['app', verb, 'shop', '--kind', 'ConfigMap', ...flags]);

      const patch = ['--patch', '{"data":{"key":"new"}}'];
      const patched = await change('patch-resource', '--resource-name', 'one', ...patch);
      assert.deepEqual([patched.exit, patched.out, patched.err], [0, "Resource 'one' patched\n", '']);
      assert.deepEqual((await inCluster('ConfigMap', 'one'))?.['data'], { key: 'new' });
      const json = ['--patch-type', 'application/json-patch+json', '--patch', '[{"op":"remove","path":"/data/key"}]'];
      assert.equal((await change('patch-resource', '--resource-name', 'one', ...json)).exit, 0);
      assert.equal((await inCluster('ConfigMap', 'one'))?.['data'], undefined);
      const refused = await change('patch-resource', '--resource-name', 'theirs', ...patch);
      assert.equal(refused.exit, 20);
      assert.match(refused.err, /belongs to other/);
      assert.deepEqual((await inCluster('ConfigMap', 'theirs'))?.['data'], { key: 'old' });

      const several = await change('delete-resource');
      assert.equal(several.exit, 1);
      assert.match(several.err, /resources match.*--all/);
      assert.match((await change('delete-resource', '--resource-name', 'nobody')).err, /No matching resource found/);
      assert.match((await change('delete-resource', '--resource-name', 'theirs')).err, /belongs to other/);
      const deleted = await change('delete-resource', '--resource-name', 'two', '--namespace', target);
      assert.deepEqual([deleted.exit, deleted.out, deleted.err], [0, "Resource 'two' deleted\n", '']);
      // In the foreground: the garbage collector takes it away.
      for (let attempt = 0; attempt < 100 && (await inCluster('ConfigMap', 'two')) !== undefined; attempt++)
        await systemClock.sleep(100);
      assert.equal(await inCluster('ConfigMap', 'two'), undefined);
      assert.equal((await change('delete-resource', '--resource-name', 'one', '--force')).exit, 0);
      assert.equal(await inCluster('ConfigMap', 'one'), undefined);
      assert.notEqual(await inCluster('ConfigMap', 'theirs'), undefined);
      await world.client.patch(shop, { type: 'merge', body: { status: { resources: before } } });
    });
    test('JSON is the list of the status', async () => {
      const { out } = await world.cli(['app', 'resources', 'shop', '-o', 'json']);
      assert.equal(listAt(parseJson(out)).length, 3);
    });
  });
}
