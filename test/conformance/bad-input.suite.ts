import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canonicalJson } from '@tiphys/api';
import { saysOf, toldOf } from './harness/application.ts';
import { configMap, job, manifest, service } from './harness/manifests.ts';
import type { Files } from './harness/repository.ts';
import type { Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

/** In the controller's environment and in a file outside every repository; nothing may ever show it. */
export const canary = 'canary-that-must-not-sing-4711';
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** A chart whose objects are those of `good`. */
const chart: Files = {
  'app/Chart.yaml': { apiVersion: 'v2', name: 'app', version: '1.0.0' },
  'app/values.yaml': { key: 'one' },
  'app/templates/a.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: {{ .Values.key | quote }}}\n',
  'app/templates/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
};
const overlay: Files = { 'app/kustomization.yaml': { resources: ['a.yaml', 'b.yaml'] } };
const good: Files = { 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('b') };

type Break = Readonly<{
  title: string;
  start?: Files;
  /** What is committed, or merged into the spec, to break it. */
  commit?: Files;
  spec?: object;
  error: RegExp;
}>;

/** Each is done to an application that is Synced, prunes and heals by itself. */
const breaks: readonly Break[] = [
  { title: 'broken YAML', commit: { 'app/b.yaml': 'kind: {ConfigMap\n' }, error: /b\.yaml/ },
  {
    title: 'a document that is no object',
    commit: { 'app/b.yaml': 'kind: ConfigMap\nmetadata: {name: b}\n' },
    error: /b\.yaml|apiVersion/,
  },
  { title: 'an object without a name', commit: { 'app/b.yaml': 'apiVersion: v1\nkind: ConfigMap\n' }, error: /name/ },
  { title: 'a broken chart', start: chart, commit: { 'app/templates/b.yaml': '{{ if }}\n' }, error: /b\.yaml/ },
  {
    title: 'values that are not a map',
    start: chart,
    commit: { 'app/values.yaml': '- one\n- two\n' },
    error: /values/,
  },
  {
    title: 'inline values that are not a map',
    start: chart,
    spec: { source: { helm: { values: '- one\n' } } },
    error: /values.*(map|mapping|object)/i,
  },
  {
    title: 'a broken overlay',
    start: { ...good, ...overlay },
    commit: { 'app/kustomization.yaml': 'resources: [missing.yaml]\n' },
    error: /missing\.yaml/,
  },
  { title: 'an unknown revision', spec: { source: { targetRevision: 'no-such-branch' } }, error: /no-such-branch/ },
  { title: 'an unknown path', spec: { source: { path: 'no/such/path' } }, error: /no\/such\/path/ },
  { title: 'a path that leaves the repository', spec: { source: { path: '../../..' } }, error: /\.\.\/\.\./ },
  {
    title: 'a repository that is nowhere',
    spec: { source: { repoURL: 'file:///no/such/repository' } },
    error: /no\/such\/repository/,
  },
  {
    title: 'a repository that does not answer',
    spec: { source: { repoURL: 'https://127.0.0.1:1/x.git' } },
    error: /127\.0\.0\.1:1/,
  },
  {
    title: 'a cluster that nobody registered',
    spec: { destination: { server: 'https://nowhere.example.com' } },
    error: /nowhere\.example\.com/,
  },
];

/** Hostile sources, one per way that a tool could reach out of its folder. */
const hostile: Readonly<Record<string, (file: string) => Files>> = {
  'kustomize: a generator reads a file outside': (file) => ({
    'app/kustomization.yaml': {
      configMapGenerator: [{ name: 'loot', files: [`../../../../../../../..${file}`, file, tokenPath] }],
    },
  }),
  "kustomize: a generator takes the environment's variables": () => ({
    'app/kustomization.yaml': { configMapGenerator: [{ name: 'loot', envs: ['x.env'] }] },
    'app/x.env': 'TIPHYS_CANARY\nKUBECONFIG\n',
  }),
  'kustomize: a resource outside': (file) => ({
    'app/kustomization.yaml': { resources: [`../../../../../../../..${file}`] },
  }),
  'helm: a template reads files outside and the environment': (file) => ({
    ...chart,
    'app/templates/loot.yaml': [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata: {name: loot}',
      'data:',
      `  a: {{ .Files.Get ${JSON.stringify(file)} | quote }}`,
      `  b: {{ .Files.Get ${JSON.stringify(`../../../../../../../..${file}`)} | quote }}`,
      `  c: {{ .Files.Get ${JSON.stringify(tokenPath)} | quote }}`,
      '',
    ].join('\n'),
  }),
  'helm: a template asks for the environment': () => ({
    ...chart,
    'app/templates/loot.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: loot}\ndata: {a: {{ env "TIPHYS_CANARY" }}, b: {{ expandenv "$TIPHYS_CANARY" }}}\n',
  }),
  'helm: a subchart outside': (file) => ({
    ...chart,
    'app/Chart.yaml': {
      apiVersion: 'v2',
      name: 'app',
      version: '1.0.0',
      dependencies: [{ name: 'loot', version: '1.0.0', repository: `file://../../../../../../../..${file}` }],
    },
  }),
};

/** Every text that the product has written anywhere about a scene. */
async function everythingShown(world: World, scene: Scene): Promise<string> {
  const { kubectl } = world.cluster;
  const view = await scene.find();
  const parts = [
    view === undefined ? '' : canonicalJson(view.object),
    await kubectl(['get', 'events', '-A', '-o', 'json']),
    await kubectl(['get', 'configmaps,secrets', '-n', scene.namespace, '-o', 'json']),
    world.controller.tail('', Infinity),
  ];
  return parts.join('\n');
}

/** Bad input: a clear error, and nothing lost. */
export function badInputSuite(world: World): void {
  describe('bad input', { concurrency: 4 }, () => {
    for (const { title, start = good, commit, spec, error } of breaks) {
      test(`REC-15 ${title}: says so, loses nothing, and recovers`, async (t) => {
        const scene = await world.scene(t, start);
        await scene.createAutomated({ automated: { prune: true, selfHeal: true }, cascade: true });
        await scene.untilSettled();
        const { metadata } = await scene.live('ConfigMap/b');

        if (commit !== undefined) await scene.repository.commit(commit);
        if (spec !== undefined) await scene.patchApplication({ spec });

        const view = await scene.until(`an error ${String(error)}`, ({ conditions }) =>
          conditions.some(({ type, message }) => type.endsWith('Error') && error.test(message)),
        );
        assert.equal(view.sync, 'Unknown');
        await scene.stays('the objects', () => true, { timeoutMs: 1000 });
        await scene.live('ConfigMap/a');
        assert.equal((await scene.live('ConfigMap/b')).metadata.uid, metadata.uid);

        if (commit !== undefined) await scene.repository.commit(start);
        if (spec !== undefined) {
          const { source, destination } = scene.application()['spec'] as { source: object; destination: object };
          await scene.patchApplication({ spec: { source: { ...source, helm: null }, destination } });
        }
        const back = await scene.untilSettled();
        assert.deepEqual(
          back.conditions.filter(({ type }) => type.endsWith('Error')),
          [],
        );
        assert.equal((await scene.live('ConfigMap/b')).metadata.uid, metadata.uid);
      });
    }

    test('REC-14 a repository that hangs does not hold up the others', async (t) => {
      const scene = await world.scene(t, good);
      await using silent = await listenSilently();
      await scene.create({
        name: `${scene.name}-hanging`,
        source: { repoURL: `http://127.0.0.1:${silent.port}/x.git` },
      });
      await scene.createAutomated();
      await scene.untilSettled();
      const start = Date.now();
      const revision = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
      await scene.untilSettled(revision);
      assert.ok(Date.now() - start < 20_000, 'as quickly as ever');
      await scene.untilCondition('ComparisonError', /127\.0\.0\.1/, {
        name: `${scene.name}-hanging`,
        timeoutMs: 120_000,
      });
    });

    test('REC-14 a registered cluster that cannot be reached: the error names it, others go on', async (t) => {
      const scene = await world.scene(t, good);
      const server = 'https://127.0.0.1:2';
      const labels = { 'argocd.argoproj.io/secret-type': 'cluster' };
      const registration = manifest('v1 Secret', `${scene.name}-cluster`, {
        namespace: world.namespace,
        labels,
        body: {
          stringData: { name: 'away', server, config: '{"bearerToken":"x","tlsClientConfig":{"insecure":true}}' },
        },
      });
      await world.cluster.client.create(registration);
      t.after(() => scene.delete(`Secret/${scene.name}-cluster`, world.namespace));
      const away = `${scene.name}-away`;
      await scene.create({ name: away, spec: { destination: { server, namespace: 'x' } } });
      await scene.createAutomated();
      await scene.untilSettled();
      const view = await scene.until(
        'an error that names it',
        ({ conditions }) => conditions.some(({ message }) => message.includes('127.0.0.1:2')),
        { name: away },
      );
      assert.equal(view.sync, 'Unknown');
    });

    const refusals: readonly Readonly<{ title: string; object: object; error: RegExp }>[] = [
      {
        title: 'an object that the API server refuses',
        object: service('refused', {}, { ports: [{ port: 70_000 }] }),
        error: /one or more objects failed to apply, reason: .*refused[\s\S]*(70000|1 and 65535|1-65535)/,
      },
      { title: 'a kind that is nowhere', object: manifest('nowhere.example.com/v1 Gadget', 'x'), error: /Gadget/ },
      {
        title: 'a namespace that is missing',
        object: configMap('x', {}, { namespace: 'no-such-namespace-here' }),
        error: /no-such-namespace-here/,
      },
      { title: 'a hook that fails', object: job('hook', { hook: 'PreSync', outcome: 'fail' }), error: /hook/ },
    ];
    for (const { title, object, error } of refusals) {
      test(`SYNC-06 SYNC-45 ${title}: the operation fails saying so, and nothing is lost`, async (t) => {
        const scene = await world.scene(t, good);
        await scene.create();
        await scene.sync();
        const revision = await scene.repository.commit({ 'app/c.yaml': object });
        await scene.until('sees the commit', (view) => view.revision === revision);
        const view = await scene.sync({ prune: true });
        assert.equal(view.phase, 'Failed');
        assert.match(saysOf(view), error);
        for (const id of ['ConfigMap/a', 'ConfigMap/b']) await scene.live(id);
        const repaired = await scene.repository.remove('app/c.yaml');
        await scene.until('Synced again', (seen) => seen.sync === 'Synced' && seen.revision === repaired);
        assert.equal((await scene.sync()).phase, 'Succeeded');
      });
    }

    test('SYNC-06 a hook that never ends can be terminated, and the next sync works', async (t) => {
      const scene = await world.scene(t, {
        ...good,
        'app/hook.yaml': job('endless', { hook: 'PreSync', outcome: 'never-ready' }),
      });
      await scene.create();
      await scene.until('compared', (view) => view.sync !== '');
      await scene.request();
      await scene.until('waits for the hook', (view) => view.phase === 'Running' && toldOf(view).includes('endless'));
      await scene.patchApplication({ status: { operationState: { phase: 'Terminating' } } });
      await scene.until('Failed', (view) => view.phase === 'Failed');
      const revision = await scene.repository.remove('app/hook.yaml');
      await scene.until('sees the commit', (view) => view.revision === revision);
      assert.equal((await scene.sync()).phase, 'Succeeded');
    });

    for (const [title, filesFor] of Object.entries(hostile)) {
      test(`REPO-20 hostile ${title}: the canary appears nowhere`, async (t) => {
        const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-canary-'));
        t.after(() => rm(directory, { recursive: true, force: true }));
        const file = join(directory, 'canary');
        await writeFile(file, canary, { mode: 0o644 });
        const scene = await world.scene(t, filesFor(file));
        await scene.createAutomated();
        // Refused, or rendered without: both are fine, silence is not.
        await scene.until(
          'an outcome',
          (view) => view.phase === 'Succeeded' || view.conditions.some(({ type }) => type === 'ComparisonError'),
        );
        assert.ok(!(await everythingShown(world, scene)).includes(canary));
      });
    }

    const links = ['app/a.yaml', 'app/kustomization.yaml', 'app/values.yaml', 'app/templates/loot.yaml'];
    for (const link of links) {
      test(`REPO-20 hostile link ${link}: refused, and the canary appears nowhere`, async (t) => {
        const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-canary-'));
        t.after(() => rm(directory, { recursive: true, force: true }));
        const file = join(directory, 'canary');
        await writeFile(file, `loot: ${canary}\n`, { mode: 0o644 });
        const all = /values|templates/.test(link) ? chart : { 'app/z.yaml': configMap('z') };
        const others = Object.fromEntries(Object.entries(all).filter(([path]) => path !== link));
        const scene = await world.scene(t, others);
        await scene.repository.link(file, link);
        await scene.createAutomated();
        await scene.untilCondition('ComparisonError');
        assert.ok(!(await everythingShown(world, scene)).includes(canary));
      });
    }
  });

  describe('bad input, one at a time', () => {
    test('DIFF-03 SYNC-28 the last object of a kind leaves Git while the controller is down and the status is wiped: pruned, and only ours', async (t) => {
      const files = { 'app/a.yaml': configMap('a'), 'app/s.yaml': service('only') };
      const scene = await world.scene(t, files);
      const manual = `${scene.name}-manual`;
      await scene.createObject(service('foreign'));
      await scene.createAutomated({ automated: { prune: true } });
      await scene.create({ name: manual, source: { path: 'manual' } });
      await scene.repository.commit({ 'manual/b.yaml': configMap('b'), 'manual/s.yaml': service('manual-only') });
      await scene.untilSettled();
      await scene.until('compared', (view) => view.sync === 'OutOfSync', { name: manual });
      await scene.sync({}, { name: manual });

      await world.controller.stop();
      await scene.repository.commit({}, ['app/s.yaml', 'manual/s.yaml']);
      for (const name of [scene.name, manual]) await scene.patchApplication({ status: null }, name);
      world.controller.start();

      await scene.untilAbsent('Service/only');
      await scene.until(
        'OutOfSync',
        (view) =>
          view.sync === 'OutOfSync' && view.resources.some((r) => r.id === 'Service/manual-only' && r.requiresPruning),
        { name: manual },
      );
      await scene.live('Service/manual-only');
      await scene.live('Service/foreign');
      await scene.until('Synced', (view) => view.sync === 'Synced');
    });
  });
}

/** A server that accepts connections and never says a word. */
async function listenSilently(): Promise<AsyncDisposable & { port: number }> {
  const { createServer } = await import('node:net');
  const sockets = new Set<{ destroy: () => void }>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
