import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, OperationState, RetryStrategy, SyncPolicy } from '@tiphys/api';
import type { Change } from '../diff/change.ts';
import {
  decideAutomatedSync,
  selfHealDefaults,
  selfHealDelay,
  type AutomatedSyncView,
} from './decide-automated-sync.ts';
import { decideRetry, retryDelay } from './decide-retry.ts';

const now = new Date('2026-01-01T00:10:00Z');
const seconds = (s: number): string => new Date(now.getTime() + s * 1000).toISOString();

const delays = (strategy: RetryStrategy, count: number): number[] =>
  Array.from({ length: count }, (_, n) => retryDelay(strategy, n) / 1000);

test('SYNC-48 delays grow by the factor up to the largest', () => {
  assert.deepEqual(
    delays({ limit: 5, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } }, 5),
    [5, 10, 20, 40, 80],
  );
  assert.deepEqual(delays({ limit: 3, backoff: { duration: '10s' } }, 3), [10, 20, 40]);
  assert.deepEqual(
    delays({ limit: 9, backoff: { duration: '1m', factor: 3, maxDuration: '3m0s' } }, 3),
    [60, 180, 180],
  );
  assert.deepEqual(delays({}, 2), [5, 10]);
});

test('SYNC-49 duration forms', () => {
  for (const [duration, expected] of [
    ['5s', 5],
    ['3m', 180],
    ['3m0s', 180],
    ['1h', 3600],
    ['30', 30],
  ] as const)
    assert.equal(retryDelay({ backoff: { duration, maxDuration: '2h' } }, 0), expected * 1000, duration);
});

const failed = (more: Partial<OperationState> = {}): OperationState => ({
  operation: { initiatedBy: { automated: true } },
  phase: 'Failed',
  message: 'it failed',
  startedAt: seconds(-10),
  finishedAt: seconds(0),
  ...more,
});

test('SYNC-50 a retry says which attempt and when', () => {
  const decision = decideRetry(failed({ retryCount: 1 }), now);
  assert.equal(decision.kind === 'retry' && decision.at.toISOString(), seconds(10));
  assert.equal(decision.kind === 'retry' && decision.retryCount, 2);
  assert.match(decision.kind === 'retry' ? decision.message : '', /it failed\. Retrying attempt #2 of 5 in 10s/);
});

test('SYNC-51 who is tried again', () => {
  const kind = (state: OperationState): string => decideRetry(state, now).kind;
  const manual = { initiatedBy: { username: 'admin' } };
  assert.equal(kind(failed()), 'retry');
  assert.equal(kind(failed({ retryCount: 5 })), 'give-up');
  assert.equal(kind(failed({ operation: manual })), 'give-up');
  assert.equal(kind(failed({ operation: { ...manual, retry: { limit: 1 } } })), 'retry');
  assert.equal(kind(failed({ operation: { ...manual, retry: { limit: 0 } } })), 'give-up');
  assert.equal(kind(failed({ operation: { ...manual, retry: { limit: -1 } }, retryCount: 900 })), 'retry');
  assert.equal(kind(failed({ message: 'Operation terminated' })), 'give-up');
  assert.equal(kind(failed({ phase: 'Succeeded' })), 'give-up');
});

const object = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n' },
});
const change = (kind: 'create' | 'update' | 'keep' | 'prune', name = 'a'): Change => {
  const key = { group: '', kind: 'ConfigMap', namespace: 'n', name };
  const live = object(name);
  if (kind === 'create') return { kind, key, desired: live };
  if (kind === 'prune') return { kind, key, live };
  return kind === 'keep' ? { kind, key, desired: live, live } : { kind, key, desired: live, live, differences: [] };
};

const source = { repoURL: 'https://example.com/r.git', path: 'p', targetRevision: 'main' };
const view = (more: Partial<AutomatedSyncView> = {}): AutomatedSyncView => ({
  syncPolicy: { automated: { prune: true, selfHeal: true } },
  deleting: false,
  operationRunning: false,
  syncStatus: 'OutOfSync',
  changes: [change('update'), change('keep', 'b')],
  desiredCount: 2,
  revisions: ['r1'],
  sources: [source],
  multiSource: false,
  lastOperation: undefined,
  selfHeal: selfHealDefaults,
  ...more,
});
const last = (phase: OperationState['phase'], more: Partial<OperationState> = {}): OperationState => ({
  operation: { sync: {} },
  phase,
  message: 'no luck',
  startedAt: seconds(-700),
  finishedAt: seconds(-600),
  syncResult: { revision: 'r1', source: { ...source, targetRevision: 'r1' } },
  ...more,
});
const outcome = (more: Partial<AutomatedSyncView>): string => {
  const decision = decideAutomatedSync(view(more), now);
  return `${decision.kind} ${decision.because.code}`;
};
const policy = (automated: SyncPolicy['automated']): Partial<AutomatedSyncView> => ({
  syncPolicy: { automated } as SyncPolicy,
});

const leaving: Change = {
  kind: 'prune',
  key: { group: '', kind: 'ConfigMap', namespace: 'n', name: 'a' },
  live: { ...object('a'), metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } },
};

const guard: readonly (readonly [string, Partial<AutomatedSyncView>, string])[] = [
  ['REC-07 a new revision is synced', {}, 'sync new-revision'],
  ['REC-06 without automation nothing is done', { syncPolicy: {} }, 'none not-automated'],
  ['REC-06 switched off', policy({ enabled: false }), 'none not-automated'],
  ['REC-07 while an operation runs', { operationRunning: true }, 'none operation-running'],
  ['REC-07 while it is being deleted', { deleting: true }, 'none being-deleted'],
  ['REC-05 in sync', { syncStatus: 'Synced' }, 'none in-sync'],
  ['REC-15 not compared', { syncStatus: 'Unknown' }, 'none not-compared'],
  ['SYNC-26 only extra objects, prune off', { ...policy({}), changes: [change('prune')] }, 'none only-extra'],
  ['SYNC-26 only extra objects, prune on', { changes: [change('prune')] }, 'sync new-revision'],
  ['SYNC-26 what is being deleted already is no reason', { changes: [leaving] }, 'none deletion-under-way'],
  ['SYNC-29 an empty source is not pruned', { changes: [change('prune')], desiredCount: 0 }, 'refuse would-wipe'],
  [
    'SYNC-29 unless allowed',
    { ...policy({ prune: true, allowEmpty: true }), changes: [change('prune')], desiredCount: 0 },
    'sync new-revision',
  ],
  ['REC-10 a failed revision is not tried again', { lastOperation: last('Failed') }, 'refuse last-attempt-failed'],
  ['REC-10 another revision is', { lastOperation: last('Failed'), revisions: ['r2'] }, 'sync new-revision'],
  [
    'REC-10 another source is',
    { lastOperation: last('Failed'), sources: [{ ...source, path: 'q' }] },
    'sync new-revision',
  ],
  [
    'REC-08 drift without self-heal',
    { ...policy({ prune: true }), lastOperation: last('Succeeded') },
    'none self-heal-off',
  ],
  ['REC-09 drift with self-heal', { lastOperation: last('Succeeded') }, 'sync self-heal'],
  [
    'REC-11 a heal waits for the back-off',
    { lastOperation: last('Succeeded', { finishedAt: seconds(-1) }) },
    'later self-heal-backoff',
  ],
  [
    'REC-11 the third heal in a row waits longer',
    {
      lastOperation: last('Succeeded', { finishedAt: seconds(-17), operation: { sync: { autoHealAttemptsCount: 2 } } }),
    },
    'later self-heal-backoff',
  ],
  [
    'REC-11 a fixed delay',
    {
      lastOperation: last('Succeeded', { finishedAt: seconds(-17), operation: { sync: { autoHealAttemptsCount: 2 } } }),
      selfHeal: { ...selfHealDefaults, fixedMs: 5000 },
    },
    'sync self-heal',
  ],
];
for (const [name, more, expected] of guard) test(name, () => assert.equal(outcome(more), expected));

test('REC-11 the back-off grows to a cap', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 9].map((n) => selfHealDelay(n, selfHealDefaults) / 1000),
    [2, 6, 18, 54, 162, 300, 300],
  );
  const own = { fixedMs: 0, firstMs: 1_000, factor: 2, capMs: 5_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 9].map((n) => selfHealDelay(n, own) / 1000),
    [1, 2, 4, 5, 5],
  );
});

test('REC-09 a heal syncs only what differs, and counts', () => {
  const decision = decideAutomatedSync(
    view({
      lastOperation: last('Succeeded', { finishedAt: seconds(-60), operation: { sync: { autoHealAttemptsCount: 2 } } }),
    }),
    now,
  );
  assert.deepEqual(decision.kind === 'sync' && decision.operation, {
    sync: {
      revision: 'r1',
      prune: true,
      resources: [{ group: '', kind: 'ConfigMap', name: 'a' }],
      autoHealAttemptsCount: 3,
    },
    initiatedBy: { automated: true },
    retry: { limit: 5 },
  });
});
