import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, OperationState } from '@tiphys/api';
import type { Change } from '../diff/change.ts';
import { assess } from '../health/built-in.ts';
import { mergeConditions } from './conditions.ts';
import { healthField } from './health-status.ts';
import { withHistory } from './history.ts';
import { awaitRetry, freezeOperation, retryOperation, startOperation } from './operation.ts';
import { applicationHealth, assessChanges, resourceStatuses, syncStatusCode } from './resources.ts';
import { summaryOf } from './summary.ts';

const now = new Date('2026-01-01T00:00:00.500Z');
const object = (kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  metadata: { name, namespace: 'n' },
  ...more,
});
const key = (kind: string, name: string): Change['key'] => ({
  group: kind === 'Deployment' ? 'apps' : '',
  kind,
  namespace: 'n',
  name,
});
const keep = (kind: string, name: string, more: object = {}): Change => {
  const live = object(kind, name, more);
  return { kind: 'keep', key: key(kind, name), desired: live, live };
};
const healthy = { status: { updatedReplicas: 1, replicas: 1, availableReplicas: 1, observedGeneration: 1 } };

test('REC-12 a row for each object, with the names of the contract, sorted', () => {
  const old = object('ConfigMap', 'old', {
    metadata: { name: 'old', namespace: 'n', annotations: { 'argocd.argoproj.io/sync-wave': '2' } },
  });
  const changes: Change[] = [
    { kind: 'prune', key: key('ConfigMap', 'old'), live: old },
    keep('Deployment', 'web', healthy),
    { kind: 'create', key: key('ConfigMap', 'new'), desired: object('ConfigMap', 'new') },
    { kind: 'hook', key: key('Pod', 'hook'), live: object('Pod', 'hook', { status: { phase: 'Succeeded' } }) },
  ];
  assert.deepEqual(resourceStatuses(assessChanges(changes, assess)), [
    {
      version: 'v1',
      kind: 'ConfigMap',
      namespace: 'n',
      name: 'new',
      status: 'OutOfSync',
      health: { status: 'Missing' },
    },
    {
      version: 'v1',
      kind: 'ConfigMap',
      namespace: 'n',
      name: 'old',
      status: 'OutOfSync',
      requiresPruning: true,
      syncWave: 2,
    },
    { version: 'v1', kind: 'Pod', namespace: 'n', name: 'hook', health: { status: 'Healthy' }, hook: true },
    {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: 'n',
      name: 'web',
      status: 'Synced',
      health: { status: 'Healthy' },
    },
  ]);
});

test('DIFF-05 sync status and health are apart', () => {
  const bad = {
    status: {
      observedGeneration: 1,
      conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded', message: 'slow' }],
    },
  };
  const update = (more: object): Change => {
    const live = object('Deployment', 'web', more);
    return { kind: 'update', key: key('Deployment', 'web'), desired: live, live, differences: [] };
  };
  const both = (changes: Change[]): string =>
    `${syncStatusCode(changes)} ${applicationHealth(assessChanges(changes, assess)).status}`;
  assert.equal(both([keep('Deployment', 'web', bad)]), 'Synced Degraded');
  assert.equal(both([update(healthy)]), 'OutOfSync Healthy');
  assert.equal(both([keep('Deployment', 'web')]), 'Synced Progressing');
  assert.equal(both([update({})]), 'OutOfSync Progressing');
  assert.equal(
    both([{ kind: 'create', key: key('ConfigMap', 'a'), desired: object('ConfigMap', 'a') }]),
    'OutOfSync Missing',
  );
  assert.equal(both([]), 'Synced Healthy');
});

test('REC-12 the time of the health moves only with its status', () => {
  const before = { status: 'Healthy', lastTransitionTime: '2025-01-01T00:00:00Z' } as const;
  assert.deepEqual(healthField(before, { status: 'Healthy' }, now), before);
  assert.deepEqual(healthField(before, { status: 'Degraded', message: 'why' }, now), {
    status: 'Degraded',
    message: 'why',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
});

test('REC-12 conditions keep their time while they hold, and go when they do not', () => {
  const before = [
    { type: 'ComparisonError', message: 'a', lastTransitionTime: '2025-01-01T00:00:00Z' },
    { type: 'ComparisonError', message: 'b', lastTransitionTime: '2025-01-01T00:00:00Z' },
    { type: 'SyncError', message: 's', lastTransitionTime: '2025-01-01T00:00:00Z' },
  ];
  const found = [
    { type: 'ComparisonError', message: 'a' },
    { type: 'ComparisonError', message: 'c' },
  ] as const;
  assert.deepEqual(mergeConditions(before, found, { types: ['ComparisonError'], now }), [
    { type: 'SyncError', message: 's', lastTransitionTime: '2025-01-01T00:00:00Z' },
    { type: 'ComparisonError', message: 'a', lastTransitionTime: '2025-01-01T00:00:00Z' },
    { type: 'ComparisonError', message: 'c', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
});

const source = { repoURL: 'https://example.com/r.git', path: 'p' };
const done = (more: object = {}): OperationState => ({
  ...freezeOperation(startOperation({ sync: {}, initiatedBy: { username: 'admin' }, ...more }, now), {
    revisions: ['r1'],
    sources: [source],
    multiSource: false,
  }),
  phase: 'Succeeded',
});
const entry = (state: OperationState) => ({
  state,
  sources: [source],
  multiSource: false,
  now: '2026-01-01T00:00:09Z',
});

test('CORE-03 a full sync leaves an entry: revision, times and who asked', () => {
  const [first] = withHistory([], entry(done()));
  assert.deepEqual(first, {
    id: 0,
    revision: 'r1',
    source,
    deployedAt: '2026-01-01T00:00:09Z',
    deployStartedAt: '2026-01-01T00:00:00Z',
    initiatedBy: { username: 'admin' },
  });
});

test('SYNC-43 a selective sync, a dry run and a failure leave none', () => {
  assert.equal(withHistory([], entry(done({ sync: { resources: [{ kind: 'X', name: 'x' }] } }))).length, 0);
  assert.equal(withHistory([], entry(done({ sync: { dryRun: true } }))).length, 0);
  assert.equal(withHistory([], entry({ ...done(), phase: 'Failed' })).length, 0);
});

test('CORE-03 the history is trimmed, and ids are never used again', () => {
  let history = withHistory([], entry(done()), 2);
  for (let i = 0; i < 3; i += 1) history = withHistory(history, entry(done()), 2);
  assert.deepEqual(
    history.map(({ id }) => id),
    [2, 3],
  );
  assert.deepEqual(withHistory(history, entry(done()), 0), []);
});

test('SYNC-50 between attempts an operation is Running, with the end of the last one; the next keeps the revision', () => {
  const ended: OperationState = {
    ...done(),
    phase: 'Failed',
    finishedAt: '2026-01-01T00:00:09Z',
    syncResult: { revision: 'r1', source, resources: [{ kind: 'X', name: 'x' }] },
  };
  const waiting = awaitRetry(ended, {
    kind: 'retry',
    at: now,
    retryCount: 1,
    refresh: false,
    message: 'again',
    because: { code: 'x' },
  });
  assert.deepEqual([waiting.phase, waiting.retryCount, waiting.finishedAt], ['Running', 1, '2026-01-01T00:00:09Z']);
  assert.deepEqual(retryOperation(waiting, false).syncResult, { revision: 'r1', source });
  assert.equal(retryOperation(waiting, false).finishedAt, undefined);
  assert.equal(retryOperation(waiting, true).syncResult, undefined);
});

test('REC-12 the summary has images and web links, each once', () => {
  const web = object('Deployment', 'web', {
    spec: {
      template: { spec: { initContainers: [{ image: 'b:1' }], containers: [{ image: 'a:1' }, { image: 'b:1' }] } },
    },
  });
  const ingress: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'i',
      annotations: {
        'link.argocd.argoproj.io/bad': 'javascript:alert(1)',
        'link.argocd.argoproj.io/docs': 'https://docs.example.com',
      },
    },
    spec: {
      tls: [{ hosts: ['a.example.com'] }],
      rules: [{ host: 'a.example.com', http: { paths: [{ path: '/x/' }] } }, { host: 'b.example.com' }],
    },
  };
  assert.deepEqual(summaryOf([web, ingress]), {
    externalURLs: ['http://b.example.com', 'https://a.example.com/x', 'https://docs.example.com'],
    images: ['a:1', 'b:1'],
  });
});
