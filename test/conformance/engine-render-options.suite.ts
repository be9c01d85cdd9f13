import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { at } from '@tiphys/api';
import { configMap, deployment } from './harness/manifests.ts';
import type { Files } from './harness/repository.ts';
import type { Scene } from './harness/scene.ts';
import { kubectlPath } from './harness/tools.ts';
import type { World } from './harness/world.ts';

/** A chart whose ConfigMap shows what Helm was told. */
const chart: Files = {
  'app/Chart.yaml': { apiVersion: 'v2', name: 'shown', version: '1.0.0' },
  'app/values.yaml': { colour: 'none', file: '', list: [] },
  'app/values.schema.json': '{"properties": {"colour": {"enum": ["none", "blue"]}}}',
  'app/crds/things.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: left-out}\n',
  'app/templates/shown.yaml': [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: {name: shown}',
    'data:',
    '  release: {{ .Release.Name }}',
    '  namespace: {{ .Release.Namespace }}',
    '  kube: {{ .Capabilities.KubeVersion.Version }}',
    '  has: "{{ .Capabilities.APIVersions.Has "example.com/v1/Thing" }}"',
    '  colour: "{{ .Values.colour }}"',
    '  file: {{ .Values.file | quote }}',
    '  list: {{ .Values.list | toJson | quote }}',
    '  lookup: {{ lookup "v1" "Namespace" "" "kube-system" | toJson | quote }}',
    '',
  ].join('\n'),
  'app/templates/tests/check.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: check, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: a, image: a}]}\n',
  'texts/motto.txt': 'a, b: c\n',
  'values/1-base.yaml': { colour: 'base' },
  'values/2-app.yaml': { list: ['two'] },
};

const things = (folder: string): Files => ({
  [`${folder}/a.yaml`]: configMap('a'),
  [`${folder}/b.json`]: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [configMap('b1'), configMap('b2')] }),
  [`${folder}/note.txt`]: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\n',
  [`${folder}/skipped.yaml`]: `# +argocd:skip-file-rendering\n{{ no: yaml }} [\n`,
  [`${folder}/values.yaml`]: 'replicas: 3\n',
  [`${folder}/deep/c.yml`]: configMap('c'),
  [`${folder}/deep/d.yaml`]: configMap('d'),
  [`${folder}/.hidden/e.yaml`]: configMap('e'),
});

const managed = async (scene: Scene): Promise<readonly string[]> => {
  const view = await scene.untilSettled();
  return view.resources.map(({ id }) => id.replace('ConfigMap/', '')).toSorted();
};

const folders: readonly (readonly [title: string, directory: object, wanted: string])[] = [
  ['the folder alone: YAML, JSON, lists; what is skipped or no object is left out', {}, 'a b1 b2'],
  ['recurse: folders below, but hidden ones', { recurse: true }, 'a b1 b2 c d'],
  ['include and exclude: exclude wins', { recurse: true, include: '{a.yaml,deep/*}', exclude: '**/d.yaml' }, 'a c'],
  ['disableExtensionFilter: every file', { disableExtensionFilter: true, exclude: '{b.json,values.yaml}' }, 'a text'],
];

/** A server of one file; whoever asks is counted. */
async function serveFile(t: TestContext, text: string): Promise<Readonly<{ url: string; asked: () => number }>> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end(text);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

/** A program that is called as a standalone kustomize is, and marks what it builds. */
async function markingKustomize(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-kustomize-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'kustomize');
  const mark = '---\\napiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: marked}\\n';
  await writeFile(
    file,
    `#!/bin/sh\n[ "$1" = build ] || exit 1\nshift\n${kubectlPath()} kustomize "$@" && printf -- '${mark}'\n`,
  );
  await chmod(file, 0o755);
  return file;
}

/** What a source says of its tool, each option seen in what lies in the cluster. */
export function renderOptionTests(world: World): void {
  for (const [title, directory, wanted] of folders)
    test(`REPO-04 a plain folder: ${title}`, async (t) => {
      const scene = await world.scene(t, things('app'));
      await scene.createAutomated({ source: { directory } });
      assert.deepEqual(await managed(scene), wanted.split(' '));
    });

  test('REPO-09 every option of a chart reaches Helm', async (t) => {
    const scene = await world.scene(t, chart);
    const helm = {
      releaseName: 'released',
      namespace: 'elsewhere',
      kubeVersion: '1.29.3',
      apiVersions: ['example.com/v1/Thing'],
      skipCrds: true,
      skipTests: true,
      skipSchemaValidation: true,
      valueFiles: ['/values/*.yaml', '../values/${ARGOCD_APP_SOURCE_PATH}-none.yaml'],
      ignoreMissingValueFiles: true,
      valuesObject: { colour: 'object' },
      values: 'colour: text\n',
      fileParameters: [{ name: 'file', path: '../texts/motto.txt' }],
      parameters: [{ name: 'list[1]', value: '$ARGOCD_APP_NAME,x' }],
    };
    await scene.createAutomated({ source: { helm } });
    assert.deepEqual(await managed(scene), ['shown']);
    assert.deepEqual(await scene.data('shown'), {
      release: 'released',
      namespace: 'elsewhere',
      kube: 'v1.29.3',
      has: 'true',
      // The object wins over the text.
      colour: 'object',
      file: 'a, b: c\n',
      list: `["two","${scene.name},x"]`,
      lookup: '{}',
    });
    await scene.patchApplication({ spec: { source: { helm: { skipSchemaValidation: false } } } });
    await scene.untilCondition('ComparisonError', /colour/);
  });

  test('REPO-07 the build environment is filled in, and nothing of the environment of this program', async (t) => {
    const scene = await world.scene(t, {
      'app/Chart.yaml': { apiVersion: 'v2', name: 'shown', version: '1.0.0' },
      'app/templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\ndata: {{ toYaml .Values.data | nindent 2 }}\n',
    });
    const words = {
      name: '$ARGOCD_APP_NAME',
      namespace: '${ARGOCD_APP_NAMESPACE}',
      project: '$ARGOCD_APP_PROJECT_NAME',
      revision: '$ARGOCD_APP_REVISION',
      short: 'x-${ARGOCD_APP_REVISION_SHORT}-$ARGOCD_APP_REVISION_SHORT_8',
      path: '$ARGOCD_APP_SOURCE_PATH',
      url: '$ARGOCD_APP_SOURCE_REPO_URL',
      target: '$ARGOCD_APP_SOURCE_TARGET_REVISION',
      kube: '$KUBE_VERSION',
      apis: '$KUBE_API_VERSIONS',
      escaped: '$$ARGOCD_APP_NAME',
      other: '[$HOME$PATH]',
    };
    const parameters = Object.entries(words).map(([name, value]) => ({
      name: `data.${name}`,
      value,
      forceString: true,
    }));
    // The list of what the cluster serves changes with the definitions of other tests: without self-heal that would be a difference.
    await scene.createAutomated({
      automated: { selfHeal: true },
      source: { targetRevision: 'main', helm: { parameters } },
    });
    const { revision } = await scene.untilSettled();
    const { kube, apis, ...seen } = (await scene.data('shown')) as Record<string, string>;
    assert.deepEqual(seen, {
      name: scene.name,
      namespace: scene.namespace,
      project: 'default',
      revision,
      short: `x-${revision.slice(0, 7)}-${revision.slice(0, 8)}`,
      path: 'app',
      url: scene.repository.url,
      target: 'main',
      escaped: '$ARGOCD_APP_NAME',
      other: '[]',
    });
    assert.match(kube ?? '', /^v?1\.\d+/);
    assert.ok(apis?.split(',').includes('apps/v1'), apis);
  });

  test('REPO-05 REPO-06 every option of a kustomization reaches Kustomize', async (t) => {
    const scene = await world.scene(t, {
      'base/kustomization.yaml': { resources: ['page.yaml', 'cm.yaml'], commonAnnotations: { owner: 'base' } },
      'base/page.yaml': deployment('page', { image: 'myapp:v1' }),
      'base/cm.yaml': configMap('cm'),
      'app/kustomization.yaml': { resources: ['../base'], commonAnnotations: { team: 'old' } },
      'part/kustomization.yaml': {
        apiVersion: 'kustomize.config.k8s.io/v1alpha1',
        kind: 'Component',
        resources: ['more.yaml'],
      },
      'part/more.yaml': configMap('more'),
      'app/patch.yaml': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { from: 'a file' } },
    });
    const elsewhere = `${scene.name}-elsewhere`;
    await scene.createNamespace(elsewhere);
    const kustomize = {
      namePrefix: 'pre-',
      nameSuffix: '-post',
      namespace: elsewhere,
      images: ['myapp=registry.example/other:v2'],
      replicas: [{ name: 'page', count: 2 }],
      commonLabels: { unit: 'one' },
      labelWithoutSelector: true,
      labelIncludeTemplates: true,
      commonAnnotations: { team: '${ARGOCD_APP_NAME}' },
      commonAnnotationsEnvsubst: true,
      forceCommonAnnotations: true,
      components: ['../part', '../no-such-part'],
      ignoreMissingComponents: true,
      patches: [
        { path: 'patch.yaml' },
        {
          target: { kind: 'Deployment', labelSelector: 'unit!=two' },
          patch: '- {op: add, path: /spec/paused, value: false}',
        },
        {
          target: { kind: 'ConfigMap', name: 'more' },
          patch: 'kind: Any\nmetadata: {name: renamed}\n',
          options: { allowNameChange: true },
        },
      ],
    };
    await scene.createAutomated({ source: { kustomize } });
    const view = await scene.untilSettled('', { timeoutMs: 60_000 });
    assert.deepEqual(
      view.resources.map(({ id, namespace }) => `${namespace} ${id}`).toSorted(),
      ['ConfigMap/pre-cm-post', 'ConfigMap/pre-renamed-post', 'Deployment/pre-page-post'].map(
        (id) => `${elsewhere} ${id}`,
      ),
    );
    const page = await scene.live('Deployment/pre-page-post', { namespace: elsewhere });
    assert.equal(at(page, 'spec', 'replicas'), 2);
    assert.equal(at(page, 'spec', 'paused') ?? false, false);
    assert.equal(at(page, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'registry.example/other:v2');
    assert.equal(at(page, 'metadata', 'labels', 'unit'), 'one');
    assert.equal(at(page, 'spec', 'template', 'metadata', 'labels', 'unit'), 'one');
    assert.equal(at(page, 'spec', 'selector', 'matchLabels', 'unit'), undefined);
    assert.equal(at(page, 'metadata', 'annotations', 'team'), scene.name);
    assert.equal(at(await scene.data('pre-cm-post', elsewhere), 'from'), 'a file');

    await scene.patchApplication({ spec: { source: { kustomize: { forceCommonAnnotations: false } } } });
    await scene.untilCondition('ComparisonError', /team.*forceCommonAnnotations/);
    await scene.patchApplication({
      spec: { source: { kustomize: { forceCommonAnnotations: true, ignoreMissingComponents: false } } },
    });
    await scene.untilCondition('ComparisonError', /no-such-part/);
  });
}

/** Settings of the installation that shape renders; the ConfigMaps are everybody's, so these run alone. */
export function renderSettingTests(world: World): void {
  test('CFG-02 hidden folders are read, and large folders refused, as the settings say', async (t) => {
    const hidden = { 'reposerver.include.hidden.directories': 'true' };
    await world.setParameters(t, { ...hidden, 'reposerver.max.combined.directory.manifests.size': '1k' });
    const scene = await world.scene(t, things('app'));
    await scene.createAutomated({ source: { directory: { recurse: true } } });
    assert.deepEqual(await managed(scene), 'a b1 b2 c d e'.split(' '));
    await scene.repository.commit({ 'app/large.yaml': configMap('large', { key: 'x'.repeat(1000) }) });
    const size = /1000 bytes.*reposerver\.max\.combined\.directory\.manifests\.size/;
    const view = await scene.untilCondition('ComparisonError', size);
    assert.equal(view.sync, 'Unknown');
    await world.setParameters(t, { ...hidden, 'reposerver.max.combined.directory.manifests.size': '1Mi' });
    await scene.refresh();
    assert.deepEqual(await managed(scene), 'a b1 b2 c d e large'.split(' '));
  });

  test('REPO-03 a tool that is switched off leaves the folder to the others', async (t) => {
    await world.setConfigMap(t, 'argocd-cm', { 'kustomize.enable': 'false', 'helm.enable': 'false' });
    const scene = await world.scene(t, {
      'app/kustomization.yaml': { resources: ['a.yaml'], namePrefix: 'x-' },
      'app/a.yaml': configMap('a'),
      'app/Chart.yaml': 'name: no manifest\n',
    });
    await scene.createAutomated();
    assert.deepEqual(await managed(scene), ['a']);
    const { object } = await scene.view();
    assert.equal(at(object, 'status', 'sourceType'), 'Directory');
    await world.setConfigMap(t, 'argocd-cm', { 'helm.enable': 'false' });
    await scene.refresh();
    await scene.until('Kustomize', (view) => at(view.object, 'status', 'sourceType') === 'Kustomize');
    await scene.until('x-a', (view) => view.resources.some(({ id }) => id === 'ConfigMap/x-a'));
    await world.setConfigMap(t, 'argocd-cm', {});
    await scene.refresh();
    await scene.untilCondition('ComparisonError', /helm template/);
  });

  test('REPO-08 CFG-05 a source chooses one of the versions of Kustomize that the settings name', async (t) => {
    await world.setConfigMap(t, 'argocd-cm', {
      'kustomize.path.v9.9.9': await markingKustomize(t),
      'kustomize.buildOptions.v9.9.9': '--enable-helm',
    });
    const scene = await world.scene(t, {
      'app/kustomization.yaml': { helmCharts: [{ name: 'local', releaseName: 'r' }] },
      'app/charts/local/Chart.yaml': { apiVersion: 'v2', name: 'local', version: '1.0.0' },
      'app/charts/local/values.yaml': '{}\n',
      'app/charts/local/templates/a.yaml': configMap('charted'),
    });
    await scene.createAutomated({ source: { kustomize: { version: 'v1.0.0' } } });
    await scene.untilCondition('ComparisonError', /no kustomize "v1\.0\.0"; known are v9\.9\.9/);
    await scene.patchApplication({ spec: { source: { kustomize: { version: 'v9.9.9' } } } });
    assert.deepEqual(await managed(scene), ['charted', 'marked']);
    await scene.patchApplication({ spec: { source: { kustomize: { version: '' } } } });
    await scene.untilCondition('ComparisonError', /enable-helm/);
  });

  test('REPO-08 CFG-05 options count for every build: charts, and files of the whole repository but of nothing else', async (t) => {
    const generated = (file: string) => ({
      helmCharts: [{ name: 'local', releaseName: 'r' }],
      configMapGenerator: [{ name: 'shared', files: [file], options: { disableNameSuffixHash: true } }],
    });
    const scene = await world.scene(t, {
      'app/kustomization.yaml': generated('../shared/motto.txt'),
      'app/charts/local/Chart.yaml': { apiVersion: 'v2', name: 'local', version: '1.0.0' },
      'app/charts/local/values.yaml': '{}\n',
      'app/charts/local/templates/a.yaml': configMap('charted'),
      'shared/motto.txt': 'ever onward',
    });
    await scene.createAutomated();
    await scene.untilCondition('ComparisonError', /enable-helm/);
    await world.setConfigMap(t, 'argocd-cm', { 'kustomize.buildOptions': '--enable-helm' });
    await scene.untilCondition('ComparisonError', /motto\.txt/);
    await world.setConfigMap(t, 'argocd-cm', {
      'kustomize.buildOptions': '--enable-helm --load-restrictor LoadRestrictionsNone',
    });
    assert.deepEqual(await managed(scene), ['charted', 'shared']);
    assert.deepEqual(await scene.data('shared'), { 'motto.txt': 'ever onward' });
    await scene.repository.commit({ 'app/kustomization.yaml': generated('../../../../../../../../etc/hostname') });
    const view = await scene.untilCondition('ComparisonError', /etc\/hostname/);
    assert.equal(view.sync, 'Unknown');
    assert.deepEqual(await scene.data('shared'), { 'motto.txt': 'ever onward' });
  });

  test('REPO-12 REPO-20 a value file by URL is fetched from an internal address only where a repository is registered', async (t) => {
    const server = await serveFile(t, 'colour: blue\n');
    const scene = await world.scene(t, chart);
    await scene.createAutomated({
      source: { helm: { skipCrds: true, skipTests: true, valueFiles: [`${server.url}/values.yaml`] } },
    });
    const view = await scene.untilCondition('ComparisonError', /127\.0\.0\.1.*internal address.*registered/);
    assert.equal(view.sync, 'Unknown');
    assert.equal(server.asked(), 0);
    await world.register(t, `${scene.name}-files`, { type: 'helm', name: 'files', url: `${server.url}/charts` });
    await scene.refresh();
    await scene.untilSettled();
    assert.equal(at(await scene.data('shown'), 'colour'), 'blue');
    await world.setConfigMap(t, 'argocd-cm', { 'helm.valuesFileSchemes': 'https' });
    await scene.refresh();
    await scene.untilCondition('ComparisonError', /helm\.valuesFileSchemes/);
  });
}
