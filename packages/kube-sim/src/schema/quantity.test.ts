import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalQuantity, compareQuantities, parseQuantity } from './quantity.ts';

const cases: Readonly<Record<string, string | undefined>> = {
  '0': '0',
  '1': '1',
  '1000m': '1',
  '1500m': '1500m',
  '0.5': '500m',
  '1.5': '1500m',
  '.5': '500m',
  '100m': '100m',
  '2000': '2k',
  '1500': '1500',
  '1024Mi': '1Gi',
  '1536Mi': '1536Mi',
  '1.5Gi': '1536Mi',
  '1Gi': '1Gi',
  '1024': '1024',
  '1024Ki': '1Mi',
  '512Ki': '512Ki',
  '0.5Ki': '512',
  '1e3': '1e3',
  '1000e3': '1e6',
  '0.1n': '1n',
  '-1000m': '-1',
  '8Ei': '9223372036854775807',
  '': undefined,
  abc: undefined,
  '1 Gi': undefined,
  '1gi': undefined,
};

for (const [text, expected] of Object.entries(cases))
  test(`quantity ${JSON.stringify(text)} is written as ${String(expected)}`, () => {
    assert.equal(canonicalQuantity(text), expected);
  });

test('writing a quantity canonically keeps its value and is stable', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -100000, max: 100000 }),
      fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'u', 'n'),
      (number, suffix) => {
        const text = `${number}${suffix}`;
        const once = canonicalQuantity(text);
        assert.ok(once !== undefined);
        assert.equal(canonicalQuantity(once), once);
        const before = parseQuantity(text);
        const after = parseQuantity(once);
        assert.ok(before !== undefined && after !== undefined);
        assert.equal(compareQuantities(before, after), 0);
      },
    ),
  );
});
