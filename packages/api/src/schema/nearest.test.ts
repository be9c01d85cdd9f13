import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestOf } from './nearest.ts';

const cases = [
  ['selfheal', ['prune', 'selfHeal', 'allowEmpty'], 'selfHeal'],
  ['refrsh', ['get', 'list', 'refresh', 'delete'], 'refresh'],
  ['destinations', ['source', 'sources', 'destination'], 'destination'],
  ['synk', ['sync', 'set'], 'sync'],
  ['ab', ['ba'], 'ba'],
  ['xyz', ['sync', 'list'], undefined],
  ['', ['a', 'sync'], 'a'],
] as const;
for (const [word, candidates, expected] of cases)
  test(`${JSON.stringify(word)} is nearest to ${expected ?? 'nothing'}`, () => {
    assert.equal(nearestOf(word, candidates), expected);
  });
