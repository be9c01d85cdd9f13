import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { silentLogger, systemClock } from '@tiphys/api';
import { openRenderer } from '../renderer.ts';
import { configMap, helm, kubectl, names, Workbench, withoutTools } from '../workbench.suite.ts';

const bench = new Workbench();
after(() => bench.close());

const isRoot = process.getuid?.() === 0;
const noNamespaces = '/bin-without-unshare';

describe('where the host has no namespaces for us', { skip: withoutTools }, () => {
  test(
    'tools run as another user when we are root, and it says so',
    { skip: isRoot ? false : 'needs root' },
    async () => {
      const tools = join(bench.root, 'tools');
      mkdirSync(tools);
      for (const [from, to] of [
        [helm, 'helm'],
        [kubectl, 'kubectl'],
      ] as const)
        copyFileSync(from, join(tools, to));
      const ports = {
        git: bench.git,
        tools: {
          helm: join(tools, 'helm'),
          kustomize: { command: join(tools, 'kubectl'), args: ['kustomize'] },
          versions: 'test',
        },
        clock: systemClock,
        log: silentLogger,
      };
      const settings = { workDir: join(bench.root, 'work-uid'), path: noNamespaces };
      const shut = await openRenderer(ports, settings);
      assert.equal(shut.isolation, 'none', 'another user cannot enter the folder');
      await shut.close();
      chmodSync(bench.root, 0o711);
      const renderer = await openRenderer(ports, settings);
      assert.equal(renderer.isolation, 'uid');
      const repo = bench.origin({
        'k/kustomization.yaml': 'resources: [a.yaml]\n',
        'k/a.yaml': configMap('a'),
        'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
        'sub/templates/s.yaml': configMap('s'),
        'main/Chart.yaml':
          'apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- {name: sub, version: 0.1.0, repository: "file://../sub"}\n',
      });
      for (const [path, expected] of [
        ['k', 'ConfigMap a'],
        ['main', 'ConfigMap s'],
      ] as const)
        assert.deepEqual(names(await renderer.render(await bench.request({ repoURL: repo.url, path }), bench.signal)), [
          expected,
        ]);
      await renderer.close();
    },
  );
});
