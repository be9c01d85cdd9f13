import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringAt } from '@tiphys/api';
import { serveRegistry } from './harness/registry-charts.ts';
import type { Files } from './harness/repository.ts';
import type { World } from './harness/world.ts';

const login = { username: 'ada', password: 's3cret-word', by: 'token' } as const;

const chart = (
  versions: readonly string[],
  from = 'registry',
): { name: string; versions: readonly string[]; files: Files } => ({
  name: 'shown',
  versions,
  files: {
    'Chart.yaml': { apiVersion: 'v2', name: 'shown', version: '0.0.0' },
    'templates/shown.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\ndata: {from: ${from}, version: "{{ .Chart.Version }}", colour: "{{ .Values.colour }}"}\n`,
    'values.yaml': { colour: 'none' },
  },
});

/** Charts of OCI registries: the real helm, and a registry that speaks the real protocol. */
export function registryTests(world: World): void {
  test('REPO-10 REPO-17 a chart of a private registry, by range, with what is registered for it; a wrong password is told without it', async (t) => {
    await using registry = await serveRegistry(chart(['1.0.0', '1.4.2', '2.0.0']), login);
    await world.setConfigMap(t, 'argocd-tls-certs-cm', { '127.0.0.1': registry.caPem });
    const scene = await world.scene(t);
    const repository = {
      type: 'helm',
      name: 'charts',
      url: `${registry.host}/charts`,
      enableOCI: 'true',
      username: 'ada',
    };
    await world.register(t, `${scene.name}-registry`, { ...repository, password: 'wrong-word' });
    const source = {
      repoURL: `${registry.host}/charts`,
      chart: 'shown',
      path: undefined,
      targetRevision: '1.x',
      helm: { valuesObject: { colour: 'blue' } },
    };
    await scene.createAutomated({ source });
    const refused = await scene.untilCondition('ComparisonError', /401/);
    assert.equal(refused.sync, 'Unknown');
    const said = JSON.stringify(refused.object) + world.controller.log.map(({ text }) => text).join('\n');
    assert.ok(!said.includes('wrong-word') && !said.includes(btoa('ada:wrong-word')), 'the password is told nowhere');

    await world.register(t, `${scene.name}-registry`, { ...repository, password: login.password });
    await scene.refresh();
    const view = await scene.untilSettled('1.4.2');
    assert.equal(stringAt(view.object, 'status', 'sourceType'), 'Helm');
    assert.deepEqual(await scene.data('shown'), { from: 'registry', version: '1.4.2', colour: 'blue' });

    await scene.patchApplication({ spec: { source: { targetRevision: '2.0.0' } } });
    await scene.untilSettled('2.0.0');
    await scene.patchApplication({ spec: { source: { targetRevision: '^9' } } });
    await scene.untilCondition('ComparisonError', /shown.*\^9/);
  });

  test('REPO-10 a chart of an open registry needs no Secret, and may be written with its scheme', async (t) => {
    await using registry = await serveRegistry(chart(['1.0.0']));
    await world.setConfigMap(t, 'argocd-tls-certs-cm', { '127.0.0.1': registry.caPem });
    const scene = await world.scene(t);
    const source = { chart: 'shown', path: undefined, targetRevision: '1.0.0' };
    for (const repoURL of [`${registry.host}/charts`, `oci://${registry.host}/charts`]) {
      const name = `${scene.name}-${repoURL.startsWith('oci') ? 'scheme' : 'plain'}`;
      const namespace = scene.adoptNamespace(name);
      await scene.createNamespace(namespace);
      await scene.createAutomated({ name, source: { ...source, repoURL }, destination: { namespace } });
      await scene.untilSettled('1.0.0', { name });
    }
  });

  test('REPO-01 REPO-02 all of an oci:// URL may be the chart, as newer sources write it', async (t) => {
    await using registry = await serveRegistry(chart(['1.0.0', '1.1.0']), login);
    await world.setConfigMap(t, 'argocd-tls-certs-cm', { '127.0.0.1': registry.caPem });
    const scene = await world.scene(t);
    const url = `oci://${registry.host}/charts/shown`;
    await world.register(t, `${scene.name}-registry`, { type: 'oci', url, username: 'ada', password: login.password });
    const source = {
      repoURL: url,
      path: '.',
      targetRevision: '1.0.0',
      helm: { parameters: [{ name: 'colour', value: 'red' }] },
    };
    await scene.createAutomated({ source });
    const view = await scene.untilSettled('1.0.0');
    assert.equal(stringAt(view.object, 'status', 'sourceType'), 'Helm');
    assert.deepEqual(await scene.data('shown'), { from: 'registry', version: '1.0.0', colour: 'red' });
    await scene.patchApplication({ spec: { source: { targetRevision: '1.x' } } });
    await scene.untilSettled('1.1.0');
    await scene.patchApplication({ spec: { source: { path: 'templates' } } });
    await scene.untilCondition('ComparisonError', /only whole charts.*templates/);
    assert.equal(
      world.controller.log.filter(({ text }) => text.includes('repository could not be read') && text.includes(url))
        .length,
      0,
    );
  });

  test('REPO-09 a chart in Git depends on a chart of a registry, which is fetched with what is registered for it', async (t) => {
    await using registry = await serveRegistry(chart(['1.0.0'], 'dependency'), login);
    await world.setConfigMap(t, 'argocd-tls-certs-cm', { '127.0.0.1': registry.caPem });
    const scene = await world.scene(t, {
      'app/Chart.yaml': {
        apiVersion: 'v2',
        name: 'main',
        version: '1.0.0',
        dependencies: [{ name: 'shown', version: '^1', repository: `oci://${registry.host}/charts` }],
      },
      'app/values.yaml': { shown: { colour: 'red' } },
    });
    await scene.createAutomated();
    await scene.untilCondition('ComparisonError', /401/);
    const url = `${registry.host}/charts`;
    await world.register(t, `${scene.name}-registry`, {
      type: 'helm',
      url,
      enableOCI: 'true',
      username: 'ada',
      password: login.password,
    });
    await scene.refresh();
    await scene.untilSettled();
    assert.deepEqual(await scene.data('shown'), { from: 'dependency', version: '1.0.0', colour: 'red' });
  });
}
