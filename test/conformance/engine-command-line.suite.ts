import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@tiphys/api';
import { tiphys } from './harness/command-line.ts';
import { configMap, deployment, job } from './harness/manifests.ts';
import type { World } from './harness/world.ts';

const edition = (value: string) => ({
  selector: { matchLabels: { app: 'page', edition: value } },
  template: {
    metadata: { labels: { app: 'page', edition: value } },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  },
});

/** The command line and the controller, each a process of its own, that know of each other by the cluster alone. */
export function commandLineTests(world: World): void {
  test('SYNC-39 SYNC-41 SYNC-46 app sync asks for the same operation as a request, waits for its end and shows each result', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync', duration: '500ms' })],
      'app/b.yaml': configMap('b'),
    });
    const row = (id: string, ...words: readonly string[]): RegExp =>
      new RegExp(`^\\S* +${id.replace('/', ` +${scene.namespace} +`)} .*${words.join('.*')}`, 'm');
    const sync = (...flags: readonly string[]) => tiphys(world, 'app', 'sync', scene.name, ...flags);
    await scene.create();
    await scene.until('compared', (view) => view.sync === 'OutOfSync');
    const first = await sync();
    assert.equal(first.exit, 0, first.err);
    assert.match(first.out, row('Job/migrate', 'Succeeded', 'PreSync'));
    assert.match(first.out, row('ConfigMap/a', 'Synced', 'configmap/a created'));
    const { object } = await scene.until('Succeeded', ({ phase, requested }) => phase === 'Succeeded' && !requested);
    const asked = await scene.sync({ syncStrategy: { hook: {} } });
    const operation = ['status', 'operationState', 'operation', 'sync'] as const;
    assert.deepEqual(at(object, ...operation), at(asked.object, ...operation));

    const revision = await scene.repository.remove('app/b.yaml');
    await scene.until('sees the commit', (view) => view.revision === revision);
    const dry = await sync('--dry-run', '--prune');
    assert.equal(dry.exit, 0, dry.err);
    assert.match(dry.out, row('ConfigMap/b', 'OutOfSync', 'pruned \\(dry run\\)'));
    const kept = await sync();
    assert.match(kept.out, row('ConfigMap/b', 'OutOfSync', 'ignored \\(requires pruning\\)'));
    await scene.live('ConfigMap/b');
    const pruned = await sync('--prune');
    assert.match(pruned.out, row('ConfigMap/b', 'Pruned', 'pruned'));
    await scene.untilAbsent('ConfigMap/b');
  });

  test('SYNC-42 app sync --force changes what is immutable, and warns that it is gone for a moment', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': deployment('page', {}, edition('one')) });
    await scene.create();
    assert.equal((await scene.sync()).phase, 'Succeeded');
    const { metadata } = await scene.live('Deployment/page');
    const revision = await scene.repository.commit({ 'app/a.yaml': deployment('page', {}, edition('two')) });
    await scene.until('sees the commit', (view) => view.revision === revision);
    const refused = await tiphys(world, 'app', 'sync', scene.name);
    assert.equal(refused.exit, 20);
    assert.match(refused.err, /ended as Failed.*immutable/s);
    const forced = await tiphys(world, 'app', 'sync', scene.name, '--force');
    assert.deepEqual([forced.exit, forced.err.startsWith('warning: --force ')], [0, true], forced.err);
    assert.notEqual((await scene.live('Deployment/page')).metadata.uid, metadata.uid);
  });

  for (const { title, flags, isByCommand } of [
    { title: 'app create to app delete, which cascades,', flags: [], isByCommand: true },
    { title: 'app create --set-finalizer to its deletion', flags: ['--set-finalizer'], isByCommand: false },
  ])
    test(`APP-10 APP-11 an application from ${title} with what it deploys`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      scene.adopt(scene.name);
      const source = ['--repo', scene.repository.url, '--path', 'app'];
      const destination = ['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', scene.namespace];
      const policy = ['--sync-policy', 'automated', ...flags];
      const created = await tiphys(world, 'app', 'create', scene.name, ...source, ...destination, ...policy);
      assert.equal(created.exit, 0, created.err);
      const waited = await tiphys(world, 'app', 'wait', scene.name, '--sync', '--health', '--timeout', '60');
      assert.equal(waited.exit, 0, waited.err);
      await scene.untilSettled();
      await scene.live('ConfigMap/a');
      if (isByCommand) {
        const deleted = await tiphys(world, 'app', 'delete', scene.name, '--yes');
        assert.equal(deleted.exit, 0, deleted.err);
      } else await scene.deleteApplication();
      await scene.untilGone();
      assert.equal(await scene.get('ConfigMap/a'), undefined);
    });
}

/** The same, where nothing but the command may bring news. */
export function commandLineAloneTests(world: World): void {
  test('REC-03 app get --refresh shows a commit in its own output', async (t) => {
    await world.controller.stop();
    world.controller.start('1h');
    t.after(async () => {
      await world.controller.stop();
      world.controller.start();
    });
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.create();
    await scene.sync();
    await scene.until('Synced', (view) => view.sync === 'Synced');
    const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    const before = await tiphys(world, 'app', 'get', scene.name);
    assert.match(before.out, /^Sync Status: +Synced/m);
    for (const flag of ['--refresh', '--hard-refresh']) {
      const { exit, out, err } = await tiphys(world, 'app', 'get', scene.name, flag);
      assert.equal(exit, 0, err);
      assert.match(out, new RegExp(`^Sync Status: +OutOfSync from \\S+ \\(${revision.slice(0, 7)}\\)`, 'm'));
    }
  });
}
