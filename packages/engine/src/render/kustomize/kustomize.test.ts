import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { at } from '@tiphys/api';
import { buildOptions, configMap, find, names, fails, withoutTools, Workbench } from '../workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
const renderer = await bench.renderer();
after(() => bench.close());

describe('kustomize', { skip: withoutTools }, () => {
  const deployment = (name: string, image: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec:\n      containers:\n      - {name: main, image: "${image}"}\n`;
  const repo = bench.origin({
    'base/kustomization.yaml': 'resources: [web.yaml]\n',
    'base/web.yaml': deployment('web', 'nginx:1'),
    'base/unused.yaml': configMap('unused'),
    'overlays/prod/kustomization.yaml':
      'resources: [../../base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: replace\n      path: /spec/replicas\n      value: 3\nimages:\n- {name: nginx, newTag: v1.2.3}\n',
    'component/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {from: component}\n',
    'own/kustomization.yml': 'resources: [web.yaml]\n',
    'own/web.yaml': deployment('own', 'redis:7'),
  });

  test('REPO-03 REPO-05 an overlay over a base, found by its file', async () => {
    const rendered = await renderer.render(await bench.request({ repoURL: repo.url, path: 'overlays/prod' }), signal);
    assert.deepEqual(rendered.sourceTypes, ['Kustomize']);
    const web = find(rendered.objects, 'web');
    assert.equal(at(web, 'spec', 'replicas'), 3);
    assert.equal(at(web, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'nginx:v1.2.3');
    assert.deepEqual(
      rendered.readSet.map(({ paths }) => paths),
      [
        [
          'base/Kustomization',
          'base/kustomization.yaml',
          'base/kustomization.yml',
          'base/web.yaml',
          'overlays/prod/.argocd-source-shop.yaml',
          'overlays/prod/.argocd-source.yaml',
          'overlays/prod/Kustomization',
          'overlays/prod/kustomization.yaml',
          'overlays/prod/kustomization.yml',
        ],
      ],
    );
  });

  test('REPO-06 images, replicas, names, labels, annotations, namespace, components and patches', async () => {
    const kustomize = {
      namePrefix: 'a-',
      nameSuffix: '-z',
      namespace: 'elsewhere',
      images: ['redis=registry.example.com/redis:8', 'nginx:2'],
      replicas: [{ name: 'own', count: 4 }],
      commonLabels: { team: 'core' },
      labelWithoutSelector: true,
      commonAnnotations: { rev: '$ARGOCD_APP_NAME-${ARGOCD_APP_REVISION_SHORT}' },
      commonAnnotationsEnvsubst: true,
      components: ['../component'],
      patches: [{ target: { kind: 'Deployment' }, patch: '- {op: add, path: /spec/paused, value: true}' }],
    };
    const request = await bench.request({ repoURL: repo.url, path: 'own', kustomize });
    const own = find((await renderer.render(request, signal)).objects, 'a-own-z');
    assert.equal(own.metadata.namespace, 'elsewhere');
    assert.deepEqual(own.metadata.labels, { team: 'core' });
    assert.deepEqual(own.metadata.annotations, {
      from: 'component',
      rev: `shop-${request.sources[0]?.commit.slice(0, 7)}`,
    });
    assert.equal(at(own, 'spec', 'replicas'), 4);
    assert.equal(at(own, 'spec', 'paused'), true);
    assert.equal(at(own, 'spec', 'selector', 'matchLabels', 'team'), undefined);
    assert.equal(at(own, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'registry.example.com/redis:8');
  });

  test('REPO-07 an unknown variable in an image is an error that names it', async () => {
    const request = await bench.request({
      repoURL: repo.url,
      path: 'own',
      kustomize: { images: ['myapp=${IMAGE_TAG}'] },
    });
    await fails(renderer.render(request, signal), 'render/unknown-variable', 'IMAGE_TAG', 'kustomize.images');
    const known = await bench.request({
      repoURL: repo.url,
      path: 'own',
      kustomize: { images: ['redis:${ARGOCD_APP_NAME}'] },
    });
    const own = find((await renderer.render(known, signal)).objects, 'own');
    assert.equal(at(own, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'redis:shop');
  });

  test('a kustomization that only kustomize can read is not built without what the source says', async () => {
    // More aliases than are followed here; kustomize follows them.
    const aliases = Array.from({ length: 1100 }, (_, n) => `  k${n}: *v\n`).join('');
    const repo = bench.origin({
      'app/kustomization.yaml': `resources: [cm.yaml]\ncommonAnnotations:\n  first: &v x\n${aliases}`,
      'app/cm.yaml': configMap('a'),
    });
    const renderer = await bench.renderer();
    const source = { repoURL: repo.url, path: 'app' };
    assert.deepEqual(names(await renderer.render(await bench.request(source), signal)), ['ConfigMap a']);
    const prefixed = { ...source, kustomize: { namePrefix: 'x-' } };
    await assert.rejects(renderer.render(await bench.request(prefixed), signal), {
      code: 'render/failed',
      message: /app\/kustomization\.yaml: cannot be read/,
    });
  });

  test('REPO-08 build options count for every build; those that open the host are refused', async () => {
    const charted = bench.origin({
      'k/kustomization.yaml': 'helmCharts:\n- {name: local, releaseName: r}\n',
      'k/charts/local/Chart.yaml': 'apiVersion: v2\nname: local\nversion: 0.1.0\n',
      'k/charts/local/values.yaml': '{}\n',
      'k/charts/local/templates/cm.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-cm"}\ndata: {version: "{{ .Capabilities.KubeVersion.Version }}"}\n',
    });
    const source = { repoURL: charted.url, path: 'k' };
    await fails(renderer.render(await bench.request(source), signal), 'render/failed', 'enable-helm');
    const enabled = await bench.request(source, { settings: buildOptions('--enable-helm') });
    const rendered = await renderer.render(enabled, signal);
    assert.deepEqual(names(rendered), ['ConfigMap r-cm']);
    assert.equal(at(rendered.objects[0], 'data', 'version'), 'v1.35.0');
    for (const option of [
      '--load-restrictor Anything',
      '--enable-alpha-plugins',
      '--output=/tmp/x',
      '--helm-command=/bin/sh',
      '--network',
    ])
      await fails(
        renderer.render(await bench.request(source, { settings: buildOptions(option) }), signal),
        'render/unsupported',
        option.split(/[ =]/)[0] ?? '',
      );
  });

  test('REPO-08 LoadRestrictionsNone loads files of the whole repository, and of nothing else', async () => {
    const shared = bench.origin({
      'shared/cm.yaml': configMap('shared'),
      'shared/text': 'a text',
      'shared/patch.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {patched: "yes"}\n',
      'apps/a/kustomization.yaml':
        'resources: [../../shared/cm.yaml, own.yaml]\npatches:\n- {path: ../../shared/patch.yaml}\nconfigMapGenerator:\n- {name: made, files: [key=../../shared/text], options: {disableNameSuffixHash: true}}\n',
      'apps/a/own.yaml': configMap('own'),
      'apps/new/kustomization.yaml': 'resources: [../a/own.yaml]\ntransformers: [../../shared/patch.yaml]\n',
    });
    const render = async (path: string, text: string) =>
      renderer.render(await bench.request({ repoURL: shared.url, path }, { settings: buildOptions(text) }), signal);
    await fails(render('apps/a', '--enable-helm'), 'render/failed', 'security');
    for (const free of ['--load-restrictor LoadRestrictionsNone', '--load-restrictor=LoadRestrictionsNone']) {
      const rendered = await render('apps/a', free);
      assert.deepEqual([...names(rendered)].sort(), ['ConfigMap made', 'ConfigMap own', 'ConfigMap shared']);
      assert.deepEqual(rendered.readSet[0]?.paths.includes('shared/text'), true);
    }
    await fails(
      render('apps/new', '--load-restrictor LoadRestrictionsNone'),
      'render/unsupported',
      'apps/new/',
      'transformers',
    );
  });

  test('REPO-19 REPO-20 a broken overlay, a missing file, a remote base and a base outside the repository', async () => {
    const bad = bench.origin({
      'broken/kustomization.yaml': 'resources: [a.yaml\n',
      'missing/kustomization.yaml': 'resources: [none.yaml]\n',
      'remote/kustomization.yaml': 'resources: ["https://example.com/x.yaml"]\n',
      'git/kustomization.yaml': 'resources: ["github.com/a/b//c?ref=v1"]\n',
      'outside/kustomization.yaml': 'resources: [../../../etc/passwd]\n',
      'generator/kustomization.yaml': 'configMapGenerator:\n- {name: a, files: [../../../etc/passwd]}\n',
      'absolute/kustomization.yaml': 'configMapGenerator:\n- {name: a, files: [/etc/passwd]}\n',
      'shared.yaml': configMap('shared'),
      'above/kustomization.yaml': 'resources: [../shared.yaml]\n',
    });
    const render = async (path: string) => renderer.render(await bench.request({ repoURL: bad.url, path }), signal);
    await fails(render('broken'), 'render/failed', 'broken');
    await fails(render('missing'), 'render/failed', 'missing', 'none.yaml');
    await fails(render('remote'), 'render/unsupported', 'https://example.com/x.yaml', 'remote/kustomization.yaml');
    await fails(render('git'), 'render/unsupported', 'github.com/a/b//c?ref=v1');
    await fails(render('outside'), 'render/path-outside', '../../../etc/passwd');
    await fails(render('generator'), 'render/path-outside', '../../../etc/passwd');
    await fails(render('absolute'), 'render/path-outside', '/etc/passwd');
    await fails(render('above'), 'render/failed', 'shared.yaml');
  });
});
