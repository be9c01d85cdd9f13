import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@tiphys/api';
import { deployments, must, pods, soon, type Corner } from './corner.ts';

/** Finalizers, dependents and grace periods. */
export function deletionTests(corner: Corner): void {
  const { configMap, namespace, open, refTo, deployment } = corner;

  test('deletion: finalizers hold, foreground waits for the dependents, orphans stay', async () => {
    await using client = open();
    const held = { ...configMap('held'), metadata: { name: 'held', namespace, finalizers: ['tiphys.dev/hold'] } };
    await client.create(held);
    assert.equal(await client.delete(refTo('held')), 'deleting');
    assert.ok((await client.get(refTo('held')))?.metadata.deletionTimestamp !== undefined);
    await client.patch(refTo('held'), { type: 'merge', body: { metadata: { finalizers: null } } });
    assert.equal(await client.get(refTo('held')), undefined);

    const replicaSets = await client.resourceFor({ group: 'apps', version: 'v1', kind: 'ReplicaSet' });
    const ownedBy = async (name: string): Promise<KubeObject[]> =>
      (await client.list(replicaSets, { namespace, labelSelector: `app=${name}` })).items;
    for (const [name, propagationPolicy] of [
      ['front', 'Foreground'],
      ['back', 'Background'],
      ['orphan', 'Orphan'],
    ] as const) {
      const ref = { gvk: deployments, namespace, name };
      await client.create(deployment(name));
      await soon(`${name} has its replica set`, async () => (await ownedBy(name))[0]);
      const outcome = await client.delete(ref, { propagationPolicy });
      assert.equal(outcome, propagationPolicy === 'Background' ? 'deleted' : 'deleting', propagationPolicy);
      await soon(`${name} is gone`, async () => ((await client.get(ref)) === undefined ? true : undefined));
      if (propagationPolicy === 'Orphan') {
        const [left] = await ownedBy(name);
        assert.deepEqual(must(left).metadata.ownerReferences ?? [], []);
        await client.delete({
          gvk: { ...deployments, kind: 'ReplicaSet' },
          namespace,
          name: must(left?.metadata.name),
        });
      } else if (propagationPolicy === 'Foreground') assert.deepEqual(await ownedBy(name), []);
      else await soon('its replica set follows', async () => ((await ownedBy(name)).length === 0 ? true : undefined));
    }
  });

  test('a pod is deleted after its grace period, or at once when told so', async () => {
    await using client = open();
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lone', namespace },
      spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }] },
    };
    await client.create(pod);
    const ref = { gvk: pods, namespace, name: 'lone' };
    await client.delete(ref, { gracePeriodSeconds: 0 });
    await soon('the pod is gone', async () => ((await client.get(ref)) === undefined ? true : undefined));
  });
}
