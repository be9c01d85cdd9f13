import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openReadSetIndex } from './read-set-index.ts';

const index = openReadSetIndex();
index.set('guestbook', [{ repository: 'r', paths: ['apps/guestbook'] }]);
index.set('shop', [
  { repository: 'r', paths: ['apps/shop', 'base', 'values/prod.yaml'] },
  { repository: 'other', paths: [''] },
]);

const cases: readonly [string, string, readonly string[], readonly string[]][] = [
  ['a file below a folder', 'r', ['apps/guestbook/a/b.yaml'], ['guestbook']],
  ['a shared base', 'r', ['base/kustomization.yaml'], ['shop']],
  ['a single file', 'r', ['values/prod.yaml'], ['shop']],
  ['its neighbour', 'r', ['values/dev.yaml'], []],
  ['a folder with the same beginning', 'r', ['apps/guestbook-2/x.yaml'], []],
  ['another repository, read whole', 'other', ['anything'], ['shop']],
  ['several paths', 'r', ['README.md', 'apps/shop/x', 'apps/guestbook/y'], ['guestbook', 'shop']],
  ['a repository that nobody reads', 'nobody', ['x'], []],
];

for (const [name, repository, changed, expected] of cases)
  test(`REC-04 a commit touches only the applications that read a changed path: ${name}`, () => {
    assert.deepEqual([...index.affected(repository, changed)].sort(), [...expected]);
  });

test('an application that reads something else is found there only', () => {
  const own = openReadSetIndex();
  own.set('a', [{ repository: 'r', paths: ['x'] }]);
  own.set('a', [{ repository: 'r', paths: ['y'] }]);
  assert.deepEqual([...own.affected('r', ['x/1'])], []);
  assert.deepEqual([...own.affected('r', ['y/1'])], ['a']);
  own.remove('a');
  assert.deepEqual(own.readersOf('r'), []);
});
