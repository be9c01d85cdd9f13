import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

const table: readonly (readonly [text: string, ms: number, written: string])[] = [
  ['0', 0, '0s'],
  ['5s', 5000, '5s'],
  ['3m', 180_000, '3m0s'],
  ['1h30m', 5_400_000, '1h30m0s'],
  ['1.5h', 5_400_000, '1h30m0s'],
  ['-2m', -120_000, '-2m0s'],
  ['+300ms', 300, '300ms'],
  ['1h2m3.5s', 3_723_500, '1h2m3.5s'],
  ['.5s', 500, '500ms'],
  ['10us', 0.01, '10µs'],
  ['7ns', 0.000007, '7ns'],
  ['1.5ns', 0.000001, '1ns'],
  ['1h5us', 3_600_000.005, '1h0m0.000005s'],
];

test('durations as Go reads and prints them', () => {
  for (const [text, ms, written] of table) {
    assert.equal(parseDuration(text), ms, text);
    assert.equal(formatDuration(ms), written, text);
  }
});

test('what is no duration is refused, naming it', () => {
  for (const text of ['', '-', '5', '5 s', 's', '1d', '1h-2m', 'abc', '.s', '999999999h'])
    assert.throws(() => parseDuration(text), { code: 'language/invalid', message: new RegExp(`"${text}"`) }, text);
});
