import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { at, type KubeObject } from '@tiphys/api';
import { configMap, find, names, fails, withoutTools, Workbench } from '../workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
const renderer = await bench.renderer();
after(() => bench.close());

describe('helm', { skip: withoutTools }, () => {
  const repo = bench.origin({
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
    'chart/values.yaml': 'who: default\nonly: {default: 1}\nreplicas: 1\n',
    'chart/with,comma and "quotes".yaml': 'who: comma\n',
    'chart/values-prod.yaml': 'who: file\nonly: {file: 1}\n',
    'chart/crds/crd.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: crd}\n',
    'chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-cm", namespace: "{{ .Release.Namespace }}"}\ndata:\n  values: {{ .Values | toJson | quote }}\n  kube: {{ .Capabilities.KubeVersion.Version | quote }}\n  has: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}\n',
    'chart/templates/tests/t.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {"helm.sh/hook": test}}\n',
    'shared/one.yaml': 'who: shared-one\n',
    'shared/two.yaml': 'who: shared-two\n',
  });
  const values = (objects: readonly KubeObject[], name = 'shop-cm'): Record<string, unknown> =>
    JSON.parse(String(at(find(objects, name), 'data', 'values'))) as Record<string, unknown>;
  const render = async (helm: object, ask = {}) =>
    renderer.render(await bench.request({ repoURL: repo.url, path: 'chart', helm }, ask), signal);

  test('REPO-03 REPO-09 a chart, found by its file, with parameters', async () => {
    const rendered = await renderer.render(await bench.request({ repoURL: repo.url, path: 'chart' }), signal);
    assert.deepEqual(rendered.sourceTypes, ['Helm']);
    assert.deepEqual([...names(rendered)].sort(), ['ConfigMap shop-cm', 'CustomResourceDefinition crd', 'Pod test']);
    assert.equal(find(rendered.objects, 'shop-cm').metadata.namespace, 'prod');
    const { objects } = await render({
      parameters: [
        { name: 'image.tag', value: 'v2.5.1' },
        { name: 'replicas', value: '3' },
      ],
    });
    assert.deepEqual(values(objects), { image: { tag: 'v2.5.1' }, only: { default: 1 }, replicas: 3, who: 'default' });
  });

  test('REPO-11 chart defaults < value files < inline values < parameters', async () => {
    const steps: readonly (readonly [object, string])[] = [
      [{}, 'default'],
      [{ valueFiles: ['values-prod.yaml'] }, 'file'],
      [{ valueFiles: ['values-prod.yaml'], values: 'who: inline' }, 'inline'],
      [{ valueFiles: ['values-prod.yaml'], values: 'who: inline', valuesObject: { who: 'object' } }, 'object'],
      [
        { valueFiles: ['values-prod.yaml'], values: 'who: inline', parameters: [{ name: 'who', value: 'parameter' }] },
        'parameter',
      ],
    ];
    for (const [helm, who] of steps) assert.equal(values((await render(helm)).objects)['who'], who);
  });

  test('REPO-12 value files merge in their order, by every way to name them', async () => {
    const table: readonly (readonly [string[], string])[] = [
      [['values-prod.yaml', '/shared/one.yaml'], 'shared-one'],
      [['/shared/one.yaml', 'values-prod.yaml'], 'file'],
      [['../shared/two.yaml'], 'shared-two'],
      [['../shared/*.yaml'], 'shared-two'],
      [['/shared/two.yaml', '../shared/*.yaml'], 'shared-one'],
      [['values-${ARGOCD_APP_NAMESPACE}.yaml'], 'file'],
      [['with,comma and "quotes".yaml'], 'comma'],
    ];
    for (const [valueFiles, who] of table)
      assert.equal(values((await render({ valueFiles })).objects)['who'], who, valueFiles.join(' '));
    const lent = [
      { repoURL: repo.url, path: 'chart', helm: { valueFiles: ['$lent/env.yaml'] } },
      { repoURL: bench.origin({ 'env.yaml': 'who: lent\n' }).url, ref: 'lent' },
    ];
    const rendered = await renderer.render(await bench.request(lent), signal);
    assert.equal(values(rendered.objects)['who'], 'lent');
    assert.deepEqual(rendered.sourceTypes, ['Helm', 'Directory']);
    const same = [
      { repoURL: repo.url, path: 'chart', helm: { valueFiles: ['$lent/shared/one.yaml'] } },
      { repoURL: repo.url, ref: 'lent' },
    ];
    assert.equal(values((await renderer.render(await bench.request(same), signal)).objects)['who'], 'shared-one');
  });

  test('REPO-12 files of other sources in every place that takes one', async () => {
    const lent = bench.origin({ 'env/a.yaml': 'who: a\n', 'env/b.yaml': 'who: b\n', 'prod/text.txt': 'lent text' });
    const second = bench.origin({ 'who.yaml': 'who: second\n' });
    const ask = async (helmSource: object) => {
      const sources = [
        { repoURL: repo.url, path: 'chart', helm: helmSource },
        { repoURL: lent.url, ref: 'lent' },
        { repoURL: second.url, ref: 'second' },
      ];
      return values((await renderer.render(await bench.request(sources), signal)).objects);
    };
    assert.equal((await ask({ valueFiles: ['$lent/env/*.yaml'] }))['who'], 'b');
    assert.equal((await ask({ valueFiles: ['$lent/env/b.yaml', '$lent/env/*.yaml'] }))['who'], 'a');
    assert.equal((await ask({ valueFiles: ['$second/who.yaml', '$lent/env/a.yaml'] }))['who'], 'a');
    assert.equal((await ask({ valueFiles: ['$lent/env/a.yaml', '$second/who.yaml'] }))['who'], 'second');
    const files = [{ name: 'who', path: '$lent/$ARGOCD_APP_NAMESPACE/text.txt' }];
    assert.equal((await ask({ fileParameters: files, valueFiles: ['$second/who.yaml'] }))['who'], 'lent text');
    for (const valueFiles of [['$lent/../../x.yaml'], ['$nobody/x.yaml'], ['$lent/none.yaml'], ['$lent/env']])
      await assert.rejects(ask({ valueFiles }), { code: /^render\/(?:path-outside|value-file-missing)$/ });
  });

  test('REPO-13 a missing value file is an error that names it, unless it may be missing', async () => {
    await fails(
      render({ valueFiles: ['none.yaml'] }),
      'render/value-file-missing',
      'none.yaml',
      'valueFiles[0]',
      'ignoreMissingValueFiles',
    );
    await fails(render({ valueFiles: ['none/*.yaml'] }), 'render/value-file-missing', 'none/*.yaml');
    await fails(render({ valueFiles: ['$nobody/x.yaml'] }), 'render/value-file-missing', 'nobody');
    await fails(render({ valueFiles: ['../../etc/passwd'] }), 'render/path-outside', '../../etc/passwd');
    await fails(render({ valueFiles: ['ftp://example.com/x'] }), 'render/unsupported', 'ftp');
    await fails(
      render({ fileParameters: [{ name: 'x', path: '../../etc/passwd' }] }),
      'render/path-outside',
      '../../etc/passwd',
    );
    const { objects } = await render({ valueFiles: ['none.yaml', 'values-prod.yaml'], ignoreMissingValueFiles: true });
    assert.equal(values(objects)['who'], 'file');
  });

  test('REPO-14 parameters are typed as --set does, forceString keeps a text, commas and files', async () => {
    const { objects } = await render({
      parameters: [
        { name: 'n', value: '3' },
        { name: 'b', value: 'true' },
        { name: 's', value: '3', forceString: true },
        { name: 'c', value: 'a,b' },
        { name: 'l', value: '{x,y}' },
        { name: 'e', value: '$ARGOCD_APP_NAME$$' },
        { name: 'n', value: '4' },
      ],
      fileParameters: [{ name: 'f', path: '../shared/one.yaml' }],
    });
    const { n, b, s, c, l, e, f } = values(objects);
    assert.deepEqual(
      { n, b, s, c, l, e, f },
      { n: 4, b: true, s: '3', c: 'a,b', l: ['x', 'y'], e: 'shop$', f: 'who: shared-one\n' },
    );
  });

  test('REPO-09 release name, namespace, versions, and what is left out', async () => {
    const { objects } = await render({
      releaseName: 'r',
      namespace: 'n',
      kubeVersion: '1.30.0',
      apiVersions: ['example.com/v1'],
      skipCrds: true,
      skipTests: true,
    });
    assert.deepEqual(names({ objects }), ['ConfigMap r-cm']);
    const [cm] = objects;
    assert.deepEqual([cm?.metadata.namespace, at(cm, 'data', 'kube'), at(cm, 'data', 'has')], ['n', 'v1.30.0', 'true']);
  });

  test('REPO-19 values that are no map, a broken template, a missing chart', async () => {
    await fails(render({ values: 'just text' }), 'render/values-not-a-map', 'source.helm.values');
    const bad = bench.origin({
      'a/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 0.1.0\n',
      'a/list.yaml': '- one\n',
      'a/templates/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.none.deep }}\n',
      'b/templates/x.yaml': configMap('x'),
      'c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
      'c/templates/y.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: [}\n',
    });
    const source = async (path: string, helm: object) =>
      renderer.render(await bench.request({ repoURL: bad.url, path, helm }), signal);
    await fails(source('a', { valueFiles: ['list.yaml'] }), 'render/values-not-a-map', 'a/list.yaml');
    const error = await fails(source('a', {}), 'render/failed', 'helm template a failed', 'templates/x.yaml:4');
    assert.ok(!error.message.includes(bench.root), error.message);
    await fails(source('b', {}), 'render/failed', 'Chart.yaml');
    await fails(source('c', {}), 'render/failed', 'y.yaml');
  });

  test('REPO-09 a subchart beside the chart is built in when it is missing', async () => {
    const charts = bench.origin({
      'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
      'sub/templates/s.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {v: "1"}\n',
      'main/Chart.yaml':
        'apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- {name: sub, version: 0.1.0, repository: "file://../sub"}\n',
      'main/templates/m.yaml': configMap('m'),
      'far/Chart.yaml':
        'apiVersion: v2\nname: far\nversion: 0.1.0\ndependencies:\n- {name: wordpress, version: 9.0.3, repository: "https://charts.invalid/stable"}\n',
    });
    const main = await bench.request({ repoURL: charts.url, path: 'main' });
    assert.deepEqual([...names(await renderer.render(main, signal))].sort(), ['ConfigMap m', 'ConfigMap s']);
    charts.commit({ 'sub/templates/s.yaml': configMap('changed') });
    assert.ok(
      names(await renderer.render(await bench.request({ repoURL: charts.url, path: 'main' }), signal)).includes(
        'ConfigMap changed',
      ),
    );
    await fails(
      renderer.render(await bench.request({ repoURL: charts.url, path: 'far' }), signal),
      'git/unreachable',
      'https://charts.invalid/stable',
    );
  });
});
