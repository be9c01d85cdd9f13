import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity, compareQuantities, parseQuantity } from './quantity.ts';

const table: readonly (readonly [text: string | number, canonical: string])[] = [
  ['0', '0'],
  ['0Mi', '0'],
  ['1', '1'],
  [2, '2'],
  ['100m', '100m'],
  ['1000m', '1'],
  ['0.1', '100m'],
  ['1.5', '1500m'],
  ['.5', '500m'],
  ['2.', '2'],
  ['1000', '1k'],
  ['1000k', '1M'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['1000Ki', '1000Ki'],
  ['512', '512'],
  ['1e3', '1e3'],
  ['12e6', '12e6'],
  ['1E2', '100'],
  ['-1Gi', '-1Gi'],
  ['+5', '5'],
  ['1n', '1n'],
  ['0.1n', '1n'],
  ['100E', '9223372036854775807'],
];

test('quantities come out as the API server keeps them', () => {
  for (const [text, canonical] of table) assert.equal(canonicalQuantity(text), canonical, String(text));
});

test('what is no quantity is refused', () => {
  for (const text of ['', 'abc', '1 Gi', '1.2.3', '1KI', 'Mi', '.', '1e', '--1'])
    assert.equal(canonicalQuantity(text), undefined, text);
});

test('quantities compare across suffixes', () => {
  const compare = (a: string, b: string): number => compareQuantities(parseQuantity(a), parseQuantity(b));
  assert.equal(compare('1', '1000m'), 0);
  assert.equal(compare('1Gi', '1G'), 1);
  assert.equal(compare('999m', '1'), -1);
});
