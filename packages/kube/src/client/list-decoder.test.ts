import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ListDecoder } from './list-decoder.ts';

function decode(text: string, cuts: readonly number[]): { items: unknown[]; shell: unknown } {
  const bytes = Buffer.from(text);
  const items: unknown[] = [];
  const decoder = new ListDecoder((item) => {
    try {
      items.push(JSON.parse(item));
      return true;
    } catch {
      return false;
    }
  });
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const cut of [...at, bytes.length]) {
    decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  return { items, shell: JSON.parse(decoder.end()) };
}

/** Strings that end in backslashes, hold quotes and brackets, and are longer than one search. */
const nasty = fc.oneof(
  fc.string(),
  fc
    .array(fc.constantFrom('"', '\\', '{', '}', '[', ']', 'items', 'é', '🚢', '\n', 'x'.repeat(40)), { maxLength: 12 })
    .map((parts) => parts.join('')),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    nasty,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      nasty.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;
const object = fc.dictionary(
  nasty.filter((key) => key !== '__proto__'),
  json,
  { maxKeys: 4 },
);

test('any list in any pieces gives the items and what is around them', () => {
  const list = fc.record({ before: json, items: fc.array(object, { maxLength: 6 }), metadata: json });
  fc.assert(
    fc.property(list, fc.array(fc.nat(), { maxLength: 30 }), fc.constantFrom(0, 2), (value, cuts, indent) => {
      const { items, shell } = decode(JSON.stringify(value, null, indent), cuts);
      // Through JSON, for it knows no -0.
      assert.deepEqual(items, JSON.parse(JSON.stringify(value.items)));
      assert.deepEqual(shell, JSON.parse(JSON.stringify({ ...value, items: [] })));
    }),
    { numRuns: 500 },
  );
});

test('every single cut of a list is survived', () => {
  const value = {
    kind: 'L',
    metadata: { items: ['no'] },
    items: [{ a: 'x\\"]}' }, { items: [{ b: '\\\\' }] }],
    z: 'items',
  };
  const text = JSON.stringify(value);
  for (let cut = 0; cut <= text.length; cut += 1) {
    const { items, shell } = decode(text, [cut, cut + 1]);
    assert.deepEqual(items, value.items);
    assert.deepEqual(shell, { ...value, items: [] });
  }
});

test('a list without items, and with none at all', () => {
  assert.deepEqual(decode('{"kind":"L","items":null}', []), { items: [], shell: { kind: 'L', items: null } });
  assert.deepEqual(decode('{"kind":"L","items":[]}', []), { items: [], shell: { kind: 'L', items: [] } });
});

test('a list that ends early is an error', () => {
  assert.throws(() => decode('{"items":[{"a":1},', []), /ended before its last bracket/);
});

test('items that begin alike are told from what begins alike inside them', () => {
  const plain = fc.record({ name: nasty, text: nasty });
  const nested = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.record({
      apiVersion: fc.constant('v1'),
      kind: fc.constant('A'),
      metadata: plain,
      children: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('node'), { maxLength: 4 })),
    }),
  })).node;
  fc.assert(
    fc.property(fc.array(nested, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 10 }), (items, cuts) => {
      const list = { kind: 'AList', items, z: 1 };
      assert.deepEqual(decode(JSON.stringify(list), cuts).items, JSON.parse(JSON.stringify(items)));
    }),
    { numRuns: 500 },
  );
});

test('an item larger than what is kept for the next chunk is read', () => {
  const item = (name: string): unknown => ({
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name, text: 'x'.repeat(400_000) },
  });
  const items = [
    item('a'),
    { apiVersion: 'v1', kind: 'A', metadata: {}, children: Array.from({ length: 5 }, () => item('c')) },
    item('d'),
  ];
  const text = JSON.stringify({ kind: 'AList', items });
  const cuts = Array.from({ length: Math.ceil(text.length / 16_384) }, (_, index) => index * 16_384);
  assert.deepEqual(decode(text, cuts).items, items);
});
