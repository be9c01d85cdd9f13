import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highestVersion, isVersionRange, parseVersion, parseVersionRange } from './version-range.ts';

/** Range, versions in it, versions not in it. */
const table: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
  ['1.2.3', ['1.2.3', 'v1.2.3'], ['1.2.4', '1.2.3-rc.1']],
  ['=1.2', ['1.2.0', '1.2.9'], ['1.3.0']],
  ['1.2.*', ['1.2.0', '1.2.9'], ['1.3.0', '1.2.9-beta']],
  ['1.x', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.0']],
  ['*', ['0.0.1', '1.0.0', '99.1.2'], ['1.0.0-alpha']],
  ['*-0', ['1.0.0-alpha', '1.0.0'], []],
  ['>1', ['2.0.0'], ['1.0.0', '1.9.9']],
  ['>1.2', ['1.3.0', '2.0.0'], ['1.2.9']],
  ['>1.2.3', ['1.2.4'], ['1.2.3']],
  ['>=1.2', ['1.2.0', '5.0.0'], ['1.1.9']],
  ['<2', ['1.9.9'], ['2.0.0']],
  ['<=1.2', ['1.2.9', '1.0.0'], ['1.3.0']],
  ['<=1', ['1.9.9'], ['2.0.0']],
  ['<=1.2.3', ['1.2.3'], ['1.2.4']],
  ['!=1.2.3', ['1.2.4'], ['1.2.3']],
  ['!=1.2', ['1.3.0', '2.0.0'], ['1.2.5']],
  ['!=1.x', ['2.0.0'], ['1.5.0']],
  ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
  ['~1.2', ['1.2.0', '1.2.9'], ['1.3.0']],
  ['~1', ['1.0.0', '1.9.0'], ['2.0.0']],
  ['~>2.1', ['2.1.5'], ['2.2.0']],
  ['^1.2.3', ['1.2.3', '1.9.9'], ['2.0.0', '1.2.2']],
  ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '1.0.0']],
  ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.3']],
  ['^0.0', ['0.0.1', '0.0.9'], ['0.1.0']],
  ['^0', ['0.1.0', '0.9.0'], ['1.0.0']],
  ['>=1.2 <3.0.0', ['1.2.0', '2.9.9'], ['3.0.0', '1.1.0']],
  ['>= 1.2, < 3.0.0 || 5.x', ['1.2.0', '5.1.0'], ['4.0.0']],
  ['1.2 - 2.3.4', ['1.2.0', '2.3.4'], ['2.3.5', '1.1.9']],
  ['>=1.0.0-0', ['1.0.0-rc.1', '1.0.0', '2.0.0-beta'], ['0.9.0']],
  ['>=1.0.1-rc.1 !=3.X', ['2.1.0-0', '2.0.0'], ['3.1.0', '1.0.1-alpha']],
  ['~0.0.0', ['0.0.0', '7.8.9'], []],
  ['^1.2.0-beta.1', ['1.2.0-beta.2', '1.2.0', '1.3.0'], ['2.0.0']],
];

test('version ranges as Helm and Argo CD read them', () => {
  for (const [text, inside, outside] of table) {
    const range = parseVersionRange(text);
    const allows = (version: string): boolean => range.allows(parseVersion(version)!);
    for (const version of inside) assert.ok(allows(version), `${text} has ${version}`);
    for (const version of outside) assert.ok(!allows(version), `${text} has not ${version}`);
  }
});

test('the highest version of a range', () => {
  const tags = ['v1.0.0', '1.4.2', 'v1.10.0', 'latest', '2.0.0-rc.1', 'v1.10.0-rc.1'];
  assert.equal(highestVersion(parseVersionRange('1.*'), tags), 'v1.10.0');
  assert.equal(highestVersion(parseVersionRange('>=2.0.0-0'), tags), '2.0.0-rc.1');
  assert.equal(highestVersion(parseVersionRange('^3'), tags), undefined);
});

test('what is a range and what is not', () => {
  for (const text of ['1.2.*', '^1', '>=1 <2', '*', '1.x || 2.x']) assert.ok(isVersionRange(text), text);
  for (const text of ['1.2.3', 'v1.2', '', 'main', 'feature/1.x', 'HEAD', 'abc1234', '>=', 'release-1.x'])
    assert.ok(!isVersionRange(text), text);
});
