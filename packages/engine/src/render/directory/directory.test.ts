import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { at } from '@tiphys/api';
import { configMap, names, fails, Workbench } from '../workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
const renderer = await bench.renderer();
after(() => bench.close());

describe('plain manifests', () => {
  test('REPO-04 YAML, JSON, lists and several documents in a stable order', async () => {
    const repo = bench.origin({
      'app/b.yaml': `${configMap('b1')}---\n${configMap('b2')}---\n# nothing\n`,
      'app/a.json':
        '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a1"}},{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"a2-"}}]}',
      'app/c.yml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n',
      'app/sub/d.yaml': configMap('d'),
      'app/README.md': 'no manifest',
      'app/values.yaml': 'replicas: 1\n',
      'app/skipped.yaml': `# +argocd:skip-file-rendering\n${configMap('skipped')}`,
    });
    const request = await bench.request({ repoURL: repo.url, path: 'app' });
    const rendered = await renderer.render(request, signal);
    assert.deepEqual(names(rendered), ['Secret a1', 'Pod ', 'ConfigMap b1', 'ConfigMap b2', 'Namespace c']);
    assert.deepEqual(rendered.sourceTypes, ['Directory']);
    assert.match(rendered.warnings[0]?.message ?? '', /app\/values\.yaml was left out/);
    const deep = await bench.request({ repoURL: repo.url, path: 'app', directory: { recurse: true } });
    assert.ok(names(await renderer.render(deep, signal)).includes('ConfigMap d'));
  });

  test('REPO-04 a file that is not valid YAML gives an error with file and line', async () => {
    const repo = bench.origin({ 'app/broken.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [a\n' });
    await fails(
      renderer.render(await bench.request({ repoURL: repo.url, path: 'app' }), signal),
      'render/invalid-manifest',
      'app/broken.yaml:5',
    );
  });

  test('REPO-04 broken JSON that means to be a manifest is an error, wherever it says so', async () => {
    const renderer = await bench.renderer();
    const broken = '{"metadata": {"name": "a"}, "data": {}, "kind": "ConfigMap", "apiVersion": "v1"';
    const repo = bench.origin({
      'app/a.json': broken,
      'other/a.json': '{"compilerOptions": {',
      'other/b.yaml': configMap('b'),
    });
    await assert.rejects(renderer.render(await bench.request({ repoURL: repo.url, path: 'app' }), signal), {
      code: 'render/invalid-manifest',
      message: /app\/a\.json/,
    });
    const other = await renderer.render(await bench.request({ repoURL: repo.url, path: 'other' }), signal);
    assert.deepEqual(names(other), ['ConfigMap b']);
    assert.match(other.warnings[0]?.message ?? '', /other\/a\.json was left out/);
  });

  test('REPO-04 include and exclude, hidden folders, any extension', async () => {
    const repo = bench.origin({
      'x/a.yaml': configMap('a'),
      'x/sub/b.yaml': configMap('b'),
      'x/sub/c.txt': configMap('c'),
      'x/.hidden/h.yaml': configMap('h'),
    });
    const table = [
      [{ recurse: true }, ['a', 'b']],
      [{ recurse: true, include: '{*b.yaml,nothing}' }, ['b']],
      [{ recurse: true, exclude: 'sub/*' }, ['a']],
      [{ recurse: true, include: '*.yaml', exclude: 'a.*' }, ['b']],
      [{ recurse: true, include: '*.txt', disableExtensionFilter: true }, ['c']],
      [{}, ['a']],
    ] as const;
    for (const [directory, expected] of table) {
      const rendered = await renderer.render(await bench.request({ repoURL: repo.url, path: 'x', directory }), signal);
      assert.deepEqual(
        rendered.objects.map(({ metadata }) => metadata.name),
        expected,
        JSON.stringify(directory),
      );
    }
    const hidden = await bench.request(
      { repoURL: repo.url, path: 'x', directory: { recurse: true } },
      { settings: { includeHiddenDirectories: true } },
    );
    assert.ok(names(await renderer.render(hidden, signal)).includes('ConfigMap h'));
  });

  test('REPO-20 a path, and a link, that leave the repository are refused by name', async () => {
    const repo = bench.origin({
      'a/ok.yaml': configMap('ok'),
      'b/link.yaml': '-> /etc/passwd',
      'c/link.yaml': '-> ../../../etc/passwd',
      'd/link.yaml': '-> ../a/ok.yaml',
    });
    const request = (path: string) => bench.request({ repoURL: repo.url, path });
    await fails(renderer.render(await request('../../etc'), signal), 'render/path-outside', '../../etc');
    await fails(renderer.render(await request('/etc'), signal), 'render/path-outside', '/etc');
    await fails(renderer.render(await request('b'), signal), 'git/path-outside', 'b/link.yaml');
    await fails(renderer.render(await request('c'), signal), 'git/path-outside', 'c/link.yaml');
    await fails(renderer.render(await request('none'), signal), 'git/path-not-found', '"none"', repo.url);
    assert.deepEqual(names(await renderer.render(await request('d'), signal)), ['ConfigMap ok']);
    repo.commit({ 'a/ok.yaml': configMap('changed') });
    assert.deepEqual(
      names(await renderer.render(await request('d'), signal)),
      ['ConfigMap changed'],
      'what a link leads to is part of the key',
    );
  });

  test('REPO-21 an object that appears twice is kept once, with a warning that names it', async () => {
    const repo = bench.origin({
      'app/a.yaml': configMap('same', { from: 'a' }),
      'app/b.yaml': configMap('same', { from: 'b' }).replace('name: same', 'name: same\n  namespace: prod'),
    });
    const rendered = await renderer.render(await bench.request({ repoURL: repo.url, path: 'app' }), signal);
    assert.equal(rendered.objects.length, 1);
    assert.equal(at(rendered.objects[0], 'data', 'from'), 'b');
    assert.deepEqual(rendered.warnings, [
      { kind: 'repeated', message: 'Resource /ConfigMap/prod/same appeared 2 times among application resources.' },
    ]);
  });

  test('nameless objects, Jsonnet, plugins and too much are refused by name', async () => {
    const repo = bench.origin({
      'nameless/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
      'kindless/a.yaml': `${configMap('a')}---\napiVersion: v1\nmetadata: {name: b}\n`,
      'jsonnet/a.jsonnet': '{}',
      'big/a.yaml': `${configMap('big')}# ${'x'.repeat(11_000_000)}\n`,
    });
    const render = async (path: string, more = {}) =>
      renderer.render(await bench.request({ repoURL: repo.url, path, ...more }), signal);
    await fails(render('nameless'), 'render/invalid-manifest', 'nameless/a.yaml', 'no name');
    await fails(render('kindless'), 'render/invalid-manifest', 'kindless/a.yaml, document 2', 'kind');
    await fails(render('jsonnet'), 'render/unsupported', 'jsonnet/a.jsonnet');
    await fails(
      render('kindless', { directory: { jsonnet: { libs: ['x'] } } }),
      'render/unsupported',
      'directory.jsonnet',
    );
    const without = { settings: { tools: { helm: true, kustomize: true, jsonnet: false } } };
    const off = await bench.request({ repoURL: repo.url, path: 'jsonnet' }, without);
    assert.deepEqual(names(await renderer.render(off, signal)), []);
    await fails(render('kindless', { plugin: { name: 'x' } }), 'render/unsupported', 'source.plugin');
    await fails(render('kindless', { helm: {}, kustomize: {} }), 'render/duplicate-tool', 'helm and kustomize');
    await fails(render('big'), 'render/output-too-large', 'big');
  });
});
