import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Application } from '@tiphys/api';
import { missing, type WaitConditions } from './wait.ts';

const application = (status: Application['status'], operation?: Application['operation']): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: { destination: {}, source: { repoURL: 'r', targetRevision: 'main' } },
  ...(status !== undefined && { status }),
  ...(operation !== undefined && { operation }),
});
const nothing: WaitConditions = { sync: false, operation: false, deleted: false, health: [], resources: [] };
const sha = '1f8a67b000000000000000000000000000000000';

const cases: [string, Application | undefined, Partial<WaitConditions>, string[]][] = [
  ['synced', application({ sync: { status: 'Synced' } }), { sync: true }, []],
  ['not synced', application({ sync: { status: 'OutOfSync' } }), { sync: true }, ['sync (now OutOfSync)']],
  [
    'no status',
    application(undefined),
    { sync: true, health: ['Healthy'] },
    ['sync (now Unknown)', 'health Healthy (now Unknown)'],
  ],
  [
    'one of two kinds of health',
    application({ health: { status: 'Suspended' } }),
    { health: ['Healthy', 'Suspended'] },
    [],
  ],
  ['an operation that is asked for', application({}, { sync: {} }), { operation: true }, ['the operation to end']],
  ['deletion', application({}), { deleted: true }, ['deletion']],
  ['deleted', undefined, { deleted: true }, []],
  ['gone', undefined, { sync: true }, ['the application to exist']],
  [
    'DISC-60 another revision',
    application({ sync: { status: 'Synced', revision: 'abc' } }),
    { revision: sha },
    [`revision ${sha} (now abc)`],
  ],
  [
    'DISC-60 the revision, shortened',
    application({ sync: { status: 'Synced', revision: sha } }),
    { revision: '1f8a67b' },
    [],
  ],
  [
    'a single object',
    application({
      resources: [
        { group: 'apps', kind: 'Deployment', name: 'web', status: 'OutOfSync', health: { status: 'Healthy' } },
        { kind: 'Service', name: 'web', status: 'Synced' },
      ],
    }),
    {
      sync: true,
      health: ['Healthy'],
      resources: [{ exclude: false, group: 'apps', kind: 'Deployment', namespace: '', name: 'web' }],
    },
    ['sync (now OutOfSync)'],
  ],
];
describe('what a wait still lacks', () => {
  for (const [name, state, wanted, expected] of cases)
    test(name, () => {
      assert.deepEqual(missing(state, { ...nothing, ...wanted }), expected);
    });
});
