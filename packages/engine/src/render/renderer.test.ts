import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { at } from '@tiphys/api';
import { configMap, names, withoutTools, Workbench } from './workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
const renderer = await bench.renderer();
after(() => bench.close());

describe('several sources', { skip: withoutTools }, () => {
  test('the later source wins for an object that both have, with a warning', async () => {
    const one = bench.origin({ 'a/x.yaml': `${configMap('x', { from: 'one' })}---\n${configMap('y')}` });
    const two = bench.origin({ 'b/x.yaml': configMap('x', { from: 'two' }) });
    const request = await bench.request([
      { repoURL: one.url, path: 'a' },
      { repoURL: two.url, path: 'b' },
    ]);
    const rendered = await renderer.render(request, signal);
    assert.deepEqual(names(rendered), ['ConfigMap x', 'ConfigMap y']);
    assert.equal(at(rendered.objects[0], 'data', 'from'), 'two');
    assert.equal(rendered.warnings[0]?.kind, 'repeated');
    assert.deepEqual(
      rendered.readSet.map(({ repository }) => repository),
      [`file://${one.url}`, `file://${two.url}`],
    );
  });

  test('.argocd-source files change a source but cannot move it', async () => {
    const repo = bench.origin({
      'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
      'chart/templates/c.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "{{ .Values.a }}", b: "{{ .Values.b }}"}\n',
      'chart/.argocd-source.yaml':
        'path: /etc\ntargetRevision: other\nhelm:\n  parameters:\n  - {name: a, value: all}\n  - {name: b, value: all}\n',
      'chart/.argocd-source-team_shop.yaml': 'helm:\n  parameters:\n  - {name: a, value: own}\n',
    });
    const source = { repoURL: repo.url, path: 'chart' };
    const shared = await renderer.render(await bench.request(source), signal);
    assert.deepEqual(at(shared.objects[0], 'data'), { a: 'all', b: 'all' });
    const own = await renderer.render(await bench.request(source, { instance: 'team_shop' }), signal);
    assert.deepEqual(at(own.objects[0], 'data'), { a: 'own', b: '' });
  });
});
