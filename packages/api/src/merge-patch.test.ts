import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './json.ts';
import { equalJson, mergePatch } from './merge-patch.ts';

const json = fc.jsonValue({ maxDepth: 3 });

/** The same value with keys in another order. */
const reordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, reordered(entry)] as const);
  return Object.fromEntries(entries.reverse());
};

test('values are equal when their canonical texts are', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.equal(equalJson(a, b), canonicalJson(a) === canonicalJson(b));
      assert.ok(equalJson(a, reordered(a)));
    }),
  );
});

test('a large whole number is equal to itself in either form, and a key without a value is none', () => {
  assert.ok(equalJson({ at: 5 }, { at: 5n }));
  assert.ok(!equalJson({ at: 9007199254740993n }, { at: 9007199254740992n }));
  assert.ok(equalJson({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(equalJson({ a: 1 }, { a: 1, b: undefined }));
  assert.ok(!equalJson({ a: null }, {}));
  assert.ok(!equalJson([], {}));
});

test('there is a merge patch exactly when two objects differ', () => {
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), json);
  fc.assert(
    fc.property(object, object, (from, to) => {
      assert.equal(mergePatch(from, to) === undefined, equalJson(from, to));
    }),
  );
});

test('a merge patch says what differs and nothing else', () => {
  const before = { a: 1, b: { c: [1], d: 'x' }, gone: true };
  const rows: readonly (readonly [after: unknown, patch: unknown])[] = [
    [before, undefined],
    [{ ...before, gone: undefined }, { gone: null }],
    [{ ...before, b: { c: [1, 2], d: 'x' } }, { b: { c: [1, 2] } }],
    [{ ...before, e: { f: 1 } }, { e: { f: 1 } }],
    [{ ...before, b: 'text' }, { b: 'text' }],
    [undefined, null],
  ];
  for (const [after, patch] of rows) assert.deepEqual(mergePatch(before, after), patch);
});
