import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { at, stringAt } from '@tiphys/api';
import type { LogLine } from './harness/controller.ts';
import { configMap, customResourceDefinition, deployment } from './harness/manifests.ts';
import type { Files } from './harness/repository.ts';
import { serveCharts } from './harness/chart-repository.ts';
import type { World } from './harness/world.ts';

/** A chart whose one ConfigMap shows the values that arrive, and their types. */
const chart = (values: object, folder = 'app'): Files => ({
  [`${folder}/Chart.yaml`]: { apiVersion: 'v2', name: 'shown', version: '1.0.0' },
  [`${folder}/values.yaml`]: values,
  [`${folder}/templates/shown.yaml`]: [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: {name: shown}',
    'data:',
    '  release: {{ .Release.Name }}',
    '{{- range $key, $value := .Values }}',
    '  {{ $key }}: {{ printf "%v (%s)" $value (kindOf $value) | quote }}',
    '{{- end }}',
    '',
  ].join('\n'),
});

const overlay = (folder: string, more: object = {}): Files => ({
  [`${folder}/kustomization.yaml`]: { resources: ['../../base'], ...more },
});
const base: Files = {
  'base/kustomization.yaml': { resources: ['deployment.yaml'] },
  'base/deployment.yaml': deployment('page', { image: 'myapp:v1' }),
};
const patch = {
  patch: '- {op: replace, path: /spec/replicas, value: 3}',
  target: { kind: 'Deployment', name: 'page' },
};

const hello = `apiVersion: v1
kind: ConfigMap
metadata: {name: first}
data: {key: from yaml}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: second}
`;
const accented = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: café 🚀}\n`;
const helmValues = (name: string, value: string, forceString = false) => ({ name, value, forceString });

type Case = Readonly<{
  title: string;
  files: Files;
  source?: object;
  sources?: readonly object[];
  /** Live values by `Kind/name` and path. */
  want?: readonly (readonly [string, readonly (string | number)[], unknown])[];
  /** What the ComparisonError says. */
  error?: RegExp;
}>;

const shown = (key: string, value: string): [string, string[], string] => ['ConfigMap/shown', ['data', key], value];
const image = (value: string): [string, (string | number)[], string] => [
  'Deployment/page',
  ['spec', 'template', 'spec', 'containers', 0, 'image'],
  value,
];

const cases: readonly Case[] = [
  {
    title: 'REPO-04 plain YAML with several documents, and JSON, at the root of the repository',
    files: { 'a.yaml': hello, 'b.json': JSON.stringify(configMap('third')), 'README.md': 'no manifest' },
    source: { path: '.' },
    want: [
      ['ConfigMap/first', ['data', 'key'], 'from yaml'],
      ['ConfigMap/second', ['metadata', 'name'], 'second'],
      ['ConfigMap/third', ['data', 'key'], 'one'],
    ],
  },
  {
    title: 'REPO-04 a file that is no YAML is an error with file and line',
    files: { 'app/good.yaml': hello, 'app/bad.yaml': 'kind: ConfigMap\nmetadata: {name: x\ndata: [1, 2\n' },
    error: /bad\.yaml(?=[\s\S]*(line |:)\d)/,
  },
  {
    title: 'REPO-04 files with a byte order mark are read, as UTF-8 and as UTF-16',
    files: {
      'app/mark.yaml': `\uFEFF${accented('marked')}`,
      'app/mark.json': `\uFEFF${JSON.stringify(configMap('json'))}`,
      'app/little.yaml': Buffer.from(`\uFEFF${accented('little')}`, 'utf16le'),
      'app/big.yaml': Buffer.from(`\uFEFF${accented('big')}`, 'utf16le').swap16(),
    },
    want: [
      ['ConfigMap/json', ['data', 'key'], 'one'],
      ...['marked', 'little', 'big'].map((name) => [`ConfigMap/${name}`, ['data', 'key'], 'café 🚀'] as const),
    ],
  },
  {
    title: 'REPO-04 a manifest that is no UTF-8 is an error with file and line, not a text with holes',
    files: { 'app/good.yaml': hello, 'app/latin.yaml': Buffer.from(accented('latin').replace(' 🚀', ''), 'latin1') },
    error: /app\/latin\.yaml:4: this is not UTF-8/,
  },
  {
    title: 'REPO-05 a Kustomize overlay with a JSON patch by target and an image tag',
    files: {
      ...base,
      ...overlay('overlays/prod', { patches: [patch], images: [{ name: 'myapp', newTag: 'v1.2.3' }] }),
    },
    source: { path: 'overlays/prod' },
    want: [['Deployment/page', ['spec', 'replicas'], 3], image('myapp:v1.2.3')],
  },
  ...['myapp=registry.example/other:v2', 'myapp:v9', `myapp=other@sha256:${'a'.repeat(64)}`].map((text, index) => ({
    title: `REPO-06 the Kustomize image override ${text.slice(0, 40)}`,
    files: { ...base, ...overlay('overlays/dev') },
    source: { path: 'overlays/dev', kustomize: { images: [text] } },
    want: [image(['registry.example/other:v2', 'myapp:v9', `other@sha256:${'a'.repeat(64)}`][index] ?? '')],
  })),
  {
    title: 'REPO-07 an unknown variable in an image override is an error that names it',
    files: { ...base, ...overlay('overlays/dev') },
    source: { path: 'overlays/dev', kustomize: { images: ['myapp=${IMAGE_TAG}'] } },
    error: /IMAGE_TAG/,
  },
  {
    title: 'REPO-07 a variable of the build environment is replaced in an image override',
    files: { ...base, ...overlay('overlays/dev') },
    source: { path: 'overlays/dev', kustomize: { images: ['myapp:${ARGOCD_APP_SOURCE_TARGET_REVISION}'] } },
    want: [image('myapp:HEAD')],
  },
  {
    title: 'REPO-09 a chart from Git with value files and parameters',
    files: { ...chart({ replicas: 1, tag: 'v1', kept: 'yes' }), 'app/prod.yaml': { tag: 'v2' } },
    source: { helm: { valueFiles: ['prod.yaml'], parameters: [helmValues('replicas', '3')] } },
    want: [shown('replicas', '3 (int64)'), shown('tag', 'v2 (string)'), shown('kept', 'yes (string)')],
  },
  {
    title: 'REPO-11 chart defaults, value files in order, inline values, parameters: the later wins',
    files: {
      ...chart({ a: 'default', b: 'default', c: 'default', d: 'default', e: 'default' }),
      'app/1.yaml': { b: 'first file', c: 'first file', d: 'first file', e: 'first file' },
      'app/2.yaml': { c: 'second file', d: 'second file', e: 'second file' },
    },
    source: {
      helm: {
        valueFiles: ['1.yaml', '2.yaml'],
        values: 'd: inline\ne: inline\n',
        parameters: [helmValues('e', 'parameter')],
      },
    },
    want: ['default', 'first file', 'second file', 'inline', 'parameter'].map((value, index) =>
      shown('abcde'[index] ?? '', `${value} (string)`),
    ),
  },
  {
    title: 'REPO-12 value files merge deeply, per key',
    files: {
      ...chart({ image: { name: 'base', tag: 'base', pull: 'base' } }),
      'values/env.yaml': { image: { tag: 'env', pull: 'env' } },
      'values/cluster.yaml': { image: { pull: 'cluster' } },
    },
    source: { helm: { valueFiles: ['../values/env.yaml', '/values/cluster.yaml'] } },
    want: [shown('image', 'map[name:base pull:cluster tag:env] (map)')],
  },
  {
    title: 'REPO-13 a value file that does not exist is an error that names it',
    files: chart({ a: 'default' }),
    source: { helm: { valueFiles: ['missing-values.yaml'] } },
    error: /missing-values\.yaml[\s\S]*ignoreMissingValueFiles/,
  },
  {
    title: 'REPO-13 unless missing value files are to be ignored',
    files: chart({ a: 'default' }),
    source: { helm: { valueFiles: ['missing-values.yaml'], ignoreMissingValueFiles: true } },
    want: [shown('a', 'default (string)')],
  },
  {
    title: 'REPO-14 parameters are typed as by --set, unless they are to be strings',
    files: chart({ a: '', b: '', c: '' }),
    source: { helm: { parameters: [helmValues('a', '3'), helmValues('b', 'true'), helmValues('c', '3', true)] } },
    want: [shown('a', '3 (int64)'), shown('b', 'true (bool)'), shown('c', '3 (string)')],
  },
  {
    title: 'REPO-09 the release is named after the application, or as releaseName says',
    files: chart({}),
    source: { helm: { releaseName: 'of-my-choice' } },
    want: [shown('release', 'of-my-choice')],
  },
  {
    title: 'REPO-12 $ref value files come from another source',
    files: { ...chart({ a: 'default' }), 'settings/a.yaml': { a: 'from the other source' } },
    sources: [{ ref: 'settings' }, { path: 'app', helm: { valueFiles: ['$settings/settings/a.yaml'] } }],
    want: [shown('a', 'from the other source (string)')],
  },
  {
    title: 'REPO-19 a template that fails is an error with tool, path, file and line',
    files: { ...chart({}), 'app/templates/broken.yaml': 'a: b\nc: {{ required "give me a colour" .Values.colour }}\n' },
    error: /helm[\s\S]*app[\s\S]*broken\.yaml:2[\s\S]*give me a colour/i,
  },
  {
    title: 'REPO-19 an overlay that fails is an error with the message of kustomize',
    files: { 'app/kustomization.yaml': { resources: ['missing.yaml'] } },
    error: /kustomize[\s\S]*app[\s\S]*missing\.yaml/i,
  },
  {
    title: 'REPO-20 a path that leaves the repository is refused',
    files: { 'app/a.yaml': configMap('a') },
    source: { path: '../../etc' },
    error: /\.\.\/\.\.\/etc/,
  },
  {
    title: 'REPO-20 a value file that leaves the repository is refused',
    files: chart({}),
    source: { helm: { valueFiles: ['../../../../../../etc/passwd'] } },
    error: /etc\/passwd/,
  },
  {
    title: 'REPO-20 a Kustomize base that leaves the repository is refused',
    files: { 'app/kustomization.yaml': { resources: ['../../../../../../etc'] } },
    error: /etc|outside|security|not in or below/,
  },
];

/** Stands before another server and lets through who logs in. */
async function requireLogin(upstream: string, login: string): Promise<AsyncDisposable & { url: string }> {
  const wanted = `Basic ${Buffer.from(login).toString('base64')}`;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401).end();
      return;
    }
    fetch(`${upstream}${request.url ?? ''}`)
      .then(async (found) => response.writeHead(found.status).end(Buffer.from(await found.arrayBuffer())))
      .catch(() => response.writeHead(502).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** From a source to objects: what each tool makes of what is in Git. */
export function renderTests(world: World): void {
  for (const { title, files, source, sources, want, error } of cases) {
    test(title, async (t) => {
      const scene = await world.scene(t, files);
      await scene.createAutomated({
        ...(source === undefined ? {} : { source }),
        ...(sources === undefined ? {} : { sources }),
      });
      if (error !== undefined) {
        const view = await scene.untilCondition('ComparisonError', error);
        assert.equal(view.sync, 'Unknown');
        assert.equal(view.phase, '');
      }
      for (const [id, path, value] of want ?? [])
        await scene.untilObject(
          id,
          `has ${path.join('.')} ${String(value)}`,
          (object) => at(object, ...path) === value,
        );
    });
  }

  test('REPO-01 REPO-10 a chart of a Helm repository, by exact version and by range, with nested inline values', async (t) => {
    const scene = await world.scene(t);
    await using charts = await serveCharts(
      'shown',
      ['1.0.0', '1.2.0', '2.0.0'],
      chart({ nested: { retention: 'x' } }, ''),
    );
    const values = 'nested:\n  retention: 30d\n';
    const versions = { '1.0.0': '1.0.0', '1.x': '1.2.0' };
    for (const [targetRevision, version] of Object.entries(versions)) {
      const name = `${scene.name}-${version.replaceAll('.', '-')}`;
      const namespace = scene.adoptNamespace(name);
      const source = { repoURL: charts.url, chart: 'shown', path: undefined, targetRevision, helm: { values } };
      await scene.createAutomated({ name, source, destination: { namespace }, syncOptions: ['CreateNamespace=true'] });
      const view = await scene.untilSettled('', { name });
      assert.equal(view.revision, version);
      assert.deepEqual(await scene.data('shown', namespace), { release: name, nested: 'map[retention:30d] (map)' });
    }
    const name = `${scene.name}-missing`;
    await scene.create({
      name,
      source: { repoURL: charts.url, chart: 'shown', path: undefined, targetRevision: '9.9.9' },
    });
    await scene.untilCondition('ComparisonError', /9\.9\.9/, { name });
  });

  test('REPO-09 a dependency from a private chart repository is fetched with what is registered for it', async (t) => {
    await using charts = await serveCharts('shown', ['1.0.0'], chart({ from: 'dependency' }, ''));
    await using guard = await requireLogin(charts.url, 'ada:s3cret-word');
    const scene = await world.scene(t, {
      'app/Chart.yaml': {
        apiVersion: 'v2',
        name: 'main',
        version: '1.0.0',
        dependencies: [{ name: 'shown', version: '1.0.0', repository: `${guard.url}/charts` }],
      },
    });
    await scene.createAutomated();
    const refused = await scene.untilCondition('ComparisonError', /401/);
    assert.equal(refused.sync, 'Unknown');
    const name = `${scene.name}-charts`;
    await world.cluster.client.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace: world.namespace,
        labels: { 'argocd.argoproj.io/secret-type': 'repository' },
      },
      stringData: { type: 'helm', url: `${guard.url}/charts`, username: 'ada', password: 's3cret-word' },
    });
    t.after(() =>
      world.cluster.client.delete({
        gvk: { group: '', version: 'v1', kind: 'Secret' },
        namespace: world.namespace,
        name,
      }),
    );
    await scene.refresh('normal');
    await scene.untilSettled();
    assert.equal(at(await scene.get('ConfigMap/shown'), 'data', 'from'), 'dependency (string)');
  });

  test('REPO-20 texts that are made to hurt their reader fail by name, and others go on', async (t) => {
    const bomb = [
      'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]`),
    ].join('\n');
    const scene = await world.scene(t, {
      'bomb/bomb.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\nmore:\n${bomb.replace(/^/gm, '  ')}\n`,
      'deep/deep.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\nmore: ${'['.repeat(50_000)}\n`,
      'app/a.yaml': configMap('a'),
    });
    for (const path of ['bomb', 'deep'])
      await scene.createAutomated({ name: `${scene.name}-${path}`, source: { path } });
    await scene.createAutomated();
    await scene.untilSettled();
    for (const path of ['bomb', 'deep']) {
      const name = `${scene.name}-${path}`;
      const view = await scene.untilCondition('ComparisonError', new RegExp(`${path}/${path}\\.yaml`), { name });
      assert.equal(view.sync, 'Unknown');
    }
  });

  test('REPO-01 with and without .git the URL means the same repository', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'more/b.yaml': configMap('b') });
    await scene.repository.git('clone', '--quiet', '--bare', '.', '../served.git');
    const url = scene.repository.url.replace(/repository$/, 'served');
    const other = `${scene.name}-other`;
    await scene.createAutomated({ source: { repoURL: url } });
    await scene.createAutomated({ name: other, source: { repoURL: `${url}.git`, path: 'more' } });
    const views = await Promise.all([scene.untilSettled(), scene.untilSettled('', { name: other })]);
    assert.equal(views[0].revision, views[1].revision);

    // One look finds what is new for both.
    const revision = await scene.repository.commit({
      'app/a.yaml': configMap('a', { key: 'two' }),
      'more/b.yaml': configMap('b', { key: 'two' }),
    });
    await scene.repository.git('push', '--quiet', '../served.git', 'HEAD');
    await Promise.all([scene.untilSettled(revision), scene.untilSettled(revision, { name: other })]);
    const isNews = ({ message, fields }: LogLine): boolean => message === 'new commit' && fields['commit'] === revision;
    await world.controller.untilLogged('the new commit', (log) => log.some(isNews));
    const news = world.controller.log.filter(isNews);
    assert.deepEqual(
      news.map(({ fields }) => fields['applications']),
      [2],
    );
  });

  test('REPO-02 branch, tag, short and full SHA, HEAD and a version range each resolve to one commit', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a', { at: 'first' }) });
    const { repository } = scene;
    const first = await repository.git('rev-parse', 'HEAD');
    await repository.git('tag', 'v1.2.0');
    const second = await repository.commit({ 'app/a.yaml': configMap('a', { at: 'second' }) });
    await repository.git('tag', '--annotate', '--message', 'annotated', 'v1.3.0');
    await repository.git('branch', 'release/x', first);
    const third = await repository.commit({ 'app/a.yaml': configMap('a', { at: 'third' }) });
    const forms = {
      HEAD: third,
      main: third,
      'release/x': first,
      'v1.2.0': first,
      [first]: first,
      [second.slice(0, 8)]: second,
      'v1.*': second,
    };
    for (const [targetRevision, commit] of Object.entries(forms)) {
      const name = `${scene.name}-${targetRevision.replaceAll(/[^a-z0-9]/g, '') || 'head'}`.slice(0, 50);
      await scene.create({ name, source: { targetRevision } });
      await scene.until(`${targetRevision} is ${commit}`, (view) => view.revision === commit, { name });
    }
    await scene.create({ source: { targetRevision: 'no-such-revision' } });
    const view = await scene.untilCondition('ComparisonError', /no-such-revision/);
    assert.equal(view.sync, 'Unknown');
  });

  const kustomized = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
  const tools: readonly (readonly [tool: string, by: string, files: Files])[] = [
    ['Directory', 'the want of any other', { 'app/a.yaml': configMap('a') }],
    ...kustomized.map((name): [string, string, Files] => [
      'Kustomize',
      name,
      { [`app/${name}`]: { resources: ['a.yaml'] }, 'app/a.yaml': configMap('a') },
    ]),
    ['Helm', 'Chart.yaml', chart({})],
  ];
  for (const [tool, by, files] of tools) {
    test(`REPO-03 the files in the folder choose ${tool}: ${by}`, async (t) => {
      const scene = await world.scene(t, files);
      await scene.createAutomated();
      const { object } = await scene.untilSettled();
      assert.equal(stringAt(object, 'status', 'sourceType'), tool);
    });
  }

  test('REPO-20 a link that leaves the repository is refused, and what it points to is shown nowhere', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.repository.link('/etc/hostname', 'app/b.yaml');
    await scene.createAutomated();
    const view = await scene.untilCondition('ComparisonError', /b\.yaml/);
    assert.equal(view.sync, 'Unknown');
    assert.equal(await scene.get('ConfigMap/a'), undefined);
  });

  test('REPO-21 an object given twice is a warning that names it; the later one wins', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('twice', { from: 'a' })],
      'app/b.yaml': configMap('twice', { from: 'b' }),
    });
    await scene.createAutomated();
    const view = await scene.untilCondition('RepeatedResourceWarning', /ConfigMap.*twice/);
    assert.ok(view.conditions.some(({ message }) => message.includes(scene.namespace)));
    await scene.untilSettled();
    assert.deepEqual(await scene.data('twice'), { from: 'b' });
  });

  test('REPO-22 objects without a namespace go to the destination, others where they say, cluster-scoped ones nowhere', async (t) => {
    const scene = await world.scene(t);
    const elsewhere = `${scene.name}-elsewhere`;
    await scene.createNamespace(elsewhere);
    const definition = scene.adoptDefinition(customResourceDefinition(`${scene.name}.example.com`, 'Thing'));
    const objects = [configMap('here'), configMap('there', {}, { namespace: elsewhere }), definition];
    await scene.repository.commit({ 'app/a.yaml': objects });
    await scene.createAutomated();
    const view = await scene.untilSettled();
    assert.deepEqual(
      view.resources.map(({ id, namespace }) => `${namespace} ${id}`).toSorted(),
      [
        `${scene.namespace} ConfigMap/here`,
        `${elsewhere} ConfigMap/there`,
        ` CustomResourceDefinition/things.${scene.name}.example.com`,
      ].toSorted(),
    );
    await scene.live('ConfigMap/there', { namespace: elsewhere });
  });
}
