import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { at, isRecord, listAt, parseJson, parseYamlDocuments, stringAt, type KubeObject } from '@tiphys/api';
import { saysOf, type ApplicationView } from './harness/application.ts';
import { secret, service } from './harness/manifests.ts';
import type { Files } from './harness/repository.ts';
import type { Scene } from './harness/scene.ts';
import { root } from './harness/tools.ts';
import type { World } from './harness/world.ts';

const folder = process.env['TIPHYS_MANIFESTS'] ?? join(root, '..', 'shared/manifests');
const absent = existsSync(join(folder, 'index.json')) ? false : `the corpus of manifests is not at ${folder}`;

type Fixture = Readonly<{ file: string; expect: string; kinds: readonly string[] }>;

/** Requirements whose check is this fixture's outcome; most fixtures touch more than their application can show here. */
const shown: Readonly<Record<string, string>> = {
  'application-automated-promotion-kustomize-images.yaml': 'REPO-07 ',
  'application-helm-parameters-argocd-io.yaml': 'REPO-09 APP-01 ',
  'application-multi-env-argocd-io.yaml': 'APP-01 ',
  'application-multi-destinations-plural.yaml': 'APP-05 ',
};
const shownBy = (file: string): string => shown[file] ?? '';

const read = (file: string): KubeObject[] =>
  // The corpus is data of our own kind: every document of these files is an object.
  parseYamlDocuments(readFileSync(join(folder, file), 'utf8'), file).filter(isRecord) as unknown as KubeObject[];

function readIndex(): Fixture[] {
  if (absent !== false) return [];
  const index = parseJson(readFileSync(join(folder, 'index.json'), 'utf8'));
  return listAt(index, 'files').map((entry) => ({
    file: stringAt(entry, 'file') ?? '',
    expect: stringAt(entry, 'expect') ?? '',
    kinds: listAt(entry, 'objects').map((object) => stringAt(object, 'kind') ?? ''),
  }));
}

/** Files that a fixture's source would find in its repository: the workload of the quick start, in the form it asks for. */
function repositoryFor(source: unknown): Files {
  const path = stringAt(source, 'path') ?? '';
  const workload = readFileSync(join(folder, 'hello-world-deployment-service.yaml'), 'utf8');
  if (isRecord(at(source, 'kustomize')))
    return {
      [`${path}/kustomization.yaml`]: { resources: ['w.yaml'] },
      [`${path}/w.yaml`]: workload.replace('nginx:latest', 'myapp'),
    };
  if (!isRecord(at(source, 'helm'))) return { [`${path}/w.yaml`]: workload };
  const valueFiles = listAt(source, 'helm', 'valueFiles').map((name) => [`${path}/${String(name)}`, {}] as const);
  return {
    [`${path}/Chart.yaml`]: { apiVersion: 'v2', name: 'app', version: '1.0.0' },
    [`${path}/values.yaml`]: { image: { tag: 'v1' }, replicaCount: 1 },
    [`${path}/templates/w.yaml`]: workload
      .replace('nginx:latest', 'nginx:{{ .Values.image.tag }}')
      .replace('replicas: 1', 'replicas: {{ .Values.replicaCount }}'),
    ...Object.fromEntries(valueFiles),
  };
}

/** The fixture with the names of this test's corner: its repository (a chart's stays out of reach), names, namespaces. */
function localised(object: KubeObject, scene: Scene, name: string): KubeObject {
  scene.adopt(name);
  const spec = isRecord(object['spec']) ? object['spec'] : {};
  const source = isRecord(spec['source']) ? spec['source'] : {};
  const destination = isRecord(spec['destination']) ? { ...spec['destination'], namespace: name } : undefined;
  return {
    ...object,
    metadata: { ...object.metadata, name, namespace: scene.world.namespace },
    spec: {
      ...spec,
      source: { ...source, ...('path' in source ? { repoURL: scene.repository.url } : {}) },
      ...(destination === undefined ? {} : { destination }),
    },
  };
}

const worries = (view: ApplicationView): string[] =>
  view.conditions.filter(({ type }) => type !== 'ComparisonError').map(({ type, message }) => `${type}: ${message}`);

/** What the application of an accepted fixture comes to. */
async function expectAccepted(scene: Scene, object: KubeObject, name: string): Promise<void> {
  const source = at(object, 'spec', 'source');
  const images = listAt(source, 'kustomize', 'images').join();
  const unknown = /\$\{(\w+)\}/.exec(images)?.[1];
  if (unknown !== undefined) await scene.untilCondition('ComparisonError', new RegExp(unknown), { name });
  else if (stringAt(source, 'chart') !== undefined)
    await scene.untilCondition('ComparisonError', /./, { name, timeoutMs: 120_000 });
  else if (isRecord(at(object, 'spec', 'syncPolicy', 'automated'))) await scene.untilSettled('', { name });
  else await scene.until('compared', (view) => view.sync === 'OutOfSync', { name });
}

/** The corpus of manifests that users have, with the outcome that its index expects. */
export function fixturesSuite(world: World): void {
  const index = readIndex();

  describe('fixtures', { concurrency: 4, skip: absent }, () => {
    for (const { file, expect, kinds } of index) {
      if (file.includes('/') || !kinds.includes('Application') || expect === 'partial') continue;
      test(`${shownBy(file)}${file}: ${expect}`, async (t) => {
        const objects = read(file).filter(({ kind }) => kind === 'Application');
        const files = objects.flatMap((object) => Object.entries(repositoryFor(at(object, 'spec', 'source'))));
        const scene = await world.scene(t, Object.fromEntries(files));
        const named = objects.map(
          (object, number) => [localised(object, scene, `${scene.name}-${number}`), `${scene.name}-${number}`] as const,
        );
        for (const [, name] of named) await scene.createNamespace(name);
        // No API server takes the alias's group, or an Application without its destination: such manifests come by Git.
        const byGit = expect === 'reject' || objects.some(({ apiVersion }) => apiVersion.startsWith('argocd.io/'));
        if (byGit) {
          await scene.repository.commit({ 'parent/children.yaml': named.map(([object]) => object) });
          await scene.createAutomated({ source: { path: 'parent' }, destination: { namespace: world.namespace } });
          if (expect === 'reject') {
            await scene.untilSays(/spec\.destinations[\s\S]*ApplicationSet/);
            return;
          }
          await scene.until('warned', (view) => worries(view).some((worry) => worry.includes('argocd.io')));
        } else {
          for (const [object] of named) await world.cluster.client.create(object);
        }
        for (const [object, name] of named) {
          await expectAccepted(scene, object, name);
          const view = await scene.view(name);
          const hasWarning = worries(view).length > 0;
          assert.equal(hasWarning, expect === 'warn' && !byGit, saysOf(view));
        }
      });
    }

    for (const { file, expect, kinds } of index) {
      if (file.includes('/') || !kinds.some((kind) => kind === 'AppProject' || kind === 'ApplicationSet')) continue;
      test(`${file} is stored as it is written (${expect})`, async (t) => {
        const scene = await world.scene(t);
        for (const object of read(file)) {
          const stored = await world.cluster.client.create(
            { ...object, metadata: { ...object.metadata, name: `${scene.name}-stored`, namespace: scene.namespace } },
            { fieldValidation: 'Strict' },
          );
          assert.deepEqual(stored['spec'], object['spec']);
        }
      });
    }

    test('REPO-04 hello-world-deployment-service.yaml gives two objects', async (t) => {
      const scene = await world.scene(t, {
        'app/w.yaml': readFileSync(join(folder, 'hello-world-deployment-service.yaml'), 'utf8'),
      });
      await scene.createAutomated();
      const view = await scene.untilSettled();
      assert.deepEqual(view.resources.map(({ id }) => id).toSorted(), [
        'Deployment/hello-world',
        'Service/hello-world-service',
      ]);
    });

    for (const migration of ['hook-presync-db-migrate.yaml', 'hook-presync-db-migrate-basic.yaml']) {
      test(`SYNC-02 SYNC-03 SYNC-04 ${migration} with the smoke test and the notification`, async (t) => {
        const hooks = [migration, 'hook-postsync-smoke-test.yaml', 'hook-syncfail-notify.yaml'];
        const scene = await world.scene(t, {
          'app/w.yaml': readFileSync(join(folder, 'hello-world-deployment-service.yaml'), 'utf8'),
          ...Object.fromEntries(hooks.map((file) => [`app/${file}`, readFileSync(join(folder, file), 'utf8')])),
        });
        const secrets = {
          'app-secrets': 'database-url',
          'db-credentials': 'url',
          'notification-secrets': 'slack-webhook-url',
        };
        for (const [name, key] of Object.entries(secrets)) await scene.createObject(secret(name, { [key]: 'x' }));
        const record = await scene.record('Job', 'Deployment');
        await scene.create();
        assert.equal((await scene.sync()).phase, 'Succeeded');
        assert.deepEqual(record.created, ['Job/db-migrate', 'Deployment/hello-world', 'Job/smoke-test']);
        await scene.untilAbsent('Job/smoke-test');

        const [failing] = read(migration);
        const template = at(failing, 'spec', 'template');
        const annotations = { 'sim.tiphys.dev/outcome': 'fail' };
        const metadata = {
          ...(isRecord(at(template, 'metadata')) ? (at(template, 'metadata') as object) : {}),
          annotations,
        };
        const spec = {
          ...(failing?.['spec'] as object),
          backoffLimit: 0,
          template: { ...(template as object), metadata },
        };
        const revision = await scene.repository.commit({
          [`app/${migration}`]: { ...failing, spec },
          'app/more.yaml': service('more'),
        });
        await scene.until('sees the commit', (view) => view.revision === revision);
        const failed = await scene.sync();
        assert.equal(failed.phase, 'Failed');
        assert.match(saysOf(failed), /db-migrate/);
        assert.equal(await scene.get('Service/more'), undefined);
        assert.ok(record.created.includes('Job/notify-sync-failure'));
      });
    }

    test('SYNC-07 sync-phases-hook-and-waves.yaml, completed: the hook, then the ConfigMap, then the Deployment', async (t) => {
      const [migrate, settings, page] = read('sync-phases-hook-and-waves.yaml');
      const template = at(migrate, 'spec', 'template', 'spec') as object; // as the fixture has it
      const labels = { app: 'my-app' };
      const completed = [
        { ...migrate, spec: { template: { spec: { ...template, restartPolicy: 'Never' } } } },
        {
          ...page,
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x' }] } },
          },
        },
        { ...settings, data: { key: 'value' } },
      ];
      const scene = await world.scene(t, { 'app/a.yaml': completed });
      const record = await scene.record('Job', 'ConfigMap', 'Deployment');
      await scene.createAutomated();
      await scene.untilSettled();
      const created = record.created.filter((id) => !id.includes('kube-root-ca'));
      assert.deepEqual(created, ['Job/db-migrate', 'ConfigMap/app-config', 'Deployment/my-app']);
      await scene.untilAbsent('Job/db-migrate');
    });
  });
}
