import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationStatus } from '@tiphys/api';
import { fitStatus, sizeOf } from './fit-status.ts';

const now = new Date('2026-01-01T00:00:00Z');
const row = (index: number) => ({ version: 'v1', kind: 'ConfigMap', namespace: 'n', name: `c${index}` });
const entry = (id: number) => ({ id, revision: 'a'.repeat(40), deployedAt: '2026-01-01T00:00:00Z' });
const count = 200;

const status = (differing: number): ApplicationStatus => ({
  resources: Array.from({ length: count }, (_, index) => ({
    ...row(index),
    status: index >= count - differing ? ('OutOfSync' as const) : ('Synced' as const),
  })),
  history: Array.from({ length: 10 }, (_, index) => entry(index)),
  operationState: {
    operation: { sync: {} },
    phase: 'Running',
    message: 'Sync wave 1',
    startedAt: '2026-01-01T00:00:00Z',
    syncResult: {
      revision: 'a'.repeat(40),
      resources: [
        ...Array.from({ length: count }, (_, index) => ({
          ...row(index),
          status: 'Synced' as const,
          hookPhase: 'Succeeded' as const,
          syncPhase: 'Sync',
          message: `configmap/c${index} created`,
        })),
        { ...row(900), hookType: 'PreSync', hookPhase: 'Succeeded', syncPhase: 'PreSync', message: 'done' },
        { ...row(901), status: 'SyncFailed', hookPhase: 'Failed', syncPhase: 'Sync', message: 'refused' },
      ],
    },
  },
});

const results = ({ operationState }: ApplicationStatus) => operationState?.syncResult?.resources ?? [];

describe('a status that is too large to be stored', () => {
  test('is left alone while it fits', () => {
    const whole = status(0);
    assert.equal(fitStatus(whole, { maxSize: sizeOf(whole), now }), whole);
  });

  test('loses first what was said of objects that were applied, then their results, then old entries of the history', () => {
    const whole = status(0);
    const silent = fitStatus(whole, { maxSize: sizeOf(whole) - 1, now });
    assert.equal(results(silent).length, count + 2);
    assert.deepEqual(
      results(silent).flatMap(({ message }) => message ?? []),
      ['done', 'refused'],
    );

    const short = fitStatus(whole, { maxSize: sizeOf(silent) - 1, now });
    assert.deepEqual(
      results(short).map(({ name }) => name),
      ['c900', 'c901'],
    );
    assert.match(short.operationState?.message ?? '', /^Sync wave 1; the results of 200 applied objects are too many/);
    assert.deepEqual([short.resources?.length, short.history?.length], [count, 10]);

    const young = fitStatus(whole, { maxSize: sizeOf(short) - 150, now });
    assert.deepEqual(
      young.history?.map(({ id }) => id),
      [2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(young.conditions, undefined);
  });

  test('loses rows of objects at last, those in sync first, and says how many', () => {
    const fitted = fitStatus(status(20), { maxSize: 8_000, now });
    assert.ok(sizeOf(fitted) <= 8_000, `${sizeOf(fitted)}`);
    const { resources = [], conditions = [] } = fitted;
    assert.equal(resources.filter((one) => one.status === 'OutOfSync').length, 20);
    assert.ok(resources.length > 20 && resources.length < count);
    assert.deepEqual(
      results(fitted).map(({ name }) => name),
      ['c900', 'c901'],
    );
    assert.deepEqual(conditions, [
      {
        type: 'UnknownError',
        message: `the status is too large to be stored: it names ${resources.length} of 200 objects and 2 of 2 results`,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ]);
  });
});
