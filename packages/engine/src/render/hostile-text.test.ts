import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, describe, test } from 'node:test';
import { isCoded, messageOf } from '@tiphys/api';
import { rendererDefaults } from './renderer-settings.ts';
import { configMap, names, Workbench, withoutTools } from './workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
after(() => bench.close());

const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]`),
].join('\n');
const bombAsData = `data:\n${bomb.replace(/^/gm, '  ')}\n`;
const chart = 'apiVersion: v2\nname: c\nversion: 0.1.0\n';
const largeObject = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata: {a: "${value}"}\n`;

/** Texts that are made to hurt whoever reads them: what is expected is an error that names file or tool. */
const attacks: Readonly<Record<string, Readonly<{ files: Record<string, string>; code: string; names: string }>>> = {
  'directory: an alias bomb': {
    files: { 'app/bomb.yaml': `${configMap('a')}more:\n${bomb.replace(/^/gm, '  ')}\n` },
    code: 'render/invalid-manifest',
    names: 'app/bomb.yaml',
  },
  'directory: deep nesting': {
    files: { 'app/deep.yaml': `${configMap('a')}more: ${'['.repeat(100_000)}\n` },
    code: 'render/invalid-manifest',
    names: 'app/deep.yaml',
  },
  'directory: deep nesting in JSON': {
    files: {
      'app/deep.json': `{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"d":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    },
    code: 'render/invalid-manifest',
    names: 'app/deep.json',
  },
  'directory: a document that takes for ever': {
    files: { 'app/slow.yaml': `${configMap('a')}more: [${'k: v,'.repeat(8_000_000)}]\n` },
    code: 'render/too-costly',
    names: 'app/slow.yaml',
  },
  'directory: a scalar of 50 MB': {
    files: { 'app/large.yaml': largeObject('x'.repeat(50_000_000)) },
    code: 'render/output-too-large',
    names: 'app/large.yaml',
  },
  'helm: a scalar of 50 MB': {
    files: {
      'app/Chart.yaml': chart,
      'app/templates/x.yaml': largeObject('{{ repeat 50000000 "x" }}'),
    },
    code: 'render/output-too-large',
    names: 'output of helm',
  },
  'helm: an alias bomb in a template': {
    files: {
      'app/Chart.yaml': chart,
      'app/templates/x.yaml': `${configMap('a')}more:\n${bomb.replace(/^/gm, '  ')}\n`,
    },
    // Helm has limits of its own.
    code: 'render/failed',
    names: 'helm template app',
  },
  'helm: an alias bomb in Chart.yaml': {
    files: { 'app/Chart.yaml': `${chart}${bombAsData}`, 'app/templates/x.yaml': configMap('a') },
    // Helm reads the file by itself, within limits of its own.
    code: 'render/failed',
    names: '',
  },
  'kustomize: an alias bomb in a kustomization': {
    files: { 'app/kustomization.yaml': `resources: [cm.yaml]\n${bomb}\n`, 'app/cm.yaml': configMap('a') },
    code: 'render/failed',
    names: 'kustomize build app',
  },
  'override: an alias bomb': {
    files: { 'app/.argocd-source.yaml': bomb, 'app/cm.yaml': configMap('a') },
    code: 'api/invalid-yaml',
    names: 'app/.argocd-source.yaml',
  },
};

describe('hostile texts', { skip: withoutTools }, async () => {
  const mebibyte = 1024 * 1024;
  const renderer = await bench.renderer({
    decode: { ...rendererDefaults.decode, timeoutMs: 5000 },
  });
  const plain = bench.origin(
    Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`p${n}/cm.yaml`, configMap(`c${n}`)])),
  );
  let next = 0;

  for (const [name, { files, code, names: words }] of Object.entries(attacks))
    test(`REPO-20 ${name}: an error by name, and others are rendered meanwhile`, async () => {
      const repo = bench.origin(files);
      const settings = { maxDirectoryBytes: 64 * mebibyte };
      const request = await bench.request({ repoURL: repo.url, path: 'app' }, { settings });
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      const attack = renderer.render(request, signal).then(
        () => assert.fail('expected an error'),
        (error: unknown) => error,
      );
      for (let other = 0; other < 3; other += 1) {
        const path = `p${(next += 1)}`;
        const rendered = await renderer.render(await bench.request({ repoURL: plain.url, path }), signal);
        assert.deepEqual(names(rendered), [`ConfigMap c${next}`]);
      }
      const error = await attack;
      delay.disable();
      assert.ok(isCoded(error), String(error));
      assert.equal(error.code, code, messageOf(error));
      assert.ok(error.message.includes(words), error.message);
      const lateMs = Math.round(delay.max / 1e6);
      assert.ok(lateMs < 1000, `the event loop was late by ${lateMs} ms`);
      const again = await renderer.render(request, signal).catch((thrown: unknown) => thrown);
      assert.equal(messageOf(again), error.message, 'remembered');
    });
});
