import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodedError } from './error.ts';
import { parseYaml, parseYamlDocuments, stringifyYaml } from './yaml.ts';

describe('scalars are those that kubectl reads', () => {
  const cases: [string, unknown][] = [
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['"yes"', 'yes'],
    ['0777', 511],
    ['0o17', 15],
    ['0x1F', 31],
    ['1_000', 1000],
    ['9223372036854775807', 9223372036854775807n],
    ['9007199254740991', 9007199254740991],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['~', null],
    ['2026-01-01', '2026-01-01'],
    ['1.2.3', '1.2.3'],
    ['v1', 'v1'],
    ['08', 8],
    ['12e03', 12_000],
    ['1e400', '1e400'],
    ['1:20', '1:20'],
    ['!!binary aGVsbG8=', 'hello'],
    ['!!timestamp 2026-01-01', '2026-01-01'],
    ['!!str 0777', '0777'],
    ['{on: x, 0777: z}', { true: 'x', 511: 'z' }],
  ];
  for (const [text, value] of cases)
    test(text, () => {
      assert.deepEqual(parseYaml(`a: ${text}`), { a: value });
    });
});

describe('what is written is read again as it was', () => {
  const values = [
    'yes',
    'n',
    '1',
    '0777',
    '1_000',
    '1e3',
    'null',
    '~',
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    ' a ',
    'a: b',
    '#',
    'x\ny\n',
    '',
    '.inf',
    '-.INF',
    '.nan',
    '1e400',
  ];
  for (const value of [...values, 1, 2n ** 60n, 1.5, true, null])
    test(String(value), () => {
      assert.deepEqual(parseYaml(stringifyYaml({ value })), { value });
    });
  test('a text that others take for a time is quoted', () => {
    assert.equal(stringifyYaml({ a: '2026-01-01T00:00:00Z' }), "a: '2026-01-01T00:00:00Z'\n");
  });
});

test('documents come in order, without empty ones', () => {
  assert.deepEqual(parseYamlDocuments('---\na: 1\n---\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
});

describe('what is wrong is told with file and line', () => {
  const cases: [string, string, RegExp][] = [
    ['broken', 'a: 1\nb: [\n', /^f\.yaml:\d+: /],
    [
      'aliases that explode',
      `a: &a [1]\n${Array.from({ length: 1100 }, (_, i) => `b${i}: *a`).join('\n')}`,
      /^f\.yaml/,
    ],
    ['nesting that is made to be deep', '['.repeat(300), /^f\.yaml/],
  ];
  for (const [name, text, message] of cases)
    test(name, () => {
      assert.throws(
        () => parseYamlDocuments(text, 'f.yaml'),
        (error) => error instanceof CodedError && error.code === 'api/invalid-yaml' && message.test(error.message),
      );
    });
});

test('a number that JSON cannot hold is refused', () => {
  for (const text of ['.inf', '-.Inf', '.NaN']) assert.throws(() => parseYaml(`a: ${text}`), /has no form in JSON/);
});
