/** The cluster that a bench works on: the real control plane, or with `--embedded` the embedded cluster; each in its own processes. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asObject, type KubeObject, parseYamlDocuments, silentLogger, systemClock } from '@tiphys/api';
import { connect, loadKubeconfig, type KubeClient } from '@tiphys/kube';
import { startControlPlane } from '../test/control-plane/start.ts';
import { hasFlag } from './flags.ts';
import { startMeasured } from './measure.ts';

/** Calls that the API server has answered, by `VERB resource`. */
export type Requests = ReadonlyMap<string, number>;

export type BenchCluster = AsyncDisposable &
  Readonly<{
    kind: 'real' | 'embedded';
    kubeconfigPath: string;
    /** The bench's own client; held back by no limit. */
    client: KubeClient;
    /** Undefined where the cluster does not count them (the embedded one). */
    requests: () => Promise<Requests | undefined>;
  }>;

type Access = Readonly<{ kind: BenchCluster['kind']; kubeconfig: string; stop: () => Promise<void> }>;

const start: Readonly<Record<BenchCluster['kind'], () => Promise<Access>>> = {
  real: async () => {
    const controlPlane = await startControlPlane();
    const kubeconfig = await readFile(controlPlane.kubeconfigPath, 'utf8');
    return { kind: 'real', kubeconfig, stop: () => controlPlane.stop() };
  },
  embedded: async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = await startMeasured(process.execPath, [join(import.meta.dirname, 'embedded-cluster.ts')], {
      onLine: (line) => {
        if (line.startsWith('{')) resolve((JSON.parse(line) as { kubeconfig: string }).kubeconfig);
      },
    });
    void child.ended.then((code) => reject(new Error(`the embedded cluster ended with ${code}`)));
    return { kind: 'embedded', kubeconfig: await promise, stop: () => child.stop() };
  },
};

/** Starts the cluster and installs our definitions. @throws ControlPlaneError `no-go` where the real one cannot be built */
export async function startCluster(): Promise<BenchCluster> {
  const { kind, kubeconfig, stop } = await start[hasFlag('embedded') ? 'embedded' : 'real']();
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-bench-cluster-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
  const settings = { qps: 100_000, burst: 100_000, maxInFlight: 16, userAgent: 'tiphys-bench' };
  const client = connect(loadKubeconfig(kubeconfig, { baseDir: directory }), settings, {
    log: silentLogger,
    clock: systemClock,
  });
  const dispose = async (): Promise<void> => {
    await client.close();
    await stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await installDefinitions(client);
  } catch (error) {
    await dispose();
    throw error;
  }
  const requests = async (): Promise<Requests | undefined> => (kind === 'real' ? readRequests(client) : undefined);
  return { kind, kubeconfigPath, client, requests, [Symbol.asyncDispose]: dispose };
}

async function installDefinitions(client: KubeClient): Promise<void> {
  const folder = join(import.meta.dirname, '..', 'install', 'crds');
  for (const file of await readdir(folder))
    for (const document of parseYamlDocuments(await readFile(join(folder, file), 'utf8'), file))
      await client.apply(asObject(document), { fieldManager: 'tiphys-bench' });
  const kinds = ['Application', 'ApplicationSet', 'AppProject'];
  const deadline = Date.now() + 30_000;
  for (;;) {
    const discovery = await client.discovery({ fresh: true });
    const isServed = (kind: string): boolean =>
      discovery.find({ group: 'argoproj.io', version: 'v1alpha1', kind }) !== undefined;
    if (kinds.every(isServed)) return;
    if (Date.now() > deadline) throw new Error('our definitions are not served after 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Creates objects, several at once; one that is there already stays as it is. */
export async function createAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  const waiting = objects.values();
  const worker = async (): Promise<void> => {
    for (const object of waiting) await client.apply(object, { fieldManager: 'kubectl' });
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

export const namespaceObject = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

/** `apiserver_request_total` of the API server's own metrics. */
async function readRequests(client: KubeClient): Promise<Requests> {
  const { body } = await client.request({ method: 'GET', path: '/metrics' });
  const counts = new Map<string, number>();
  for (const line of body.toString().split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const key = `${label('verb')} ${label('resource')}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  return counts;
}

/** What was asked between two readings of the counters, the most frequent first; kinds that only Kubernetes' own parts work on are left out. */
export function requestsBetween(before: Requests, after: Requests): readonly (readonly [string, number])[] {
  const ours =
    /^(?:APPLY|PATCH|POST|PUT|DELETE|GET|LIST|WATCH) (?:applications|configmaps|secrets|services|deployments|namespaces|events|appprojects|customresourcedefinitions)$/;
  return [...after]
    .map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const)
    .filter(([key, count]) => count > 0 && ours.test(key))
    .sort(([, a], [, b]) => b - a);
}
