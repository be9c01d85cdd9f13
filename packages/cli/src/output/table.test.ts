import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, widthOf } from './table.ts';

test('columns are as wide as their widest cell and two spaces, the last cell is not padded', () => {
  assert.equal(
    formatTable([
      ['NAME', 'STATUS', 'MESSAGE'],
      ['a-long-name', 'Synced', ''],
      ['b', 'OutOfSync', 'text'],
    ]),
    'NAME         STATUS     MESSAGE\na-long-name  Synced     \nb            OutOfSync  text\n',
  );
});
test('colour takes no room, wide characters take two columns', () => {
  assert.equal(widthOf('\u001b[32mSynced\u001b[39m'), 6);
  assert.equal(widthOf('日本'), 4);
  assert.equal(widthOf('é'), 1);
});
test('a line break in a value does not break the table', () => {
  assert.equal(formatTable([['a\n  b', 'c']]), 'a b  c\n');
});
test('nothing gives nothing', () => {
  assert.equal(formatTable([]), '');
});
