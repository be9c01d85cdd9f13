import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRefresh, type RefreshSnapshot } from './decide-refresh.ts';

const settings = { intervalMs: 180_000, retryMs: 10_000, hardIntervalMs: 0 };
const inputs = { spec: 'a', settings: 'b' };
const last = { atMs: 0, hardAtMs: 0, inputs, failed: false };
const quiet: RefreshSnapshot = { requested: undefined, operationAsked: false, inputs, last, marks: {} };

const cases: readonly [string, Partial<RefreshSnapshot>, number, string][] = [
  ['REC-01 a new application', { last: undefined }, 0, 'recent first-comparison'],
  ['REC-02 nothing happened', {}, 179_999, 'wait 1'],
  ['REC-02 the interval is over', {}, 180_000, 'recent interval'],
  ['REC-03 a refresh was requested', { requested: 'normal' }, 1, 'latest refresh-requested'],
  ['REC-03 a hard refresh was requested', { requested: 'hard' }, 1, 'hard refresh-requested'],
  ['a sync was requested', { operationAsked: true }, 1, 'latest operation-requested'],
  ['the spec changed', { inputs: { ...inputs, spec: 'c' } }, 1, 'latest spec-changed'],
  ['the settings changed', { inputs: { ...inputs, settings: 'c' } }, 1, 'recent settings-changed'],
  ['a commit touches it', { marks: { revision: 'main is at abc' } }, 1, 'recent new-revision'],
  ['a live object changed', { marks: { live: 'ConfigMap x/y' } }, 1, 'recent live-changed'],
  ['REC-15 a failed comparison is tried again soon', { last: { ...last, failed: true } }, 10_000, 'recent retry'],
  ['REC-15 but not at once', { last: { ...last, failed: true } }, 4_000, 'wait 6000'],
];

for (const [name, seen, now, expected] of cases)
  test(name, () => {
    const decision = decideRefresh({ ...quiet, ...seen }, settings, now);
    const said = decision.kind === 'wait' ? `wait ${decision.forMs}` : `${decision.freshness} ${decision.because.code}`;
    assert.equal(said, expected);
  });

test('timeout.hard.reconciliation asks for a comparison without caches', () => {
  const decision = decideRefresh(quiet, { ...settings, hardIntervalMs: 1000 }, 1000);
  assert.equal(decision.kind === 'refresh' && decision.freshness, 'hard');
});
