import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { customResourceDefinition, type KubeObject, ownKinds, silentLogger, stringAt, systemClock } from '@tiphys/api';
import { connect, type KubeClient, loadKubeconfig } from '@tiphys/kube';
import { startKubeSim } from '@tiphys/kube-sim';
import { openApplicationStore, type StoredApplication } from './application-store.ts';
import { persist } from '../status/persist.ts';

const ports = { log: silentLogger, clock: systemClock };
const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
const place = { namespace: 'argocd', name: 'page' };

/** A relay before a server whose answers can be held back for a while: a slow link. */
async function slowLink(target: number): Promise<AsyncDisposable & { port: number; hold: (held: boolean) => void }> {
  const sockets = new Set<Socket>();
  const answers = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    answers.add(far);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    hold: (held) => {
      for (const far of answers)
        if (held) far.pause();
        else far.resume();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (let wait = 0; !holds(); wait += 1) {
    if (wait > 1000) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A store that sees the cluster through a slow link, and a client that does not. */
async function scene(
  run: (given: {
    client: KubeClient;
    store: ReturnType<typeof openApplicationStore>;
    told: string[];
    hold: (held: boolean) => void;
    stored: () => StoredApplication;
  }) => Promise<void>,
): Promise<void> {
  const sim = await startKubeSim({
    controllers: 'off',
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: place.namespace } },
      ...ownKinds.map(customResourceDefinition),
    ],
  });
  try {
    const config = loadKubeconfig(sim.kubeconfig(), { baseDir: '/' });
    await using link = await slowLink(Number(new URL(config.server).port));
    await using client = connect(config, {}, ports);
    await using behind = connect({ ...config, server: `https://127.0.0.1:${link.port}` }, {}, ports);
    const source = { repoURL: 'https://git.example.com/r.git', path: 'k8s' };
    const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };
    const spec = { project: 'default', source, destination };
    const object: KubeObject = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { ...place },
      spec,
    };
    await client.create(object);
    const told: string[] = [];
    await using store = openApplicationStore({ ...ports, client: behind }, { own: place.namespace, others: [] });
    store.onIntent((key) => told.push(key));
    await store.synced;
    const stored = (): StoredApplication => {
      const found = store.get('argocd/page');
      assert.ok(found);
      return found;
    };
    await run({ client, store, told, hold: link.hold, stored });
  } finally {
    await sim.stop();
  }
}

const statusOf = (sync: 'Synced' | 'OutOfSync') => ({
  status: { sync: { status: sync, comparedTo: { destination: {} } }, health: { status: 'Healthy' as const } },
});

test('SYNC-06 an operation that is asked for between two writes of ours is heard of, and only once', async () => {
  await scene(async ({ client, store, told, hold, stored }) => {
    const signal = AbortSignal.timeout(10_000);
    told.length = 0;
    hold(true);
    const write = (sync: 'Synced' | 'OutOfSync'): Promise<StoredApplication> =>
      persist(stored(), statusOf(sync), { client, store, signal });
    await write('OutOfSync');
    await client.patch({ gvk, ...place }, { type: 'merge', body: { operation: { sync: {} } } }, { signal });
    assert.deepEqual(told, []);

    const after = await write('Synced');

    assert.deepEqual(told, ['argocd/page']);
    hold(false);
    const newest = after.raw.metadata.resourceVersion;
    await until('the watch has caught up', () => stored().raw.metadata.resourceVersion === newest);
    await client.patch({ gvk, ...place }, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, { signal });
    await until('the next change is told', () => told.length > 1);
    assert.deepEqual(told, ['argocd/page', 'argocd/page']);
    assert.deepEqual(stored().raw['operation'], { sync: {} });
  });
});

test('a write of ours is shown at once, and its echo tells nobody', async () => {
  await scene(async ({ client, store, told, hold, stored }) => {
    const signal = AbortSignal.timeout(10_000);
    told.length = 0;
    hold(true);
    await persist(stored(), statusOf('Synced'), { client, store, signal });
    assert.equal(stringAt(stored().raw, 'status', 'sync', 'status'), 'Synced');
    hold(false);
    await client.patch({ gvk, ...place }, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, { signal });
    await until('the change of somebody else is told', () => told.length > 0);
    assert.deepEqual(told, ['argocd/page']);
    assert.equal(stored().raw.metadata.labels?.['a'], 'b');
  });
});
