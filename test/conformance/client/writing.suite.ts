import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, isRecord } from '@tiphys/api';
import { deployments, fails, manager, must, type Corner } from './corner.ts';

/** Creating, applying, patching and what is refused. */
export function writingTests(corner: Corner): void {
  const { namespace, open, configMap, refTo, deployment } = corner;

  test('creates, reads, replaces and deletes; says what is wrong by code', async () => {
    await using client = open();
    const made = await client.create(configMap('crud', { a: '1' }));
    assert.ok((made.metadata.uid ?? '') !== '' && (made.metadata.resourceVersion ?? '') !== '');
    assert.equal((await fails(client.create(configMap('crud')))).code, 'kube/already-exists');
    assert.deepEqual(await client.get(refTo('crud')), made);
    assert.equal(await client.get(refTo('absent')), undefined);
    const changed = await client.replace({ ...made, data: { a: '2' } });
    assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion);
    assert.equal((await fails(client.replace({ ...made, data: { a: '3' } }))).code, 'kube/conflict');
    const lost = { ...configMap('x'), metadata: { name: 'x', namespace: `${namespace}-absent` } };
    const error = await fails(client.create(lost));
    assert.equal(error.code, 'kube/not-found');
    assert.match(error.message, /-absent/);
    assert.equal((await fails(client.create(configMap('Not A Name')))).code, 'kube/invalid');
    const stale = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
    assert.equal((await fails(client.delete(refTo('crud'), stale))).code, 'kube/conflict');
    assert.equal(await client.delete(refTo('crud'), { preconditions: { uid: must(made.metadata.uid) } }), 'deleted');
    assert.equal(await client.delete(refTo('crud')), 'absent');
  });

  test('server-side apply: owns what it says, names the owner in a conflict, takes it by force, gives up what it no longer says', async () => {
    await using client = open();
    const first = await client.apply(configMap('applied', { a: '1', b: '1' }), { fieldManager: 'one' });
    assert.deepEqual(first['data'], { a: '1', b: '1' });
    const again = await client.apply(configMap('applied', { a: '1', b: '1' }), { fieldManager: 'one' });
    assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion, 'an equal apply changes nothing');
    const conflict = await fails(client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two' }));
    assert.equal(conflict.code, 'kube/conflict');
    assert.deepEqual(
      conflict.detail.causes.map(({ field, reason }) => ({ field, reason })),
      [{ field: '.data.a', reason: 'FieldManagerConflict' }],
    );
    assert.match(conflict.detail.causes[0]?.message ?? '', /conflict with "one"/);
    await client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two', force: true });
    const without = await client.apply(configMap('applied', {}), { fieldManager: 'one' });
    assert.deepEqual(without['data'], { a: '2' });
    const managers = must(without.metadata.managedFields).map(
      ({ manager: name, operation }) => `${name ?? ''} ${operation ?? ''}`,
    );
    assert.ok(managers.includes('two Apply'), managers.join());
  });

  test('the patch types do what their standards say', async () => {
    await using client = open();
    await client.create(configMap('patched', { a: '1', b: '1' }));
    const merged = await client.patch(refTo('patched'), { type: 'merge', body: { data: { a: null, c: '3' } } });
    assert.deepEqual(merged['data'], { b: '1', c: '3' });
    const json = await client.patch(refTo('patched'), {
      type: 'json',
      body: [
        { op: 'test', path: '/data/b', value: '1' },
        { op: 'move', from: '/data/b', path: '/data/d' },
      ],
    });
    assert.deepEqual(json['data'], { c: '3', d: '1' });
    const untrue = await fails(
      client.patch(refTo('patched'), { type: 'json', body: [{ op: 'test', path: '/data/c', value: 'no' }] }),
    );
    assert.equal(untrue.code, 'kube/invalid');
    const ref = { gvk: deployments, namespace, name: 'strategic' };
    await client.create(deployment('strategic', 0));
    const body = {
      spec: { template: { spec: { containers: [{ name: 'second', image: 'registry.example/side:1' }] } } },
    };
    const both = await client.patch(ref, { type: 'strategic', body });
    const containers = at(both, 'spec', 'template', 'spec', 'containers');
    assert.ok(Array.isArray(containers));
    assert.deepEqual(containers.map((one: unknown) => at(one, 'name')).toSorted(), ['main', 'second']);
    const replaced = await client.patch(ref, { type: 'merge', body });
    assert.equal(at(replaced, 'spec', 'template', 'spec', 'containers', 'length'), undefined);
    assert.deepEqual(
      at(replaced, 'spec', 'template', 'spec', 'containers', 1),
      undefined,
      'a merge patch replaces lists',
    );
    assert.equal((await fails(client.patch(refTo('absent'), { type: 'merge', body: {} }))).code, 'kube/not-found');
    await client.delete(ref);
  });

  test('a dry run answers as if, and changes nothing', async () => {
    await using client = open();
    const dry = { dryRun: true, ...manager };
    assert.equal((await client.create(configMap('dry', { a: '1' }), dry)).metadata.name, 'dry');
    assert.equal(await client.get(refTo('dry')), undefined);
    const real = await client.create(configMap('dry', { a: '1' }));
    assert.deepEqual((await client.apply(configMap('dry', { a: '1', z: '9' }), { ...dry, force: true }))['data'], {
      a: '1',
      z: '9',
    });
    await client.delete(refTo('dry'), { dryRun: true });
    assert.deepEqual(await client.get(refTo('dry')), real);
    assert.equal((await fails(client.create(deployment('Bad Name'), dry))).code, 'kube/invalid');
  });

  test('unknown fields are refused under Strict and told under Warn', async () => {
    await using client = open();
    const right = deployment('strict', 0);
    const wrong = { ...right, spec: { ...(isRecord(right['spec']) ? right['spec'] : {}), replica: 1 } };
    const error = await fails(client.create(wrong, { fieldValidation: 'Strict', dryRun: true }));
    assert.equal(error.code, 'kube/invalid');
    assert.match(error.message, /unknown field "spec\.replica"/);
    const warnings: string[] = [];
    await client.create(wrong, { fieldValidation: 'Warn', dryRun: true, onWarning: (text) => warnings.push(text) });
    assert.deepEqual(warnings, ['unknown field "spec.replica"']);
  });

  test('subresources: status apart from spec, scale', async () => {
    await using client = open();
    const ref = { gvk: deployments, namespace, name: 'sub' };
    await client.create(deployment('sub', 0));
    const status = await client.patch(ref, {
      type: 'merge',
      body: { status: { observedGeneration: 77 }, spec: { paused: true } },
      subresource: 'status',
    });
    assert.equal(at(status, 'spec', 'paused'), undefined, 'the status door leaves the spec alone');
    const scale = must(await client.get(ref, { subresource: 'scale' }));
    assert.deepEqual([scale.kind, at(scale, 'spec', 'replicas') ?? 0], ['Scale', 0]);
    await client.patch(ref, { type: 'merge', body: { spec: { replicas: 2 } }, subresource: 'scale' });
    assert.equal(at(await client.get(ref), 'spec', 'replicas'), 2);
    await client.delete(ref);
  });
}
