import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../index.ts';
import { call, eventually } from '../testing/client.ts';

const core = '/api/v1/namespaces/default';
const apps = '/apis/apps/v1/namespaces/default';
const policy = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

const pod = (name: string, resources: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'main', image: 'example/main:1', resources }] },
});

const deployment = (name: string, annotations: Record<string, string> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, annotations },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'example/main:1' }] },
    },
  },
});

describe('policies', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim({ simulation: { startMs: 20, runMs: 20, stopMs: 5 } });
  });
  after(() => sim.stop());

  const post = (path: string, body: unknown) => call(sim, path, { method: 'POST', body });

  test('a quota refuses what goes beyond it, and says what is used', async () => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' } };
    const path = `${core}/resourcequotas`;
    await post(path, { ...quota, spec: { hard: { 'count/pods': '1', 'requests.cpu': '1' } } });
    const [silent, large] = [
      await post(`${core}/pods`, pod('silent')),
      await post(`${core}/pods`, pod('large', { requests: { cpu: '1500m' } })),
    ];
    const fits = await post(`${core}/pods`, pod('fits', { requests: { cpu: '250m' } }));

    assert.match(stringAt(silent.body, 'message') ?? '', /failed quota: small: must specify requests.cpu for: main$/);
    assert.match(
      stringAt(large.body, 'message') ?? '',
      /exceeded quota: small, requested: requests.cpu=1500m, used: requests.cpu=0, limited: requests.cpu=1$/,
    );
    assert.equal(fits.code, 201);
    await eventually(async () => {
      const { body } = await call(sim, `${path}/small`);
      assert.deepEqual(at(body, 'status', 'used'), { 'count/pods': '1', 'requests.cpu': '250m' });
    });
    await call(sim, `${path}/small`, { method: 'DELETE' });
  });

  test('a Deployment whose pods are refused says so, and goes on when they no longer are', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none' },
      spec: { hard: { pods: '0' } },
    };
    await post(`${core}/resourcequotas`, quota);
    await post(`${apps}/deployments`, deployment('refused'));

    await eventually(async () => {
      const { body } = await call(sim, `${apps}/deployments/refused`);
      const failure = listAt(body, 'status', 'conditions').find((entry) => at(entry, 'type') === 'ReplicaFailure');
      assert.match(stringAt(failure, 'message') ?? '', /is forbidden: exceeded quota: none/);
    });
    await call(sim, `${core}/resourcequotas/none`, { method: 'DELETE' });
    await eventually(async () => {
      const { body } = await call(sim, `${apps}/deployments/refused`);
      assert.equal(at(body, 'status', 'availableReplicas'), 2);
    });
  });

  test('a budget counts its pods, and holds up an eviction that it does not allow', async () => {
    await post(`${apps}/deployments`, deployment('kept'));
    const spec = { minAvailable: 2, selector: { matchLabels: { app: 'kept' } } };
    await post(policy, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'kept' }, spec });

    await eventually(async () => {
      const { body } = await call(sim, `${policy}/kept`);
      assert.equal(at(body, 'status', 'currentHealthy'), 2);
      assert.equal(stringAt(body, 'status', 'conditions', 0, 'reason'), 'InsufficientPods');
    });
    const { body: pods } = await call(sim, `${core}/pods?labelSelector=app%3Dkept`);
    const name = stringAt(pods, 'items', 0, 'metadata', 'name') ?? '';
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
    const refused = await post(`${core}/pods/${name}/eviction`, eviction);
    assert.equal(refused.code, 429);
    assert.equal(stringAt(refused.body, 'details', 'causes', 0, 'reason'), 'DisruptionBudget');
  });

  test('an autoscaler keeps to its bounds, says that there are no metrics, and follows those of an annotation', async () => {
    await post(`${apps}/deployments`, deployment('scaled'));
    const path = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
    const target = { type: 'Utilization', averageUtilization: 50 };
    await post(path, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled' },
      spec: {
        minReplicas: 3,
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
      },
    });
    const conditionOf = (body: unknown, type: string): unknown =>
      listAt(body, 'status', 'conditions').find((entry) => at(entry, 'type') === type);
    await eventually(async () => {
      const { body } = await call(sim, `${path}/scaled`);
      assert.equal(stringAt(conditionOf(body, 'ScalingActive'), 'reason'), 'FailedGetResourceMetric');
      assert.equal(at(body, 'status', 'currentReplicas'), 3);
    });
    await call(sim, `${path}/scaled`, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { metadata: { annotations: { 'sim.tiphys.dev/cpu-utilization': '80' } } },
    });
    await eventually(async () => {
      const { body } = await call(sim, `${apps}/deployments/scaled`);
      assert.equal(at(body, 'spec', 'replicas'), 5);
    });
  });

  test('a namespace on its way out says what it waits for', async () => {
    await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'leaving' } });
    const held = { name: 'held', finalizers: ['example.com/hold'] };
    const maps = '/api/v1/namespaces/leaving/configmaps';
    await post(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: held });
    await call(sim, '/api/v1/namespaces/leaving', { method: 'DELETE' });

    await eventually(async () => {
      const { body } = await call(sim, '/api/v1/namespaces/leaving');
      const found = listAt(body, 'status', 'conditions').find(
        (entry) => at(entry, 'type') === 'NamespaceFinalizersRemaining',
      );
      assert.equal(
        stringAt(found, 'message'),
        'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      );
    });
  });
});
