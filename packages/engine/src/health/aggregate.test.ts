import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregateHealth, type Assessed } from './aggregate.ts';
import type { HealthStatus } from './health.ts';

const object = (status: HealthStatus | undefined, more: Partial<Assessed> = {}): Assessed => ({
  key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' },
  health: status === undefined ? undefined : { status },
  hook: false,
  ignored: false,
  ...more,
});

const childKey = { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: 'child' };

const cases: readonly (readonly [string, readonly Assessed[], HealthStatus])[] = [
  ['no object', [], 'Healthy'],
  ['all healthy', [object('Healthy'), object('Healthy')], 'Healthy'],
  ['suspended is worse than healthy', [object('Healthy'), object('Suspended')], 'Suspended'],
  ['progressing is worse than suspended', [object('Progressing'), object('Suspended')], 'Progressing'],
  ['degraded is worse than progressing', [object('Degraded'), object('Progressing')], 'Degraded'],
  ['unknown is worst', [object('Degraded'), object('Unknown')], 'Unknown'],
  ['one missing object does not worsen', [object('Missing'), object('Healthy')], 'Healthy'],
  ['all missing', [object('Missing'), object('Missing')], 'Missing'],
  ['missing beside one without a check', [object('Missing'), object(undefined)], 'Healthy'],
  ['objects without a check do not count', [object(undefined)], 'Healthy'],
  ['hooks do not count', [object('Degraded', { hook: true }), object('Healthy')], 'Healthy'],
  ['ignored objects do not count', [object('Degraded', { ignored: true }), object('Healthy')], 'Healthy'],
  ['an unknown child is left out', [object('Unknown', { key: childKey }), object('Healthy')], 'Healthy'],
  ['a degraded child counts', [object('Degraded', { key: childKey }), object('Healthy')], 'Degraded'],
];

for (const [name, objects, expected] of cases)
  test(`HEALTH-02 aggregate: ${name}`, () => assert.equal(aggregateHealth(objects).status, expected));

test('HEALTH-02 the message names three causes and counts the rest', () => {
  const bad = [1, 2, 3, 4, 5].map((n) =>
    object('Degraded', {
      key: { group: '', kind: 'Pod', namespace: 'n', name: `p${n}` },
      health: { status: 'Degraded', message: `m${n}` },
    }),
  );
  assert.equal(aggregateHealth(bad).message, 'Pod n/p1: m1; Pod n/p2: m2; Pod n/p3: m3; and 2 more');
});
