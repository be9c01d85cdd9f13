import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  difference,
  fromFieldsV1,
  intersection,
  pathsOf,
  pathText,
  setOf,
  toFieldsV1,
  union,
  without,
  type FieldSet,
} from './field-set.ts';

const element = fc.constantFrom('f:a', 'f:b', 'f:c', 'k:{"name":"x"}', 'v:"y"');
const path = fc.array(element, { minLength: 1, maxLength: 3 });
const sets = fc.array(path, { maxLength: 8 }).map((paths) => setOf(...paths));

const texts = (set: FieldSet): string[] => pathsOf(set).map(pathText).sort();

test('a set survives FieldsV1', () => {
  fc.assert(
    fc.property(sets, (set) => {
      assert.deepEqual(texts(fromFieldsV1(toFieldsV1(set))), texts(set));
    }),
  );
});

test('sets of fields obey the laws of sets', () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const all = new Set([...texts(a), ...texts(b)]);
      assert.deepEqual(texts(union(a, b)), [...all].sort());
      const inBoth = texts(a).filter((text) => texts(b).includes(text));
      assert.deepEqual(texts(intersection(a, b)), inBoth);
      assert.deepEqual(
        texts(difference(a, b)),
        texts(a).filter((text) => !texts(b).includes(text)),
      );
    }),
  );
});

test('without takes what lies below a field along', () => {
  const set = setOf(['f:spec'], ['f:spec', 'f:a'], ['f:spec', 'f:a', 'f:b'], ['f:status', 'f:c']);
  assert.deepEqual(texts(without(set, setOf(['f:spec', 'f:a']))), ['.spec', '.status.c']);
  assert.deepEqual(texts(difference(set, setOf(['f:spec', 'f:a']))), ['.spec', '.spec.a.b', '.status.c']);
});

test('a member with more below it is written with a dot', () => {
  assert.deepEqual(toFieldsV1(setOf(['f:a'], ['f:a', 'k:{"name":"x"}'])), { 'f:a': { '.': {}, 'k:{"name":"x"}': {} } });
});

test('keys of list items are read in any order', () => {
  const one = fromFieldsV1({ 'k:{"protocol":"TCP","containerPort":80}': {} });
  const other = fromFieldsV1({ 'k:{"containerPort":80,"protocol":"TCP"}': {} });
  assert.deepEqual(texts(one), texts(other));
  assert.deepEqual(texts(one), ['[containerPort=80,protocol="TCP"]']);
});
