import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { at, messageOf } from '@tiphys/api';
import { type KustomizeSettings, renderDefaults } from '../types.ts';
import { configMap, kubectl, names, Workbench, withoutTools } from '../workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
after(() => bench.close());

/**
 * A program that is called as a standalone kustomize is, and adds a ConfigMap with its own name to what it builds. One before 5.3 does
 * not know the options that tell charts about the cluster.
 */
function program(version: string): string {
  const file = join(bench.root, `kustomize-${version}`);
  const old = Number(version.slice(1, 4)) < 5.3;
  const refusal = `for word in "$@"; do case $word in --help) echo usage; exit 0 ;; --helm-kube-version* | --helm-api-versions*) echo "Error: unknown flag: $word" >&2; exit 1 ;; esac; done`;
  writeFileSync(
    file,
    `#!/bin/sh
[ "$1" = build ] || exit 1
shift
${old ? refusal : ''}
${kubectl} kustomize "$@" || exit 1
echo '---
apiVersion: v1
kind: ConfigMap
metadata: {name: built-by-${version}}'
`,
  );
  chmodSync(file, 0o755);
  return file;
}

describe('versions of kustomize', { skip: withoutTools }, async () => {
  const renderer = await bench.renderer();
  const charted = bench.origin({
    'plain/kustomization.yaml': 'resources: [cm.yaml]\n',
    'plain/cm.yaml': configMap('plain'),
    'charted/kustomization.yaml': 'helmCharts:\n- {name: local, releaseName: r}\n',
    'charted/charts/local/Chart.yaml': 'apiVersion: v2\nname: local\nversion: 0.1.0\n',
    'charted/charts/local/values.yaml': '{}\n',
    'charted/charts/local/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\ndata: {version: "{{ .Capabilities.KubeVersion.Version }}"}\n',
  });
  const render = async (path: string, version: string | undefined, settings: Partial<KustomizeSettings>) => {
    const kustomize = { kubeVersion: '1.29.0', ...(version !== undefined && { version }) };
    const source = { repoURL: charted.url, path, kustomize };
    const asked = { settings: { kustomize: { ...renderDefaults.kustomize, ...settings } } };
    return renderer.render(await bench.request(source, asked), signal);
  };
  const refused = async (...asked: Parameters<typeof render>): Promise<string> =>
    render(...asked).then(
      () => assert.fail('expected an error'),
      (error: unknown) => `${String(at(error, 'code'))}: ${messageOf(error)}`,
    );

  test('REPO-08 CFG-05 a source chooses the program and the options of a version; without one it is the built-in one', async () => {
    const paths = { 'v5.4.3': program('v5.4.3'), old: program('v4.5.7') };
    assert.deepEqual(names(await render('plain', undefined, { paths })), ['ConfigMap plain']);
    assert.deepEqual(names(await render('plain', 'v5.4.3', { paths })), [
      'ConfigMap plain',
      'ConfigMap built-by-v5.4.3',
    ]);
    assert.deepEqual(names(await render('plain', 'old', { paths })), ['ConfigMap plain', 'ConfigMap built-by-v4.5.7']);

    const buildOptionsOf = { 'v5.4.3': ['--enable-helm'], old: [] };
    const own = await render('charted', 'v5.4.3', { paths, buildOptionsOf });
    assert.deepEqual(names(own), ['ConfigMap chart', 'ConfigMap built-by-v5.4.3']);
    assert.equal(at(own.objects[0], 'data', 'version'), 'v1.29.0');
    assert.match(await refused('charted', undefined, { paths, buildOptionsOf }), /enable-helm/);
    // Options of its own replace the general ones.
    assert.match(
      await refused('charted', 'old', { paths, buildOptionsOf, buildOptions: ['--enable-helm'] }),
      /enable-helm/,
    );
  });

  test('REPO-08 a kustomize before 5.3 is not told what it does not know', async () => {
    const settings = { paths: { old: program('v4.5.7') }, buildOptions: ['--enable-helm'] };
    const rendered = await render('charted', 'old', settings);
    assert.deepEqual(names(rendered), ['ConfigMap chart', 'ConfigMap built-by-v4.5.7']);
    assert.notEqual(at(rendered.objects[0], 'data', 'version'), 'v1.29.0');
  });

  test('REPO-19 an unknown version names the known ones, a path that is no program itself', async () => {
    const paths = { 'v5.4.3': program('v5.4.3'), 'v4.5.7': program('v4.5.7') };
    assert.equal(
      await refused('plain', 'v9', { paths }),
      'render/failed: source.kustomize.version: there is no kustomize "v9"; known are v4.5.7, v5.4.3',
    );
    assert.match(await refused('plain', 'v9', {}), /kustomize\.path\.<version>/);
    const text = join(bench.root, 'text');
    writeFileSync(text, 'x', { mode: 0o600 });
    const folder = join(bench.root, 'folder');
    mkdirSync(folder);
    for (const [path, why] of [
      ['/no/such/program', 'there is no program /no/such/program'],
      [folder, 'there is no program'],
      [text, 'may not be executed'],
      ['bin/kustomize', 'is no absolute path'],
    ] as const) {
      const said = await refused('plain', 'v1', { paths: { v1: path } });
      assert.ok(said.startsWith('render/tool-missing: argocd-cm: kustomize.path.v1: ') && said.includes(why), said);
    }
    const option = await refused('plain', 'v4.5.7', { paths, buildOptionsOf: { 'v4.5.7': ['--enable-exec'] } });
    assert.match(option, /kustomize\.buildOptions\.v4\.5\.7: --enable-exec is not allowed/);
  });

  test('another program behind the same path renders anew', async () => {
    const paths = { 'v5.4.3': program('v5.4.3') };
    await render('plain', 'v5.4.3', { paths });
    assert.equal((await render('plain', 'v5.4.3', { paths })).cached, true);
    utimesSync(paths['v5.4.3'], 1, 1);
    assert.equal((await render('plain', 'v5.4.3', { paths })).cached, false);
  });
});
