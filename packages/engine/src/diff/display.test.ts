import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, stringifyJson, type KubeObject } from '@tiphys/api';
import type { Change } from './change.ts';
import { diffText } from './display.ts';
import { lineDiff } from './line-diff.ts';
import { maskSecrets } from './mask.ts';
import { defaultCompareOptions } from './normalise.ts';

const settings = { options: defaultCompareOptions, ignore: [] };
const canary = 'canary-value';
const canary64 = Buffer.from(canary).toString('base64');
const secret = (fields: object, annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'n', ...(annotations !== undefined && { annotations }) },
  ...fields,
});

test('DIFF-11 equal values get equal masks, and no value is left', () => {
  const live = secret(
    { data: { same: canary64, changed: 'b2xk' } },
    {
      'kubectl.kubernetes.io/last-applied-configuration': stringifyJson(
        secret({ stringData: { same: canary, changed: 'older' } }),
      ),
    },
  );
  const desired = secret({ stringData: { same: canary, changed: 'new' } });
  const [before, after] = maskSecrets([live, desired]);
  assert.deepEqual(before?.['data'], { same: '++++++++', changed: '++++++++' });
  assert.deepEqual(after?.['stringData'], { same: '++++++++', changed: '++++++++++' });
  const text = stringifyJson([before, after]);
  for (const value of [canary, canary64, 'b2xk', 'older', 'new']) assert.ok(!text.includes(value), value);
});

test('DIFF-11 sensitive annotations and a broken last-applied are masked', () => {
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': `{"data": "${canary}`,
    token: canary,
    plain: 'x',
  };
  const [masked] = maskSecrets([secret({}, annotations)], ['token']);
  assert.deepEqual(masked?.metadata.annotations, {
    'kubectl.kubernetes.io/last-applied-configuration': '++++++++',
    token: '++++++++',
    plain: 'x',
  });
});

test('CLI-14 the difference is a unified one under a header for each object', () => {
  const live: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n', uid: 'u', resourceVersion: '3' },
    data: { a: '1', theirs: 'x' },
  };
  const desired: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n' },
    data: { a: '2' },
  };
  const changes: Change[] = [
    { kind: 'update', key: keyOf(live), desired, live, differences: [] },
    { kind: 'keep', key: keyOf(live), desired, live },
    { kind: 'prune', key: keyOf(live), live },
  ];
  const expected = [
    '===== /ConfigMap n/c ======',
    '@@ -1,6 +1,6 @@',
    ' apiVersion: v1',
    ' data:',
    "-  a: '1'",
    "+  a: '2'",
    '   theirs: x',
    ' kind: ConfigMap',
    ' metadata:',
    '',
    '===== /ConfigMap n/c ======',
    '@@ -1,8 +0,0 @@',
    '-apiVersion: v1',
    '-data:',
    "-  a: '1'",
    '-  theirs: x',
    '-kind: ConfigMap',
    '-metadata:',
    '-  name: c',
    "-  namespace: 'n'",
    '',
  ];
  assert.equal(diffText(changes, settings), expected.join('\n'));
});

test('DIFF-11 a changed Secret shows that it changed and not how', () => {
  const live = secret({ data: { password: canary64 }, type: 'Opaque' });
  const desired = secret({ stringData: { password: 'next' } });
  const text = diffText([{ kind: 'update', key: keyOf(live), desired, live, differences: [] }], settings);
  assert.match(text, /-  password: \+{8}\n\+  password: \+{9}\n/);
  assert.ok(!text.includes(canary64));
});

const texts: readonly (readonly [string, string, string])[] = [
  ['', '', ''],
  ['a\n', 'a\n', ''],
  ['', 'a\n', '@@ -0,0 +1 @@\n+a\n'],
  ['a\nb\nc\n', 'a\nx\nc\n', '@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n'],
];
for (const [before, after, expected] of texts)
  test(`CLI-14 lines ${stringifyJson(before)} to ${stringifyJson(after)}`, () =>
    assert.equal(lineDiff(before, after), expected));
