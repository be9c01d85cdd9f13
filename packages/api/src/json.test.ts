import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, parseJson, stringifyJson } from './json.ts';

test('integers that a double cannot hold survive reading and writing', () => {
  for (const text of [
    '9007199254740993',
    '-9223372036854775808',
    '[1,9223372036854775807]',
    '{"a":{"b":18446744073709551615}}',
  ])
    assert.equal(stringifyJson(parseJson(text)), text);
});

test('other numbers are doubles', () => {
  assert.deepEqual(parseJson('[1, 1.5, 1e21, 12345678901234567.5]'), [1, 1.5, 1e21, 12345678901234567.5]);
});

test('the canonical text does not depend on the order of keys', () => {
  assert.equal(
    canonicalJson({ b: 1, a: { d: 2n ** 60n, c: [3] } }),
    canonicalJson({ a: { c: [3], d: 2n ** 60n }, b: 1 }),
  );
});

test('a long integer is seen wherever a number may stand, and nowhere else', () => {
  const long = 9007199254740993n;
  for (const text of [
    `${long}`,
    `-${long}`,
    `[${long}]`,
    `[1,${long}]`,
    `{"a":${long}}`,
    `{"a": ${long}}`,
    `{"a":\n${long}}`,
  ])
    assert.ok(canonicalJson(parseJson(text)).includes(String(long)), text);
  for (const value of [
    '9007199254740993',
    'a 9007199254740993',
    '1234567890123456789012345678901234567890',
    ':9007199254740993',
  ])
    assert.deepEqual(parseJson(JSON.stringify({ value })), { value });
});
