import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assess } from './built-in.ts';
import { condition, of, seen, table } from './health-table.suite.ts';

const replicas = (updated: number, existing: number, available: number): object => ({
  status: { ...seen, updatedReplicas: updated, replicas: existing, availableReplicas: available },
});

table(
  'HEALTH-03',
  ['apps/v1', 'Deployment'],
  [
    ['complete', { spec: { replicas: 2 }, ...replicas(2, 2, 2) }, 'Healthy'],
    ['scaled to zero', { spec: { replicas: 0 }, ...replicas(0, 0, 0) }, 'Healthy'],
    ['no status yet', { spec: { replicas: 1 } }, 'Progressing'],
    ['a newer generation', { metadata: { generation: 2 }, spec: {}, ...replicas(1, 1, 1) }, 'Progressing'],
    ['half updated', { spec: { replicas: 2 }, ...replicas(1, 2, 2) }, 'Progressing', /1 of 2/],
    ['old ones left', { spec: { replicas: 2 }, ...replicas(2, 3, 2) }, 'Progressing', /1 old/],
    ['not available', { spec: { replicas: 2 }, ...replicas(2, 2, 1) }, 'Progressing', /1 of 2/],
    ['paused', { spec: { paused: true }, ...replicas(1, 1, 1) }, 'Suspended'],
    [
      'past its deadline',
      { spec: {}, status: { ...seen, ...condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'too slow') } },
      'Degraded',
      /too slow/,
    ],
    ['being deleted', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'Progressing', /Pending deletion/],
    [
      'being deleted, held as a hook',
      {
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['argocd.argoproj.io/hook-finalizer'] },
        spec: { replicas: 1 },
        ...replicas(1, 1, 1),
      },
      'Healthy',
    ],
  ],
);

const setStatus = (ready: number, more: object = {}): object => ({
  status: { ...seen, readyReplicas: ready, ...more },
});

table(
  'HEALTH-04',
  ['apps/v1', 'StatefulSet'],
  [
    ['complete', { spec: { replicas: 2 }, ...setStatus(2, { currentRevision: 'a', updateRevision: 'a' }) }, 'Healthy'],
    ['not observed', { metadata: { generation: 3 }, spec: {}, ...setStatus(1) }, 'Progressing'],
    ['not ready', { spec: { replicas: 2 }, ...setStatus(1) }, 'Progressing', /1 of 2/],
    [
      'updating',
      { spec: {}, ...setStatus(1, { currentRevision: 'a', updateRevision: 'b' }) },
      'Progressing',
      /revision b/,
    ],
    [
      'by hand',
      {
        spec: { updateStrategy: { type: 'OnDelete' } },
        ...setStatus(1, { currentRevision: 'a', updateRevision: 'b' }),
      },
      'Healthy',
    ],
    [
      'partition not reached',
      {
        spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
        ...setStatus(3, { updatedReplicas: 1 }),
      },
      'Progressing',
      /1 of 2/,
    ],
    [
      'a partition of zero, which the server sets: all are updated, whatever the revisions are called',
      {
        spec: { replicas: 1, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } },
        ...setStatus(1, { updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' }),
      },
      'Healthy',
    ],
    [
      'a partition of zero, and one to go',
      {
        spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 0 } } },
        ...setStatus(2, { updatedReplicas: 1 }),
      },
      'Progressing',
      /1 of 2/,
    ],
    [
      'partition reached',
      {
        spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
        ...setStatus(3, { updatedReplicas: 2 }),
      },
      'Healthy',
    ],
  ],
);

const daemons = (wanted: number, updated: number, available: number): object => ({
  status: { ...seen, desiredNumberScheduled: wanted, updatedNumberScheduled: updated, numberAvailable: available },
});

table(
  'HEALTH-04',
  ['apps/v1', 'DaemonSet'],
  [
    ['complete', { spec: {}, ...daemons(2, 2, 2) }, 'Healthy'],
    ['no node', { spec: {}, ...daemons(0, 0, 0) }, 'Healthy'],
    ['updating', { spec: {}, ...daemons(2, 1, 2) }, 'Progressing', /updated/],
    ['not available', { spec: {}, ...daemons(2, 2, 1) }, 'Progressing', /available/],
    ['by hand', { spec: { updateStrategy: { type: 'OnDelete' } }, ...daemons(2, 0, 2) }, 'Healthy'],
    ['not observed', { metadata: { generation: 2 }, spec: {}, ...daemons(2, 2, 2) }, 'Progressing'],
  ],
);

table(
  'HEALTH-04',
  ['apps/v1', 'ReplicaSet'],
  [
    ['complete', { spec: { replicas: 1 }, status: { ...seen, availableReplicas: 1 } }, 'Healthy'],
    ['not available', { spec: { replicas: 1 }, status: { ...seen } }, 'Progressing', /0 of 1/],
    [
      'failing',
      { spec: {}, status: { ...seen, ...condition('ReplicaFailure', 'True', 'Q', 'quota') } },
      'Degraded',
      /quota/,
    ],
  ],
);

table(
  'HEALTH-05',
  ['batch/v1', 'Job'],
  [
    ['running', { status: { active: 1 } }, 'Progressing'],
    ['no status', {}, 'Progressing'],
    ['complete', { status: { succeeded: 1, ...condition('Complete', 'True') } }, 'Healthy'],
    ['failed', { status: condition('Failed', 'True', 'BackoffLimitExceeded', 'too often') }, 'Degraded', /too often/],
    [
      'failed by its deadline',
      { status: condition('Failed', 'True', 'DeadlineExceeded') },
      'Degraded',
      /DeadlineExceeded/,
    ],
    ['suspended', { status: condition('Suspended', 'True', 'JobSuspended', 'off') }, 'Suspended', /off/],
    ['resumed', { status: condition('Suspended', 'False', 'JobResumed') }, 'Progressing'],
  ],
);

table(
  'HEALTH-06',
  ['v1', 'PersistentVolumeClaim'],
  [
    ['bound', { status: { phase: 'Bound' } }, 'Healthy'],
    ['pending', { status: { phase: 'Pending' } }, 'Progressing'],
    ['lost', { status: { phase: 'Lost' } }, 'Degraded'],
    ['no phase', {}, 'Unknown'],
  ],
);

const address = { status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } };

table(
  'HEALTH-07',
  ['v1', 'Service'],
  [
    ['cluster address', { spec: { type: 'ClusterIP' } }, 'Healthy'],
    ['load balancer without address', { spec: { type: 'LoadBalancer' }, status: { loadBalancer: {} } }, 'Progressing'],
    ['load balancer with address', { spec: { type: 'LoadBalancer' }, ...address }, 'Healthy'],
  ],
);

for (const version of ['networking.k8s.io/v1', 'extensions/v1beta1'])
  table(
    'HEALTH-07',
    [version, 'Ingress'],
    [
      [`${version} without address`, { spec: {} }, 'Progressing'],
      [`${version} with address`, { spec: {}, ...address }, 'Healthy'],
    ],
  );

const container = (more: object): object => ({ containerStatuses: [{ name: 'main', ...more }] });
const waiting = (reason: string, message?: string): object =>
  container({ state: { waiting: { reason, ...(message !== undefined && { message }) } } });

table(
  'HEALTH-08',
  ['v1', 'Pod'],
  [
    ['pending', { spec: {}, status: { phase: 'Pending', ...waiting('ContainerCreating') } }, 'Progressing'],
    [
      'crash loop',
      { spec: {}, status: { phase: 'Running', ...waiting('CrashLoopBackOff') } },
      'Degraded',
      /main: CrashLoopBackOff/,
    ],
    [
      'image',
      { spec: {}, status: { phase: 'Pending', ...waiting('ErrImagePull', 'no such') } },
      'Degraded',
      /main: ErrImagePull \(no such\)/,
    ],
    ['configuration', { spec: {}, status: { phase: 'Pending', ...waiting('CreateContainerConfigError') } }, 'Degraded'],
    [
      'crash loop of a pod that may end',
      { spec: { restartPolicy: 'Never' }, status: { phase: 'Pending', ...waiting('CrashLoopBackOff') } },
      'Progressing',
    ],
    [
      'the same, marked to run on',
      {
        metadata: { annotations: { 'argocd.argoproj.io/ignore-restart-policy': 'true' } },
        spec: { restartPolicy: 'Never' },
        status: { phase: 'Pending', ...waiting('CrashLoopBackOff') },
      },
      'Degraded',
    ],
    [
      'the same as a hook',
      {
        metadata: {
          annotations: { 'argocd.argoproj.io/ignore-restart-policy': 'true', 'argocd.argoproj.io/hook': 'PreSync' },
        },
        spec: { restartPolicy: 'Never' },
        status: { phase: 'Running' },
      },
      'Progressing',
    ],
    ['ready', { spec: {}, status: { phase: 'Running', ...condition('Ready', 'True') } }, 'Healthy'],
    ['starting', { spec: {}, status: { phase: 'Running', ...condition('Ready', 'False') } }, 'Progressing'],
    [
      'restarted and not ready',
      { spec: {}, status: { phase: 'Running', ...container({ lastState: { terminated: { reason: 'Error' } } }) } },
      'Degraded',
      /main/,
    ],
    ['succeeded', { spec: { restartPolicy: 'Never' }, status: { phase: 'Succeeded' } }, 'Healthy'],
    [
      'failed by exit code',
      { spec: {}, status: { phase: 'Failed', ...container({ state: { terminated: { exitCode: 3 } } }) } },
      'Degraded',
      /main: exit code 3/,
    ],
    [
      'failed by memory',
      {
        spec: {},
        status: { phase: 'Failed', ...container({ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }) },
      },
      'Degraded',
      /OOMKilled/,
    ],
    ['failed with a message', { spec: {}, status: { phase: 'Failed', message: 'evicted' } }, 'Degraded', /evicted/],
    [
      'not ready yet, after its init container was tried twice',
      {
        spec: {},
        status: {
          phase: 'Running',
          initContainerStatuses: [{ name: 'init', lastState: { terminated: { exitCode: 1 } } }],
          containerStatuses: [{ name: 'main' }],
        },
      },
      'Progressing',
    ],
    ['unknown phase', { spec: {}, status: { phase: 'Unknown' } }, 'Unknown'],
  ],
);

table(
  'HEALTH-09',
  ['batch/v1', 'CronJob'],
  [
    ['suspended', { spec: { suspend: true }, status: {} }, 'Suspended'],
    ['never due', { spec: {}, status: {} }, 'Healthy'],
    [
      'last run failed',
      { spec: {}, status: { lastScheduleTime: '2026-01-02T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:00Z' } },
      'Degraded',
    ],
    [
      'last run succeeded',
      { spec: {}, status: { lastScheduleTime: '2026-01-02T00:00:00Z', lastSuccessfulTime: '2026-01-02T00:00:09Z' } },
      'Healthy',
    ],
  ],
);

table(
  'HEALTH-10',
  ['example.com/v1', 'Widget'],
  [['a kind without a check', { status: { phase: 'Broken' } }, undefined]],
);
table('HEALTH-10', ['v1', 'ConfigMap'], [['a kind without a check', { data: {} }, undefined]]);

table(
  'HEALTH-01',
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  [
    [
      'cannot read metrics',
      { status: condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'none') },
      'Degraded',
      /none/,
    ],
    ['able', { status: condition('AbleToScale', 'True', 'ReadyForNewScale') }, 'Healthy'],
    ['limited', { status: condition('ScalingLimited', 'True', 'TooFewReplicas') }, 'Healthy'],
    ['new', {}, 'Progressing'],
  ],
);

const annotated = (conditions: string): Record<string, unknown> => ({
  metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/conditions': conditions } },
});

table(
  'HEALTH-01',
  ['autoscaling/v1', 'HorizontalPodAutoscaler'],
  [
    ['conditions in the annotation', annotated('[{"type":"AbleToScale","status":"True"}]'), 'Healthy'],
    ['failing', annotated('[{"type":"AbleToScale","status":"False","reason":"FailedGetScale"}]'), 'Degraded'],
    ['a broken annotation', annotated('{'), 'Progressing'],
  ],
);

table(
  'HEALTH-01',
  ['apiregistration.k8s.io/v1', 'APIService'],
  [
    ['available', { status: condition('Available', 'True') }, 'Healthy'],
    ['not available', { status: condition('Available', 'False', 'MissingEndpoints', 'none') }, 'Progressing', /none/],
  ],
);

table(
  'HEALTH-01',
  ['argoproj.io/v1alpha1', 'Workflow'],
  [
    ['new', {}, 'Progressing'],
    ['succeeded', { status: { phase: 'Succeeded' } }, 'Healthy'],
    ['failed', { status: { phase: 'Failed', message: 'step 2' } }, 'Degraded', /step 2/],
    ['another phase', { status: { phase: 'Skipped' } }, 'Unknown'],
  ],
);

table(
  'HEALTH-01',
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  [
    ['established', { status: condition('Established', 'True') }, 'Healthy'],
    ['new', {}, 'Progressing'],
    ['names taken', { status: condition('NamesAccepted', 'False', 'X', 'taken') }, 'Degraded', /taken/],
    ['being installed', { status: condition('Established', 'False', 'Installing') }, 'Progressing', /installed/],
    ['not established', { status: condition('Established', 'False', 'X') }, 'Degraded', /not established/],
    ['names accepted and no more', { status: condition('NamesAccepted', 'True') }, 'Degraded', /not established/],
    [
      'against the rules of schemas',
      { status: condition('NonStructuralSchema', 'True', 'X', 'bad') },
      'Degraded',
      /bad/,
    ],
    ['going', { status: condition('Terminating', 'True', 'X', 'objects left') }, 'Progressing', /objects left/],
  ],
);

const source = { repoURL: 'https://example.com/r.git', path: 'p' };
const child = (status: object, spec: object = {}): Record<string, unknown> => ({
  spec: { source, destination: {}, ...spec },
  status: {
    sync: { status: 'Synced', revision: 'r1', comparedTo: { source } },
    health: { status: 'Healthy' },
    ...status,
  },
});

table(
  'HEALTH-21',
  ['argoproj.io/v1alpha1', 'Application'],
  [
    ['its own verdict', child({}), 'Healthy'],
    ['its own bad verdict', child({ health: { status: 'Degraded', message: 'no' } }), 'Degraded', /no/],
    ['no status yet', { spec: { source } }, 'Progressing'],
    ['compared with an older spec', child({}, { source: { ...source, path: 'q' } }), 'Progressing'],
    ['a running sync', child({ operationState: { phase: 'Running' } }), 'Progressing'],
    [
      'an automated sync of the new revision is due',
      child(
        { sync: { status: 'OutOfSync', revision: 'r2', comparedTo: { source } } },
        { syncPolicy: { automated: {} } },
      ),
      'Progressing',
    ],
    [
      'the new revision waits for a human',
      child({ sync: { status: 'OutOfSync', revision: 'r2', comparedTo: { source } } }),
      'Healthy',
    ],
  ],
);

test('HEALTH-21 a configured check comes before the built-in one', () => {
  const health = assess(of('apps/v1', 'Deployment', { spec: {} }), () => ({ status: 'Suspended', message: 'mine' }));
  assert.deepEqual(health, { status: 'Suspended', message: 'mine' });
});
