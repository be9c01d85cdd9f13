import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesSelector, parseLabelSelector } from './selector.ts';

const labels = { app: 'shop', tier: 'web', empty: '', 'example.com/x': '1' };

const texts: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['app=shop', true],
  ['app==shop', true],
  ['app = shop', true],
  ['app=other', false],
  ['app!=other', true],
  ['absent!=x', true],
  ['app!=shop', false],
  ['empty=', true],
  ['app=', false],
  ['tier in (web,api)', true],
  ['tier in ( api , web )', true],
  ['tier in (api)', false],
  ['tier notin (api)', true],
  ['absent notin (api)', true],
  ['tier notin (web,api)', false],
  ['example.com/x', true],
  ['absent', false],
  ['!absent', true],
  ['!app', false],
  ['app=shop,tier in (web,api),!absent', true],
  ['app=shop,tier in (api,db),!absent', false],
  ['app=shop, absent', false],
];
for (const [text, expected] of texts)
  test(`the label selector ${JSON.stringify(text)} ${expected ? 'selects' : 'leaves out'}`, () =>
    assert.equal(matchesSelector(parseLabelSelector(text), labels), expected));

for (const text of ['=shop', 'app shop', 'tier in web', 'tier in (web', 'app=a=b', 'size>1', 'size<1', '!', 'a(b)'])
  test(`the label selector ${JSON.stringify(text)} is refused by name`, () =>
    assert.throws(() => parseLabelSelector(text), {
      code: 'language/invalid',
      message: /cannot read .*key in \(a,b\)/,
    }));

test('a selector object: all of its labels and all of its expressions; an empty one selects everything', () => {
  assert.equal(matchesSelector({}), true);
  assert.equal(matchesSelector({ matchLabels: { app: 'shop' } }, labels), true);
  assert.equal(matchesSelector({ matchLabels: { app: 'shop', tier: 'db' } }, labels), false);
  const matchExpressions = [{ key: 'tier', operator: 'In' as const, values: ['web'] }];
  assert.equal(matchesSelector({ matchLabels: { app: 'shop' }, matchExpressions }, labels), true);
  assert.equal(matchesSelector({ matchLabels: { app: 'x' }, matchExpressions }, labels), false);
  assert.equal(matchesSelector({ matchLabels: { app: 'shop' } }), false);
});
