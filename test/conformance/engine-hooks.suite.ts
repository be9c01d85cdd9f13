import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@tiphys/api';
import { toldOf } from './harness/application.ts';
import { configMap, job, secret, type Fate } from './harness/manifests.ts';
import { annotationOf } from './harness/scene.ts';
import type { World } from './harness/world.ts';

type Policy = Readonly<{ policy: string; outcome: NonNullable<Fate['outcome']>; kept: boolean; id: string }>;
const policies: readonly Policy[] = [
  { id: 'SYNC-22', policy: 'HookSucceeded', outcome: 'succeed', kept: false },
  { id: 'SYNC-22', policy: 'HookSucceeded', outcome: 'fail', kept: true },
  { id: 'SYNC-23', policy: 'HookFailed', outcome: 'fail', kept: false },
  { id: 'SYNC-23', policy: 'HookFailed', outcome: 'succeed', kept: true },
  { id: 'SYNC-24', policy: 'HookSucceeded,BeforeHookCreation', outcome: 'succeed', kept: false },
  { id: 'SYNC-24', policy: 'HookSucceeded,BeforeHookCreation', outcome: 'fail', kept: true },
];

/** Hooks: what is one, when it has ended, and what becomes of it. */
export function hookTests(world: World): void {
  test('SYNC-12 an unknown hook is an error that names the allowed ones', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('migrate', { hook: 'Presync' })] });
    await scene.createAutomated();
    await scene.untilSays(/Presync[\s\S]*PreSync[\s\S]*PostSync/);
    assert.equal(await scene.get('Job/migrate'), undefined);
  });

  test('SYNC-12 ANN-02 an object of any kind can be a hook', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a'), configMap('before', {}, { hook: 'PreSync' })],
    });
    const record = await scene.record('ConfigMap');
    await scene.createAutomated();
    const view = await scene.untilSettled();
    assert.deepEqual(
      record.created.filter((id) => !id.includes('kube-root-ca')),
      ['ConfigMap/before', 'ConfigMap/a'],
    );
    assert.deepEqual(view.results.find(({ id }) => id === 'ConfigMap/before')?.syncPhase, 'PreSync');
  });

  test('SYNC-14 SYNC-28 a Sync hook that leaves Git is not pruned', async (t) => {
    const hook = configMap('during', {}, { hook: 'Sync' });
    const scene = await world.scene(t, {
      'app/a.yaml': configMap('a'),
      'app/b.yaml': hook,
      'app/c.yaml': configMap('c'),
    });
    await scene.createAutomated({ automated: { prune: true } });
    await scene.untilSettled();
    await scene.repository.remove('app/b.yaml', 'app/c.yaml');
    await scene.untilAbsent('ConfigMap/c');
    await scene.untilSettled();
    await scene.live('ConfigMap/during');
  });

  test('SYNC-17 SYNC-28 an object that is to be skipped from now on is not pruned', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), configMap('b')] });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();
    await scene.patch('ConfigMap/a', { data: { added: 'by hand' } });
    const skipped = configMap('a', { key: 'two' }, { hook: 'Skip' });
    const revision = await scene.repository.commit({ 'app/a.yaml': [skipped, configMap('b', { key: 'two' })] });
    await scene.untilSettled(revision);
    assert.equal(at(await scene.live('ConfigMap/a'), 'metadata', 'deletionTimestamp'), undefined);
    assert.deepEqual(await scene.data('b'), { key: 'two' });
    await scene.stays('a is there', ({ sync }) => sync === 'Synced');
    assert.notEqual(await scene.get('ConfigMap/a'), undefined);
  });

  test('SYNC-12 an object becomes a hook, and an ordinary object again', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [job('a'), configMap('b')] });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();
    const first = (await scene.live('Job/a')).metadata.uid;
    const hook = job('a', { hook: 'PreSync' });
    const runs = await scene.untilSettled(
      await scene.repository.commit({ 'app/a.yaml': [hook, configMap('b', { key: 'two' })] }),
    );
    assert.deepEqual(
      runs.results.filter(({ id }) => id === 'Job/a').map(({ syncPhase, hookPhase }) => `${syncPhase} ${hookPhase}`),
      ['PreSync Succeeded'],
    );
    const second = (await scene.live('Job/a')).metadata.uid;
    assert.notEqual(second, first);
    await scene.untilSettled(await scene.repository.commit({ 'app/a.yaml': [job('a'), configMap('b')] }));
    assert.equal(annotationOf(await scene.live('Job/a'), 'argocd.argoproj.io/hook'), undefined);
  });

  test('SYNC-17 Skip is applied in no phase and not missed', async (t) => {
    const skipped = [
      configMap('skipped', {}, { hook: 'Skip' }),
      configMap('skipped-all-the-same', {}, { hook: 'PreSync,Skip' }),
    ];
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), ...skipped] });
    await scene.createAutomated();
    await scene.untilSettled();
    for (const { metadata } of skipped) assert.equal(await scene.get(`ConfigMap/${metadata.name ?? ''}`), undefined);
  });

  test('SYNC-18 a Job hook past its own deadline fails the phase', async (t) => {
    const late = job('late', { hook: 'PreSync', duration: '60s' }, { activeDeadlineSeconds: 2 });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), late] });
    await scene.create();
    const view = await scene.sync();
    assert.equal(view.phase, 'Failed');
    assert.match(toldOf(view), /late/);
    assert.equal(view.results.find(({ id }) => id === 'Job/late')?.hookPhase, 'Failed');
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('SYNC-20 a PreSync hook whose inputs only the Sync phase creates is reported, with the names of the inputs', async (t) => {
    const env = [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'late-secret', key: 'url' } } }];
    const envFrom = [{ configMapRef: { name: 'late-settings' } }, { secretRef: { name: 'at-will', optional: true } }];
    const volumes = [{ name: 'keys', secret: { secretName: 'late-keys' } }];
    const containers = [{ name: 'main', image: 'registry.example/job:1', env, envFrom }];
    const template = {
      metadata: { annotations: { 'sim.tiphys.dev/duration': '20s' } },
      spec: { restartPolicy: 'Never', containers, volumes },
    };
    const inputs = [secret('late-secret', { url: 'x' }), configMap('late-settings'), secret('late-keys', { key: 'x' })];
    const scene = await world.scene(t, {
      'app/a.yaml': [...inputs, secret('at-will', {}), job('migrate', { hook: 'PreSync' }, { template })],
    });
    await scene.createAutomated();
    // While the hook runs: afterwards they are in the results anyhow.
    const view = await scene.until('all are named', (seen) => {
      const runs = seen.results.some(({ id, hookPhase }) => id === 'Job/migrate' && hookPhase === 'Running');
      return (
        seen.phase === 'Running' && runs && inputs.every(({ metadata }) => seen.message.includes(metadata.name ?? ''))
      );
    });
    assert.ok(!toldOf(view).includes('at-will'), 'it does without');
  });

  test('SYNC-21 ANN-03 by default the last hook of the same name is deleted before the new one is created', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), job('migrate', { hook: 'PreSync' })] });
    await scene.create();
    const record = await scene.record('Job');
    assert.equal((await scene.sync()).phase, 'Succeeded');
    const first = await scene.live('Job/migrate');

    assert.equal((await scene.sync()).phase, 'Succeeded');

    const second = await scene.live('Job/migrate');
    assert.notEqual(second.metadata.uid, first.metadata.uid);
    assert.deepEqual(
      record.events.map(({ type, id }) => `${type} ${id}`),
      ['created Job/migrate', 'deleted Job/migrate', 'created Job/migrate'],
    );
  });

  for (const { id, policy, outcome, kept } of policies) {
    test(`${id} ${policy}: a hook that ${outcome === 'fail' ? 'failed' : 'succeeded'} is ${kept ? 'kept' : 'deleted'}`, async (t) => {
      const hook = job('hook', { hook: 'PostSync', deletePolicy: policy, outcome });
      const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), hook] });
      const record = await scene.record('Job');
      await scene.create();
      assert.equal((await scene.sync()).phase, outcome === 'fail' ? 'Failed' : 'Succeeded');
      await record.until('Job/hook is created', ({ created }) => created.join() === 'Job/hook');
      if (kept) await scene.stays('the Job is there', () => record.deleted.length === 0);
      else await scene.untilAbsent('Job/hook');
      if (!policy.includes(',') || outcome !== 'fail') return;
      assert.equal((await scene.sync()).phase, 'Failed'); // the earlier one is in nobody's way
      assert.deepEqual(record.deleted, ['Job/hook']);
    });
  }

  test('SYNC-24 ANN-03 a delete policy that is none is told, and those beside it hold', async (t) => {
    const hook = job('hook', { hook: 'PostSync', deletePolicy: 'HookSuceeded,HookSucceeded' });
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), hook] });
    const record = await scene.record('Job');
    await scene.createAutomated();
    await scene.untilCondition('SpecWarning', /Job \S*\/hook: "HookSuceeded" is no hook delete policy.*HookSucceeded/);
    await scene.untilSettled();
    await scene.untilAbsent('Job/hook');
    await record.until('Job/hook is created', ({ created }) => created.join() === 'Job/hook');
  });

  test('SYNC-21 a hook with generateName gets a new name in every sync', async (t) => {
    const template = job('unnamed', { hook: 'PreSync' });
    const { annotations } = template.metadata;
    const hook = { ...template, metadata: { generateName: 'migrate-', annotations } };
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), hook] });
    await scene.create();
    const revision = await scene.repository.git('rev-parse', 'HEAD');
    const view = await scene.sync();
    assert.equal(view.phase, 'Succeeded');
    const [run] = view.results.filter(({ syncPhase }) => syncPhase === 'PreSync');
    assert.match(run?.id ?? '', new RegExp(`^Job/migrate-${revision.slice(0, 7)}-presync-\\d+$`));
  });
}
