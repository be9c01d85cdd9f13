import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, stringAt } from '@tiphys/api';
import type { ApplicationView } from './harness/application.ts';
import {
  configMap,
  customResourceDefinition,
  deployment,
  job,
  manifest,
  service,
  workload,
  type Fate,
} from './harness/manifests.ts';
import type { World } from './harness/world.ts';

const pod = (name: string, annotations: Readonly<Record<string, string>> = {}): KubeObject =>
  manifest('v1 Pod', name, {
    annotations,
    body: { spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] } },
  });

const claim = (storageClassName?: string): KubeObject => {
  const chosen = storageClassName === undefined ? {} : { storageClassName };
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...chosen };
  return manifest('v1 PersistentVolumeClaim', 'data', { body: { spec } });
};

const ingress = (annotations: Readonly<Record<string, string>> = {}): KubeObject => {
  const backend = { service: { name: 'page', port: { number: 80 } } };
  return manifest('networking.k8s.io/v1 Ingress', 'page', {
    annotations,
    body: { spec: { defaultBackend: backend } },
  });
};
const noAddress = { 'sim.tiphys.dev/address': 'none' };
const neverReady: Fate = { outcome: 'never-ready' };
const cronJob = (suspend: boolean): KubeObject => {
  const { template } = job('x').spec as { template: object }; // made above, by us
  const spec = { schedule: '0 0 1 1 *', suspend, jobTemplate: { spec: { template } } };
  return manifest('batch/v1 CronJob', 'nightly', { body: { spec } });
};

/** No Pod of it is admitted. */
const refusedPods = (): KubeObject => {
  const containers = [{ name: 'main', image: 'registry.example/app:1' }];
  const template = { metadata: { labels: { app: 'w' } }, spec: { serviceAccountName: 'nobody', containers } };
  return workload('ReplicaSet')('w', {}, { template });
};

/** What people see of one object, by its kind. */
const samples: readonly (readonly [string, KubeObject, string])[] = [
  ['HEALTH-03 a Deployment that is rolled out', deployment('w'), 'Healthy'],
  ['HEALTH-03 a Deployment without ready pods', deployment('w', neverReady), 'Progressing'],
  [
    'HEALTH-03 a Deployment past its progress deadline',
    deployment('w', neverReady, { progressDeadlineSeconds: 5 }),
    'Degraded',
  ],
  ['HEALTH-03 HEALTH-09 a paused Deployment', deployment('w', {}, { paused: true }), 'Suspended'],
  ['HEALTH-04 a ReplicaSet with all its pods', workload('ReplicaSet')('w'), 'Healthy'],
  ['HEALTH-04 a ReplicaSet without ready pods', workload('ReplicaSet')('w', neverReady), 'Progressing'],
  ['HEALTH-04 a ReplicaSet whose pods are refused', refusedPods(), 'Degraded'],
  ['HEALTH-04 a StatefulSet with all its pods', workload('StatefulSet')('w'), 'Healthy'],
  ['HEALTH-04 a StatefulSet without ready pods', workload('StatefulSet')('w', neverReady), 'Progressing'],
  ['HEALTH-04 a DaemonSet with all its pods', workload('DaemonSet')('w'), 'Healthy'],
  ['HEALTH-04 a DaemonSet without ready pods', workload('DaemonSet')('w', neverReady), 'Progressing'],
  ['HEALTH-05 a Job that completed', job('w'), 'Healthy'],
  ['HEALTH-05 a Job that failed', job('w', { outcome: 'fail' }), 'Degraded'],
  ['HEALTH-05 HEALTH-09 a suspended Job', job('w', {}, { suspend: true }), 'Suspended'],
  ['HEALTH-05 a Job that runs', job('w', neverReady), 'Progressing'],
  ['HEALTH-06 a claim with its volume', claim(), 'Healthy'],
  ['HEALTH-06 a claim whose storage class is nowhere', claim('nowhere'), 'Progressing'],
  ['HEALTH-07 a Service', service('page'), 'Healthy'],
  ['HEALTH-07 a load balancer with an address', service('page', {}, { type: 'LoadBalancer' }), 'Healthy'],
  [
    'HEALTH-07 a load balancer without one',
    service('page', { annotations: noAddress }, { type: 'LoadBalancer' }),
    'Progressing',
  ],
  ['HEALTH-07 an Ingress with an address', ingress(), 'Healthy'],
  ['HEALTH-07 an Ingress without one', ingress(noAddress), 'Progressing'],
  ['HEALTH-08 a Pod that is ready', pod('w'), 'Healthy'],
  ['HEALTH-08 a Pod whose container crashes', pod('w', { 'sim.tiphys.dev/outcome': 'crash' }), 'Degraded'],
  ['HEALTH-09 a suspended CronJob', cronJob(true), 'Suspended'],
  ['HEALTH-10 an object without a check', configMap('a'), 'Healthy'],
];

const names = new Set(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

/** What a rollout comes to that replaces what was healthy before. */
const rollouts: readonly (readonly [string, KubeObject, KubeObject])[] = [
  [
    'HEALTH-03 a Deployment whose new pod is not ready, though the old one still serves,',
    deployment('w'),
    deployment('w', neverReady),
  ],
  [
    'HEALTH-04 a StatefulSet whose new pod is not ready',
    workload('StatefulSet')('w', {}, { replicas: 2 }),
    workload('StatefulSet')('w', neverReady, { replicas: 2 }),
  ],
  [
    'HEALTH-04 a DaemonSet whose new pod is not ready',
    workload('DaemonSet')('w'),
    workload('DaemonSet')('w', neverReady),
  ],
];

/** A Pod that no scheduler places: it stays as the test says that it is. */
const unplaced = (restartPolicy: string): KubeObject =>
  manifest('v1 Pod', 'w', {
    body: {
      spec: {
        schedulerName: 'nobody',
        restartPolicy,
        containers: [{ name: 'main', image: 'registry.example/app:1' }],
      },
    },
  });
const containerStatus = (more: object): object => ({
  containerStatuses: [
    { name: 'main', image: 'registry.example/app:1', imageID: '', ready: false, restartCount: 1, ...more },
  ],
});
const waitsFor = (reason: string, message: string): object => ({
  phase: 'Pending',
  ...containerStatus({ state: { waiting: { reason, message } } }),
});
const ended = { exitCode: 1, reason: 'Error', startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' };

/** States of Pods, and what the application says of them. */
const podStates: readonly (readonly [string, string, object, string, RegExp | undefined])[] = [
  ['CrashLoopBackOff', 'Always', waitsFor('CrashLoopBackOff', 'back-off 5m0s'), 'Degraded', /main.*CrashLoopBackOff/],
  ['ErrImagePull', 'Always', waitsFor('ErrImagePull', 'not found'), 'Degraded', /main.*ErrImagePull.*not found/],
  ['ImagePullBackOff', 'Always', waitsFor('ImagePullBackOff', 'x'), 'Degraded', /main.*ImagePullBackOff/],
  [
    'CreateContainerConfigError',
    'Always',
    waitsFor('CreateContainerConfigError', 'secret "x" not found'),
    'Degraded',
    /main.*CreateContainerConfigError.*secret "x" not found/,
  ],
  ['ContainerCreating', 'Always', waitsFor('ContainerCreating', ''), 'Progressing', undefined],
  [
    'a restart after a failed probe',
    'Always',
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False' }],
      ...containerStatus({ state: { running: {} }, lastState: { terminated: ended } }),
    },
    'Degraded',
    /main.*restart/,
  ],
  [
    'a failure for good',
    'Never',
    { phase: 'Failed', ...containerStatus({ state: { terminated: ended } }) },
    'Degraded',
    /main.*exit code 1/,
  ],
];

/** Health of objects, through the application that owns one of them. */
export function healthTests(world: World): void {
  for (const [title, object, expected] of samples) {
    test(`${title} makes its application ${expected}`, async (t) => {
      assert.ok(names.has(expected));
      const scene = await world.scene(t, { 'app/a.yaml': object });
      await scene.create();
      assert.equal((await scene.sync()).phase, 'Succeeded');
      await scene.until(`Synced, ${expected}`, (view) => view.sync === 'Synced' && view.health === expected);
      await scene.stays(expected, (view) => view.health === expected, { timeoutMs: 1200 });
    });
  }

  for (const [title, before, object] of rollouts) {
    test(`${title} makes its application Progressing`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': before });
      await scene.createAutomated();
      await scene.untilSettled();
      const revision = await scene.repository.commit({ 'app/a.yaml': object });
      await scene.until(
        'Synced, Progressing',
        (view) => view.syncedRevision === revision && view.health === 'Progressing',
      );
      await scene.stays('Progressing', (view) => view.health === 'Progressing', { timeoutMs: 4000 });
    });
  }

  for (const [title, restartPolicy, status, expected, message] of podStates) {
    test(`HEALTH-08 a Pod with ${title} makes its application ${expected}, naming container and reason`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': unplaced(restartPolicy) });
      await scene.create();
      assert.equal((await scene.sync()).phase, 'Succeeded');
      await scene.patch('Pod/w', { status }, { subresource: 'status' });
      const isSo = ({ health, healthMessage }: ApplicationView): boolean =>
        health === expected && (message === undefined ? healthMessage === '' : message.test(healthMessage));
      await scene.until(`${expected} ${String(message)}`, isSo);
      await scene.stays(expected, isSo, { timeoutMs: 1200 });
    });
  }

  test('HEALTH-06 a claim that has lost its volume makes its application Degraded', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': claim() });
    await scene.createAutomated();
    await scene.untilSettled();
    const name = stringAt(await scene.live('PersistentVolumeClaim/data'), 'spec', 'volumeName') ?? '';
    // Volumes are protected while they are in use: somebody insists.
    const ref = { gvk: { group: '', version: 'v1', kind: 'PersistentVolume' }, name };
    await world.cluster.client.delete(ref);
    await world.cluster.client.patch(ref, { type: 'merge', body: { metadata: { finalizers: null } } });
    await scene.until('Degraded', (view) => view.health === 'Degraded' && view.sync === 'Synced');
  });

  const aggregates = [
    { worst: 'Suspended', objects: [deployment('a'), deployment('b', {}, { paused: true })] },
    { worst: 'Progressing', objects: [deployment('a', {}, { paused: true }), deployment('b', neverReady)] },
    { worst: 'Degraded', objects: [deployment('b', neverReady), job('c', { outcome: 'fail' })] },
  ];
  for (const { worst, objects } of aggregates) {
    test(`HEALTH-02 the application is as its worst object: ${worst}`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': [configMap('unchecked'), ...objects] });
      await scene.create();
      await scene.sync();
      await scene.until(worst, (view) => view.health === worst);
      await scene.stays(worst, (view) => view.health === worst, { timeoutMs: 1200 });
    });
  }

  test('HEALTH-02 the application is as its worst object: Unknown', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [job('c', { outcome: 'fail' }), unplaced('Always')] });
    await scene.create();
    await scene.sync();
    await scene.until('Degraded', (view) => view.health === 'Degraded');
    await scene.patch('Pod/w', { status: { phase: 'Unknown' } }, { subresource: 'status' });
    await scene.until('Unknown', (view) => view.health === 'Unknown');
    await scene.stays('Unknown', (view) => view.health === 'Unknown', { timeoutMs: 1200 });
  });

  // A scene each: an object that fails its sync would keep the hook from running at all.
  const uncounted = {
    'an object that asks to be left out': job('left-out', {
      outcome: 'fail',
      annotations: { 'argocd.argoproj.io/ignore-healthcheck': 'true' },
    }),
    'a hook': job('hook', { hook: 'PostSync', outcome: 'fail' }),
  };
  for (const [what, object] of Object.entries(uncounted)) {
    test(`HEALTH-02 ${what} does not count`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': [deployment('page'), object] });
      await scene.create();
      await scene.sync();
      await scene.live(`Job/${object.metadata.name ?? ''}`);
      await scene.until('Healthy', (view) => view.health === 'Healthy');
      await scene.stays('Healthy', (view) => view.health === 'Healthy');
    });
  }

  test('HEALTH-02 an application whose objects are all missing is Missing; one that misses some is not', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [deployment('a'), deployment('b')] });
    await scene.create();
    await scene.until('Missing', (view) => view.health === 'Missing');
    await scene.sync({ resources: [{ group: 'apps', kind: 'Deployment', name: 'a' }] });
    await scene.until('Healthy', (view) => view.sync === 'OutOfSync' && view.health === 'Healthy');
  });

  test('HEALTH-10 a custom resource without a check does not worsen its application, and has no health', async (t) => {
    const scene = await world.scene(t);
    const group = `${scene.name}.example.com`;
    const instance = manifest(`${group}/v1 Widget`, 'one', { body: { status: { phase: 'Broken' } } });
    await scene.repository.commit({
      'app/a.yaml': [instance, scene.adoptDefinition(customResourceDefinition(group, 'Widget'))],
    });
    await scene.createAutomated();
    const view = await scene.untilSettled();
    assert.equal(view.resources.find(({ id }) => id === 'Widget/one')?.health, '');
  });

  test('HEALTH-22 the transition time moves only when the health changes', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': deployment('page') });
    await scene.createAutomated();
    const time = (view: Awaited<ReturnType<typeof scene.view>>): string =>
      JSON.stringify(view.object['status']).match(/"health":\{[^}]*"lastTransitionTime":"([^"]+)"/)?.[1] ?? '';
    const before = time(await scene.untilSettled());
    assert.notEqual(before, '');
    // Times of a status have whole seconds.
    await sleep(1100);
    await scene.refresh('hard');
    assert.equal(time(await scene.untilSettled()), before);
    await scene.patch('Deployment/page', { spec: { paused: true } });
    const after = time(await scene.until('Suspended', ({ health }) => health === 'Suspended'));
    assert.ok(after > before, `${after} after ${before}`);
  });
}
