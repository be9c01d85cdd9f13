import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDesiredIndex } from './desired-index.ts';

const key = (name: string) => ({ group: '', kind: 'ConfigMap', namespace: 'n', name });

test('APP-19 two applications that desire the same object know of each other', () => {
  const index = openDesiredIndex();
  index.set('one', 's', [key('a'), key('b')]);
  assert.deepEqual(index.set('two', 's', [key('b')]), [{ key: key('b'), others: ['one'] }]);
  assert.deepEqual(index.set('two', 's', [key('b'), key('c')]), [], 'nothing new to anybody');
  index.set('three', 'elsewhere', [key('b')]);
  assert.deepEqual(index.shared('one'), [{ key: key('b'), others: ['two'] }]);
  assert.deepEqual(index.shared('three'), []);
  assert.deepEqual(index.of('s', key('b')), ['one', 'two']);
  assert.deepEqual(index.remove('two'), [{ key: key('b'), others: ['one'] }]);
  assert.deepEqual(index.shared('one'), []);
});

test('an application that desires something else is found there only', () => {
  const index = openDesiredIndex();
  index.set('one', 's', [key('a')]);
  index.set('one', 's', [key('b')]);
  assert.deepEqual(index.of('s', key('a')), []);
  assert.deepEqual(index.of('s', key('b')), ['one']);
});
