import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../index.ts';
import { call, eventually } from '../testing/client.ts';

const group = 'shop.example.com';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const widgets = `/apis/${group}/v1/namespaces/default/widgets`;

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer', default: 3, maximum: 10 },
                  replicas: { type: 'integer' },
                },
              },
              status: { type: 'object', properties: { ok: { type: 'boolean' }, replicas: { type: 'integer' } } },
            },
          },
        },
      },
      {
        name: 'v1alpha1',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const widget = (name: string, spec: Record<string, unknown> = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: { name },
  spec,
});

describe('custom resource definitions', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim();
    await call(sim, definitions, { method: 'POST', body: definition });
  });
  after(() => sim.stop());

  const create = (body: unknown) => call(sim, widgets, { method: 'POST', body });

  test('are served from the moment that they are created, and established', async () => {
    const { code } = await create(widget('first'));
    const groups = await call(sim, '/apis', {
      accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    });

    assert.equal(code, 201);
    assert.ok(listAt(groups.body, 'items').some((item) => stringAt(item, 'metadata', 'name') === group));
    await eventually(async () => {
      const { body } = await call(sim, `${definitions}/widgets.${group}`);
      const established = listAt(body, 'status', 'conditions').find((entry) => at(entry, 'type') === 'Established');
      assert.equal(stringAt(established, 'status'), 'True');
    });
  });

  test('default, prune and check their objects', async () => {
    const defaulted = await create(widget('defaulted', { colour: 'red' }));
    const refused = await create(widget('refused', { size: 11 }));

    assert.deepEqual(at(defaulted.body, 'spec'), { size: 3 });
    assert.deepEqual([refused.code, stringAt(refused.body, 'reason')], [422, 'Invalid']);
  });

  test('keep status and spec apart, and count generations of the spec alone', async () => {
    await create({ ...widget('parts'), status: { ok: true } });
    const patch = (path: string, body: unknown) =>
      call(sim, `${widgets}/parts${path}`, { method: 'PATCH', type: 'application/merge-patch+json', body });
    const status = await patch('/status', { status: { ok: true }, spec: { size: 9 } });
    const spec = await patch('', { status: { ok: false }, spec: { size: 4 } });

    assert.deepEqual(at(status.body, 'spec'), { size: 3 });
    assert.equal(at(status.body, 'metadata', 'generation'), 1);
    assert.deepEqual(at(spec.body, 'status'), { ok: true });
    assert.equal(at(spec.body, 'metadata', 'generation'), 2);
  });

  test('scale through their paths', async () => {
    await create(widget('scaled', { replicas: 1 }));
    await call(sim, `${widgets}/scaled/scale`, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { spec: { replicas: 4 } },
    });

    assert.equal(at((await call(sim, `${widgets}/scaled`)).body, 'spec', 'replicas'), 4);
    assert.equal(at((await call(sim, `${widgets}/scaled/scale`)).body, 'spec', 'replicas'), 4);
  });

  test('show the same object in every version', async () => {
    await create(widget('both'));
    const { body } = await call(sim, widgets.replace('/v1/', '/v1alpha1/') + '/both');

    assert.equal(stringAt(body, 'apiVersion'), `${group}/v1alpha1`);
    assert.deepEqual(at(body, 'spec'), { size: 3 });
  });

  test('show their printer columns', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { body } = await call(sim, widgets, { accept });

    assert.deepEqual(
      listAt(body, 'columnDefinitions').map((column) => stringAt(column, 'name')),
      ['Name', 'Size'],
    );
  });

  test('take their objects with them', async () => {
    await call(sim, `${definitions}/widgets.${group}`, { method: 'DELETE' });

    await eventually(async () => {
      assert.equal((await call(sim, `${definitions}/widgets.${group}`)).code, 404);
      assert.equal((await call(sim, widgets)).code, 404);
    });
    assert.equal(sim.count(`widgets.${group}`), 0);
  });
});
