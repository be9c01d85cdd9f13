import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, compilePathGlob } from './glob.ts';

const yes = true;
const no = false;

const gobwas: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['*.yaml', 'a.yaml', yes],
  ['*.yaml', 'sub/a.yaml', yes],
  ['*.yaml', 'a.yml', no],
  ['{*.yaml,*.yml}', 'x/a.yml', yes],
  ['{config.yaml,env-use2/*}', 'env-use2/deep/a.yaml', yes],
  ['{config.yaml,env-use2/*}', 'env-usw2/a.yaml', no],
  ['a?c', 'abc', yes],
  ['a?c', 'ac', no],
  ['[abc]x', 'bx', yes],
  ['[!abc]x', 'bx', no],
  ['[!abc]x', 'dx', yes],
  ['[a-f]9', 'e9', yes],
  ['[a-f]9', 'g9', no],
  ['\\*', '*', yes],
  ['\\*', 'a', no],
  ['{a,{b,c}d}e', 'cde', yes],
  ['{a,}b', 'b', yes],
  ['', '', yes],
  ['', 'a', no],
  ['**', 'a/b', yes],
  ['ä*', 'äb', yes],
];
test('globs of directories and projects', () => {
  for (const [pattern, text, matches] of gobwas)
    assert.equal(compileGlob(pattern)(text), matches, `${pattern} on ${text}`);
  assert.equal(compileGlob('a/*', '/')('a/b/c'), no);
  assert.equal(compileGlob('a/**', '/')('a/b/c'), yes);
});

const paths: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['values/*.yaml', 'values/a.yaml', yes],
  ['values/*.yaml', 'values/x/a.yaml', no],
  ['values/**/*.yaml', 'values/a.yaml', yes],
  ['values/**/*.yaml', 'values/x/y/a.yaml', yes],
  ['values/**', 'values/x/y', yes],
  ['values/**', 'values', yes],
  ['values/**', 'values-x', no],
  ['**/a.yaml', 'a.yaml', yes],
  ['**/a.yaml', 'x/a.yaml', yes],
  ['**/a.yaml', 'xa.yaml', no],
  ['a**b', 'axxb', yes],
  ['a**b', 'ax/xb', no],
  ['{dev,prod}/[^x].yaml', 'prod/y.yaml', yes],
  ['{dev,prod}/[^x].yaml', 'prod/x.yaml', no],
];
test('globs over paths', () => {
  for (const [pattern, text, matches] of paths)
    assert.equal(compilePathGlob(pattern)(text), matches, `${pattern} on ${text}`);
});

test('a glob that is none is refused, naming it', () => {
  for (const pattern of ['[a', '{a', 'a}', '[]', '[z-a]', 'a\\', '{'.repeat(20)])
    assert.throws(() => compileGlob(pattern), { code: 'language/invalid' }, pattern);
});

test('a hostile glob costs no more than its length times that of the text', () => {
  const started = performance.now();
  assert.equal(compileGlob('*a'.repeat(50) + 'b')('a'.repeat(2000)), false);
  assert.equal(compileGlob('{*,*}'.repeat(50) + 'b')('a'.repeat(500)), false);
  assert.ok(performance.now() - started < 2000);
});
