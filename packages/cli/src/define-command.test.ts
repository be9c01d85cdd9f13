import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, kebab } from './define-command.ts';

test('SYNC-49 durations are seconds or in the form of Go', () => {
  const cases: [string, number | undefined][] = [
    ['300', 300_000],
    ['5s', 5000],
    ['3m', 180_000],
    ['3m0s', 180_000],
    ['1h', 3_600_000],
    ['1.5m', 90_000],
    ['100ms', 100],
    ['5', 5000],
    ['', undefined],
    ['5d', undefined],
    ['soon', undefined],
    ['-5s', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(durationMs(text), expected, text);
});
test('flags are the names of arguments in kebab-case', () => {
  assert.equal(kebab('retryBackoffMaxDuration'), 'retry-backoff-max-duration');
});
