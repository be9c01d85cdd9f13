import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from './settings.ts';

test('CFG-05 kustomize: options and programs by version, the general options beside them', () => {
  const cm = {
    'kustomize.buildOptions': '--enable-helm  --reorder none',
    'kustomize.buildOptions.v4.5.7': '--enable-helm',
    'kustomize.path.v4.5.7': ' /custom-tools/kustomize_4_5_7 ',
    'kustomize.version.v3.5.1': '/custom-tools/kustomize_3_5_1',
    'kustomize.path.v3.5.1': '/tools/new',
    'kustomize.path.': '/nowhere',
  };
  const { settings, warnings } = readSettings({ cm, params: {} });
  assert.deepEqual(settings.kustomize, {
    enabled: true,
    buildOptions: ['--enable-helm', '--reorder', 'none'],
    buildOptionsOf: { 'v4.5.7': ['--enable-helm'] },
    paths: { 'v4.5.7': '/custom-tools/kustomize_4_5_7', 'v3.5.1': '/tools/new' },
  });
  assert.deepEqual(warnings, []);
});

const sizes: readonly (readonly [params: Record<string, string>, directory: number, chart: number])[] = [
  [{}, 10_000_000, 1_000_000_000],
  [{ 'reposerver.max.combined.directory.manifests.size': '2Mi' }, 2 * 1024 * 1024, 1_000_000_000],
  [{ 'reposerver.helm.manifest.max.extracted.size': '5M' }, 10_000_000, 5_000_000],
  [
    {
      'reposerver.helm.manifest.max.extracted.size': '5M',
      'reposerver.disable.helm.manifest.max.extracted.size': 'true',
    },
    10_000_000,
    Number.MAX_SAFE_INTEGER,
  ],
];
for (const [params, directory, chart] of sizes)
  test(`CFG-02 sizes: ${JSON.stringify(params)}`, () => {
    const { settings, warnings } = readSettings({ cm: {}, params });
    assert.deepEqual([settings.maxDirectoryBytes, settings.maxUnpackedChartBytes], [directory, chart]);
    assert.deepEqual(warnings, []);
  });

for (const text of ['0', '-1', 'much'])
  test(`CFG-02 the size "${text}" is told and passed over`, () => {
    const params = { 'reposerver.max.combined.directory.manifests.size': text };
    const { settings, warnings } = readSettings({ cm: {}, params });
    assert.equal(settings.maxDirectoryBytes, 10_000_000);
    assert.match(warnings.join(), /manifests\.size is not a size above 0/);
  });
