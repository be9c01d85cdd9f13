import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { configMap, job, manifest } from './harness/manifests.ts';
import { finalizer, type Scene } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

const preDelete = 'pre-delete-finalizer.argocd.argoproj.io';
const postDelete = 'post-delete-finalizer.argocd.argoproj.io';
const slow = { duration: '700ms' } as const;

const own = (id: string): boolean => !id.includes('kube-root-ca');

const finalizersOf = async (scene: Scene, name = scene.name): Promise<readonly unknown[]> =>
  listAt((await scene.view(name)).object, 'metadata', 'finalizers');

const untilFinalizers = (scene: Scene, wanted: readonly string[]): Promise<unknown> =>
  scene.until(`finalizers ${wanted.join(', ')}`, ({ object }) => {
    const found = listAt(object, 'metadata', 'finalizers').map(String);
    return found.toSorted().join() === wanted.toSorted().join();
  });

/** PreDelete and PostDelete hooks. */
export function deletionTests(world: World): void {
  test('APP-11 ANN-02 SYNC-19 PreDelete hooks run before anything goes, PostDelete hooks when all is gone', async (t) => {
    const scene = await world.scene(t, {
      'app/objects.yaml': [configMap('first'), configMap('second', {}, { wave: 1 })],
      'app/hooks.yaml': [
        job('backup', { hook: 'PreDelete', wave: 1, ...slow }),
        job('drain', { hook: 'PreDelete', wave: 0, deletePolicy: 'HookSucceeded', ...slow }),
        job('farewell', {
          annotations: { 'helm.sh/hook': 'post-delete', 'helm.sh/hook-delete-policy': 'hook-succeeded' },
        }),
      ],
    });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    assert.deepEqual(
      [...(await finalizersOf(scene))].toSorted(),
      [finalizer, preDelete, `${preDelete}/cleanup`, postDelete, `${postDelete}/cleanup`].toSorted(),
    );
    const record = await scene.record('Job', 'ConfigMap');
    assert.equal(await scene.get('Job/drain'), undefined);

    await scene.deleteApplication();
    await scene.untilGone();

    await scene.untilAbsent('Job/farewell');
    await record.until('the last hook has gone', ({ deleted }) => deleted.includes('Job/farewell'));
    const { client } = world.cluster;
    const told = await client.list(await client.resourceFor({ group: '', version: 'v1', kind: 'Event' }), {
      namespace: world.namespace,
      fieldSelector: `involvedObject.name=${scene.name}`,
    });
    const messages = told.items.map((event) => stringAt(event, 'message') ?? '');
    assert.ok(messages.includes('Updated health status: Healthy -> Progressing'), messages.join('; '));
    const events = record.events.filter(({ id }) => own(id)).map(({ type, id }) => `${type} ${id}`);
    assert.deepEqual(events.slice(0, 5), [
      'created Job/drain',
      'created Job/backup',
      'deleted ConfigMap/second',
      'deleted ConfigMap/first',
      'created Job/farewell',
    ]);
    assert.deepEqual(events.slice(5).toSorted(), ['deleted Job/drain', 'deleted Job/farewell']);
    // By its policy it stays until the next one of its name; nothing of ours holds it.
    const { metadata, ...backup } = await scene.live('Job/backup');
    assert.deepEqual(metadata.finalizers ?? [], []);
    assert.ok(listAt(backup, 'status', 'conditions').length > 0, 'it has ended');
  });

  test('APP-11 the finalizers of delete hooks come and go with the hooks in Git', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();
    assert.deepEqual(await finalizersOf(scene), []);
    await scene.repository.commit({ 'app/hook.yaml': job('drain', { hook: 'PreDelete' }) });
    await untilFinalizers(scene, [preDelete, `${preDelete}/cleanup`]);
    await scene.repository.commit({ 'app/hook.yaml': job('farewell', { hook: 'PostDelete' }) });
    await untilFinalizers(scene, [postDelete, `${postDelete}/cleanup`]);
    await scene.repository.remove('app/hook.yaml');
    await untilFinalizers(scene, []);
    await scene.until('Synced', (view) => view.sync === 'Synced');
  });

  test('APP-11 a PreDelete hook that fails keeps everything, says so, and runs again when it is mended', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': configMap('a'),
      'app/hook.yaml': job('drain', { hook: 'PreDelete', outcome: 'fail' }),
    });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    const record = await scene.record('Job');

    await scene.deleteApplication();
    await scene.untilCondition('DeletionError', /PreDelete hook.*Job.*drain.*failed/);
    await scene.live('ConfigMap/a');

    await scene.repository.commit({ 'app/hook.yaml': job('drain', { hook: 'PreDelete' }) });
    await scene.untilGone();
    assert.equal(await scene.get('ConfigMap/a'), undefined);
    const runs = record.created.length;
    assert.ok(runs >= 2, `${runs} runs`);
  });

  test('APP-11 a deletion whose hooks cannot be rendered any more says so, and goes on when they can', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('drain', { hook: 'PreDelete' })] });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    await scene.patchApplication({ spec: { source: { path: 'elsewhere' } } });
    await scene.untilCondition('ComparisonError', /elsewhere/);

    await scene.deleteApplication();
    await scene.untilCondition('DeletionError', new RegExp(`PreDelete hooks[\\s\\S]*elsewhere[\\s\\S]*${preDelete}`));
    await scene.live('ConfigMap/a');

    await scene.repository.commit({ 'elsewhere/a.yaml': configMap('other') });
    await scene.untilGone();
    assert.equal(await scene.get('Job/drain'), undefined);
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('APP-11 without a cascade the hooks are not run', async (t) => {
    const hooks = [job('drain', { hook: 'PreDelete' }), job('farewell', { hook: 'PostDelete' })];
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), ...hooks] });
    await scene.createAutomated();
    await scene.untilSettled();
    const record = await scene.record('Job');
    await scene.deleteApplication();
    await scene.untilGone();
    await scene.live('ConfigMap/a');
    assert.deepEqual(record.created, []);
  });

  test('APP-11 an application that is forced away in the middle leaves no hook that our finalizer holds', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), job('drain', { hook: 'PreDelete', duration: '600s' })],
    });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    await scene.deleteApplication();
    await scene.untilObject('Job/drain', 'runs', (object) => listAt(object, 'metadata', 'finalizers').length > 0);
    await scene.until('waits for it', (view) => view.waitingFor.includes('waiting-for-hook'));
    await scene.patchApplication({ metadata: { finalizers: null } });
    await scene.untilGone();
    await scene.untilObject(
      'Job/drain',
      'is let go',
      (object) => listAt(object, 'metadata', 'finalizers').length === 0,
    );
  });

  test('APP-11 ANN-04 Delete=confirm comes before everything: no hook runs until it is given', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a', {}, { options: 'Delete=confirm' }), job('drain', { hook: 'PreDelete' })],
    });
    await scene.createAutomated({ cascade: true });
    const { object } = await scene.untilSettled();
    const rows = listAt(object, 'status', 'resources').filter(
      (row) => at(row, 'requiresDeletionConfirmation') === true,
    );
    assert.deepEqual(
      rows.map((row) => at(row, 'name')),
      ['a'],
    );
    await scene.deleteApplication();
    await scene.until('waits for approval', (view) => view.waitingFor.includes('waiting-for-deletion-approval'));
    assert.equal(await scene.get('Job/drain'), undefined);
    const approved = new Date(Date.now() + 1000).toISOString();
    await scene.patchApplication({ metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': approved } } });
    await scene.untilGone();
    await scene.live('Job/drain');
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('APP-11 a namespace of the application goes although a PreDelete hook ran in it', async (t) => {
    const scene = await world.scene(t);
    const made = scene.adoptNamespace(`${scene.name}-made`);
    await scene.repository.commit({
      'app/a.yaml': [
        manifest('v1 Namespace', made),
        configMap('inside', {}, { namespace: made }),
        job('drain', { hook: 'PreDelete', namespace: made }),
      ],
    });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    await scene.deleteApplication();
    await scene.untilGone();
    assert.equal(await scene.get(`Namespace/${made}`, { namespace: '' }), undefined);
  });

  test('APP-11 APP-15 the hook finalizers of a child are no difference for its parent', async (t) => {
    const scene = await world.scene(t);
    const name = `${scene.name}-child`;
    scene.adopt(name);
    const child = scene.application({ name, source: { path: 'child' }, automated: {}, cascade: true });
    await scene.repository.commit({
      'app/child.yaml': child,
      'child/a.yaml': [configMap('a'), job('drain', { hook: 'PreDelete' })],
    });
    await scene.createAutomated({
      destination: { namespace: world.namespace },
      automated: { prune: true, selfHeal: true, allowEmpty: true },
    });
    await scene.untilSettled('', { name });
    assert.ok((await finalizersOf(scene, name)).includes(preDelete));
    await scene.untilSettled();
    await scene.stays('Synced', (view) => view.sync === 'Synced');
    assert.ok((await finalizersOf(scene, name)).includes(preDelete));
    await scene.repository.commit({ 'app/child.yaml': '# nothing\n' });
    await scene.untilGone(name);
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });
}

/** The same, while the controller dies. */
export function deletionAloneTests(world: World): void {
  test('REC-16 APP-11 killed at any moment of a deletion: each hook runs once', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [
        configMap('first'),
        configMap('second', {}, { wave: 1 }),
        job('drain', { hook: 'PreDelete', deletePolicy: 'HookSucceeded', ...slow }),
        job('backup', { hook: 'PreDelete', wave: 1, deletePolicy: 'HookSucceeded', ...slow }),
        job('farewell', { hook: 'PostDelete', deletePolicy: 'HookSucceeded', ...slow }),
      ],
    });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    const record = await scene.record('Job', 'ConfigMap');
    await scene.deleteApplication();
    // In the first hook, in the second, and in the last.
    for (const created of [1, 2, 3]) {
      await until(`${created} hooks are made`, () => {
        const { length } = record.created.filter((id) => id.startsWith('Job/'));
        const seen = `${record.created.join()}\n${world.controller.tail()}`;
        return Promise.resolve(length >= created ? { is: true } : { seen });
      });
      await world.controller.stop('SIGKILL');
      world.controller.start();
    }
    await until(
      'gone',
      async () => {
        const view = await scene.find();
        return view === undefined ? { is: true } : { seen: world.controller.tail() };
      },
      90_000,
    );
    const made = record.created.filter((id) => id.startsWith('Job/'));
    assert.deepEqual(made, ['Job/drain', 'Job/backup', 'Job/farewell']);
  });
}
