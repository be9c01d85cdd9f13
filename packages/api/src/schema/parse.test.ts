import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applicationSchema } from '../application/application.ts';
import { parseWith } from './parse.ts';
import { choice, flag, int64, intOrText, json, list, map, object, optional, required, text } from './schema.ts';

const inner = object('Inner', { name: required(1, text, ''), on: optional(2, flag, '') });
const outer = object('Outer', {
  count: optional(1, int64, ''),
  size: optional(2, intOrText, ''),
  mode: optional(3, choice('fast', 'slow'), ''),
  inners: optional(4, list(inner), ''),
  labels: optional(5, map(text), ''),
  free: optional(6, json, ''),
});

describe('reading by a schema', () => {
  test('a value without faults is given back as the very same value', () => {
    const value = { count: 1, inners: [{ name: 'a', on: true }], labels: { a: 'b' }, free: { x: [null] } };
    const read = parseWith(outer, value);
    assert.deepEqual([read.problems, read.unknown], [[], []]);
    assert.equal(read.value, value);
  });

  const faults = [
    [{ count: '1' }, 'count', 'expected an integer, got the string "1"'],
    [{ count: 1.5 }, 'count', 'expected an integer, got the number 1.5'],
    [{ count: 2n ** 60n }, 'count', 'expected an integer, got the number 1152921504606846976'],
    [{ size: true }, 'size', 'expected an integer or a string, got the boolean true'],
    [{ inners: { name: 'a' } }, 'inners', 'expected a list, got a mapping'],
    [{ inners: [{ name: 'a' }, { name: 3 }] }, 'inners[1].name', 'expected a string, got the number 3'],
    [{ inners: [{}] }, 'inners[0].name', 'is required'],
    [{ labels: { 'a.b/c': 1 } }, 'labels["a.b/c"]', 'expected a string, got the number 1'],
    [[], '', 'expected a mapping, got a list'],
  ] as const;
  for (const [value, path, message] of faults)
    test(`${JSON.stringify(path)}: ${message}`, () => {
      assert.deepEqual(parseWith(outer, value).problems, [{ path, message }]);
    });

  test('a choice that nobody knows is told with the nearest one', () => {
    assert.deepEqual(parseWith(outer, { mode: 'fsat' }).problems, [
      { path: 'mode', message: 'expected one of fast, slow, got the string "fsat"', nearest: 'fast' },
    ]);
  });

  test('the value keeps its type whatever was read', () => {
    const { value } = parseWith(outer, { count: 'x', inners: [{ name: 3, on: 'yes' }, 7], labels: { a: 1, b: 'c' } });
    assert.deepEqual(value, { inners: [{ name: '' }], labels: { b: 'c' } });
  });

  test('null is absence, as Go reads it', () => {
    const read = parseWith(outer, { count: null, inners: [null, { name: 'a', on: null }], labels: { a: null } });
    assert.deepEqual(read.problems, []);
    assert.deepEqual(read.value, { inners: [{ name: 'a' }], labels: { a: '' } });
  });

  test('APP-08 unknown fields are kept, and told with path and nearest name', () => {
    const read = parseWith(outer, { inners: [{ name: 'a', naem: 'b' }], cuont: 1, entirely: {} });
    assert.deepEqual(read.unknown, [
      { path: 'inners[0].naem', nearest: 'name' },
      { path: 'cuont', nearest: 'count' },
      { path: 'entirely' },
    ]);
    assert.deepEqual(read.value, { inners: [{ name: 'a', naem: 'b' }], cuont: 1, entirely: {} });
  });

  test('the given value is never changed', () => {
    const value = Object.freeze({ count: null, inners: Object.freeze([Object.freeze({ name: 3 })]) });
    assert.doesNotThrow(() => parseWith(outer, value));
  });
});

test('the path of a fault deep in an Application', () => {
  const value = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'a' },
    spec: { destination: {}, syncPolicy: { automated: { selfHeal: 'yes' } } },
  };
  assert.deepEqual(parseWith(applicationSchema, value).problems, [
    { path: 'spec.syncPolicy.automated.selfHeal', message: 'expected a boolean, got the string "yes"' },
  ]);
});
