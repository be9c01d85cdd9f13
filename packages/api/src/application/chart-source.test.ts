import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartOf } from './chart-source.ts';

const cases: readonly (readonly [source: { repoURL: string; chart?: string }, chart: string | undefined])[] = [
  [{ repoURL: 'https://charts.example.com', chart: 'shop' }, 'https://charts.example.com shop'],
  [{ repoURL: 'registry.example.com/team', chart: 'a/b' }, 'registry.example.com/team a/b'],
  [{ repoURL: 'oci://registry.example.com/team', chart: 'shop' }, 'oci://registry.example.com/team shop'],
  [{ repoURL: 'oci://registry.example.com:5000/team/shop/' }, 'oci://registry.example.com:5000/team shop'],
  [{ repoURL: 'oci://registry.example.com/shop', chart: '' }, 'oci://registry.example.com shop'],
  [{ repoURL: 'oci://registry.example.com' }, 'oci://registry.example.com '],
  [{ repoURL: 'https://git.example.com/shop.git' }, undefined],
  [{ repoURL: 'https://git.example.com/shop.git', chart: '' }, undefined],
];
for (const [source, chart] of cases)
  test(`REPO-01 the chart of ${JSON.stringify(source)}`, () => {
    const found = chartOf(source);
    assert.equal(found && `${found.repoURL} ${found.name}`, chart);
  });
