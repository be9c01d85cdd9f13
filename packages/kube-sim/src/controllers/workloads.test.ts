import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../index.ts';
import { call, eventually } from '../testing/client.ts';

const apps = '/apis/apps/v1/namespaces/default';
const batch = '/apis/batch/v1/namespaces/default';
const core = '/api/v1/namespaces/default';
const merge = 'application/merge-patch+json';

const template = (app: string, annotations: Record<string, string> = {}, spec: Record<string, unknown> = {}) => ({
  metadata: { labels: { app }, annotations },
  spec: { containers: [{ name: 'main', image: 'example/main:1' }], ...spec },
});

const deployment = (name: string, annotations: Record<string, string> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    progressDeadlineSeconds: 1,
    selector: { matchLabels: { app: name } },
    template: template(name, annotations),
  },
});

const job = (name: string, annotations: Record<string, string> = {}, spec: Record<string, unknown> = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { ...spec, template: template(name, annotations, { restartPolicy: 'Never' }) },
});

const condition = (object: unknown, type: string): unknown =>
  listAt(object, 'status', 'conditions').find((entry) => at(entry, 'type') === type);

describe('workload controllers', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim({ simulation: { startMs: 20, runMs: 20, stopMs: 5 } });
  });
  after(() => sim.stop());

  const post = (path: string, body: unknown) => call(sim, path, { method: 'POST', body });
  const get = async (path: string) => (await call(sim, path)).body;
  const owned = async (path: string, app: string) => listAt(await get(`${path}?labelSelector=app%3D${app}`), 'items');

  test('a Deployment becomes available, through a replica set of its template', async () => {
    await post(`${apps}/deployments`, deployment('web'));

    await eventually(async () => {
      const live = await get(`${apps}/deployments/web`);
      assert.equal(at(live, 'status', 'availableReplicas'), 2);
      assert.equal(at(live, 'status', 'observedGeneration'), 1);
      assert.equal(stringAt(condition(live, 'Available'), 'reason'), 'MinimumReplicasAvailable');
      assert.equal(stringAt(condition(live, 'Progressing'), 'reason'), 'NewReplicaSetAvailable');
    });
    const [set] = await owned(`${apps}/replicasets`, 'web');
    const hash = stringAt(set, 'metadata', 'labels', 'pod-template-hash');
    assert.equal(stringAt(set, 'metadata', 'name'), `web-${hash ?? ''}`);
  });

  test('a new template is rolled out as the next revision, and the old set is kept empty', async () => {
    await post(`${apps}/deployments`, deployment('roll'));
    await eventually(async () =>
      assert.equal(at(await get(`${apps}/deployments/roll`), 'status', 'availableReplicas'), 2),
    );
    const body = { spec: { template: { spec: { containers: [{ name: 'main', image: 'example/main:2' }] } } } };
    await call(sim, `${apps}/deployments/roll`, { method: 'PATCH', type: merge, body });

    await eventually(async () => {
      const live = await get(`${apps}/deployments/roll`);
      assert.equal(stringAt(live, 'metadata', 'annotations', 'deployment.kubernetes.io/revision'), '2');
      assert.equal(at(live, 'status', 'updatedReplicas'), 2);
      assert.equal(at(live, 'status', 'replicas'), 2);
      assert.equal(at(live, 'status', 'observedGeneration'), 2);
      const sizes = (await owned(`${apps}/replicasets`, 'roll')).map((set) => at(set, 'spec', 'replicas'));
      assert.deepEqual(sizes.sort(), [0, 2]);
    });
  });

  test('a Deployment whose pods are never ready runs into its deadline', async () => {
    await post(`${apps}/deployments`, deployment('stuck', { 'sim.tiphys.dev/outcome': 'never-ready' }));

    await eventually(async () => {
      const progressing = condition(await get(`${apps}/deployments/stuck`), 'Progressing');
      assert.equal(stringAt(progressing, 'reason'), 'ProgressDeadlineExceeded');
      assert.equal(stringAt(progressing, 'status'), 'False');
    });
  });

  for (const [outcome, reason] of [
    ['crash', 'CrashLoopBackOff'],
    ['image-pull-error', 'ImagePullBackOff'],
  ] as const)
    test(`a pod with the outcome ${outcome} waits with ${reason}`, async () => {
      await post(`${core}/pods`, {
        apiVersion: 'v1',
        kind: 'Pod',
        ...template(outcome, { 'sim.tiphys.dev/outcome': outcome }),
        metadata: { name: outcome, annotations: { 'sim.tiphys.dev/outcome': outcome } },
      });

      await eventually(async () => {
        const pod = await get(`${core}/pods/${outcome}`);
        assert.equal(stringAt(pod, 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason'), reason);
      });
    });

  test('a Job succeeds unless told otherwise', async () => {
    await post(`${batch}/jobs`, job('good', {}, { completions: 3, parallelism: 2 }));

    await eventually(async () => {
      const live = await get(`${batch}/jobs/good`);
      assert.equal(at(live, 'status', 'succeeded'), 3);
      assert.equal(stringAt(condition(live, 'Complete'), 'status'), 'True');
      assert.equal(stringAt(condition(live, 'SuccessCriteriaMet'), 'status'), 'True');
    });
  });

  test('a Job told to fail fails after its back-off limit', async () => {
    await post(`${batch}/jobs`, job('bad', { 'sim.tiphys.dev/outcome': 'fail' }, { backoffLimit: 1 }));

    await eventually(async () => {
      const live = await get(`${batch}/jobs/bad`);
      assert.equal(stringAt(condition(live, 'Failed'), 'reason'), 'BackoffLimitExceeded');
      assert.equal(at(live, 'status', 'failed'), 2);
    });
  });

  test('a StatefulSet makes its numbered pods in order, with their claims', async () => {
    await post(`${apps}/statefulsets`, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        serviceName: 'db',
        replicas: 2,
        selector: { matchLabels: { app: 'db' } },
        template: template('db'),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });

    await eventually(async () => {
      const live = await get(`${apps}/statefulsets/db`);
      assert.equal(at(live, 'status', 'readyReplicas'), 2);
      assert.equal(at(live, 'status', 'currentRevision'), at(live, 'status', 'updateRevision'));
      assert.equal(stringAt(await get(`${core}/persistentvolumeclaims/data-db-1`), 'status', 'phase'), 'Bound');
    });
    const names = (await owned(`${core}/pods`, 'db')).map((pod) => stringAt(pod, 'metadata', 'name'));
    assert.deepEqual(names, ['db-0', 'db-1']);
  });

  test('a pod below the partition comes back from the template that it had', async () => {
    const spec = (image: string) => ({ ...template('part'), spec: { containers: [{ name: 'main', image }] } });
    await post(`${apps}/statefulsets`, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'part' },
      spec: {
        serviceName: 'part',
        replicas: 2,
        selector: { matchLabels: { app: 'part' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
        template: spec('example/main:1'),
      },
    });
    const imageOf = async (name: string) =>
      stringAt(await get(`${core}/pods/${name}`), 'spec', 'containers', 0, 'image');
    await eventually(async () =>
      assert.equal(at(await get(`${apps}/statefulsets/part`), 'status', 'readyReplicas'), 2),
    );
    const body = { spec: { template: spec('example/main:2') } };
    await call(sim, `${apps}/statefulsets/part`, { method: 'PATCH', type: merge, body });
    await eventually(async () => assert.equal(await imageOf('part-1'), 'example/main:2'));
    const uid = stringAt(await get(`${core}/pods/part-0`), 'metadata', 'uid');
    await call(sim, `${core}/pods/part-0`, { method: 'DELETE', body: { gracePeriodSeconds: 0 } });

    await eventually(async () => {
      const pod = await get(`${core}/pods/part-0`);
      assert.ok(stringAt(pod, 'metadata', 'uid') !== uid && stringAt(pod, 'metadata', 'uid') !== undefined);
    });
    assert.equal(await imageOf('part-0'), 'example/main:1');
  });

  test('a Deployment that is scaled in the middle of a rollout is scaled in proportion', async () => {
    const wide = { ...deployment('wide'), spec: { ...deployment('wide').spec, replicas: 10 } };
    const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    await post(`${apps}/deployments`, { ...wide, spec: { ...wide.spec, strategy, progressDeadlineSeconds: 600 } });
    await eventually(async () =>
      assert.equal(at(await get(`${apps}/deployments/wide`), 'status', 'availableReplicas'), 10),
    );
    const stuck = template('wide', { 'sim.tiphys.dev/outcome': 'never-ready' });
    const change = (body: unknown) => call(sim, `${apps}/deployments/wide`, { method: 'PATCH', type: merge, body });
    const sizes = async () =>
      (await owned(`${apps}/replicasets`, 'wide'))
        .map((set) => Number(at(set, 'spec', 'replicas')))
        .sort((a, b) => a - b);
    await change({ spec: { template: stuck } });
    await eventually(async () => assert.deepEqual(await sizes(), [5, 8]));
    await change({ spec: { replicas: 15 } });

    await eventually(async () => assert.deepEqual(await sizes(), [7, 11]));
  });

  test('a DaemonSet has a pod on every node', async () => {
    await post(`${apps}/daemonsets`, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    });

    await eventually(async () => assert.equal(at(await get(`${apps}/daemonsets/agent`), 'status', 'numberReady'), 2));
  });

  test('a load balancer gets an address, and a Service its endpoints', async () => {
    await post(`${apps}/deployments`, deployment('served'));
    await post(`${core}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'served' },
      spec: { type: 'LoadBalancer', selector: { app: 'served' }, ports: [{ port: 80 }] },
    });

    await eventually(async () => {
      const service = await get(`${core}/services/served`);
      assert.match(stringAt(service, 'status', 'loadBalancer', 'ingress', 0, 'ip') ?? '', /^198\.18\./);
      assert.equal(listAt(await get(`${core}/endpoints/served`), 'subsets', 0, 'addresses').length, 2);
    });
  });
});

describe('deletion', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim({ simulation: { startMs: 5, runMs: 5, stopMs: 5 } });
  });
  after(() => sim.stop());

  const start = async (name: string) => {
    await call(sim, `${apps}/deployments`, { method: 'POST', body: deployment(name) });
    await eventually(async () => {
      const { body } = await call(sim, `${apps}/deployments/${name}`);
      assert.equal(at(body, 'status', 'availableReplicas'), 2);
    });
  };
  const remove = (name: string, propagationPolicy: string) =>
    call(sim, `${apps}/deployments/${name}`, { method: 'DELETE', body: { propagationPolicy } });

  for (const policy of ['Background', 'Foreground'])
    test(`${policy} takes replica sets and pods along`, async () => {
      await start('gone');
      await remove('gone', policy);

      await eventually(() => {
        assert.equal(sim.count('deployments.apps'), 0);
        assert.equal(sim.count('replicasets.apps'), 0);
        assert.equal(sim.count('pods'), 0);
      });
    });

  test('Orphan leaves them, for the next Deployment of the kind to adopt or for nobody', async () => {
    await start('left');
    await remove('left', 'Orphan');

    await eventually(() => assert.equal(sim.count('deployments.apps'), 0));
    assert.equal(sim.count('replicasets.apps'), 1);
    assert.equal(sim.count('pods'), 2);
    const { body } = await call(sim, `${apps}/replicasets`);
    assert.equal(at(body, 'items', 0, 'metadata', 'ownerReferences'), undefined);
  });

  test('a namespace goes with everything in it, and takes nothing new meanwhile', async () => {
    const namespaces = '/api/v1/namespaces';
    await call(sim, namespaces, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'room' } },
    });
    const held = { name: 'held', finalizers: ['example.com/hold'] };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: held };
    await call(sim, `${namespaces}/room/configmaps`, { method: 'POST', body: map });
    await call(sim, `${namespaces}/room`, { method: 'DELETE' });
    const late = await call(sim, `${namespaces}/room/configmaps`, {
      method: 'POST',
      body: { ...map, metadata: { name: 'late' } },
    });
    await call(sim, `${namespaces}/room/configmaps/held`, {
      method: 'PATCH',
      type: merge,
      body: { metadata: { finalizers: null } },
    });

    assert.equal(late.code, 403);
    assert.equal(stringAt(late.body, 'details', 'causes', 0, 'reason'), 'NamespaceTerminating');
    await eventually(async () => assert.equal((await call(sim, `${namespaces}/room`)).code, 404));
  });
});
