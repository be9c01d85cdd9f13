import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@tiphys/api';
import { connect, loadKubeconfig, type KubeClient } from '@tiphys/kube';
import { ControlPlaneError, startControlPlane } from '../../control-plane/start.ts';
import { kubectlPath, root, run } from './tools.ts';
import { until } from './until.ts';

export type ClusterKind = 'embedded' | 'real' | 'given';

/** A cluster with the product's definitions installed. */
export type TestCluster = AsyncDisposable &
  Readonly<{
    kind: ClusterKind;
    kubeconfigPath: string;
    client: KubeClient;
    /** The real kubectl on this cluster; returns its standard output. */
    kubectl: (args: readonly string[], input?: string) => Promise<string>;
  }>;

/** Why the suite cannot run here; told as a visible skip. */
export class ClusterAbsent extends Error {}

/** `npm run test:cluster` gives a kubeconfig; otherwise the embedded cluster is under test. */
export const clusterUnderTest = (): ClusterKind => {
  if ((process.env['TIPHYS_TEST_KUBECONFIG'] ?? '') !== '') return 'given';
  return process.env['TIPHYS_TEST_CLUSTER'] === 'real' ? 'real' : 'embedded';
};

type Access = Readonly<{ kubeconfig: string; stop: () => Promise<void> }>;

const accessTo: Readonly<Record<ClusterKind, () => Promise<Access>>> = {
  embedded: async () => {
    // Loaded only here: the real cluster is for when this one is not to be trusted.
    const { startKubeSim } = await import('@tiphys/kube-sim');
    const sim = await startKubeSim();
    return { kubeconfig: sim.kubeconfig(), stop: () => sim.stop() };
  },
  real: async () => {
    try {
      const controlPlane = await startControlPlane();
      return { kubeconfig: await readFile(controlPlane.kubeconfigPath, 'utf8'), stop: () => controlPlane.stop() };
    } catch (error) {
      if (error instanceof ControlPlaneError && error.code === 'no-go') throw new ClusterAbsent(error.message);
      throw error;
    }
  },
  given: async () => ({
    kubeconfig: await readFile(process.env['TIPHYS_TEST_KUBECONFIG'] ?? '', 'utf8'),
    stop: async () => {},
  }),
};

/** @throws ClusterAbsent where the cluster cannot be had on this machine */
export async function openCluster(kind: ClusterKind): Promise<TestCluster> {
  const access = await accessTo[kind]();
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-cluster-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, access.kubeconfig, { mode: 0o600 });
  const settings = { qps: 1000, burst: 2000, userAgent: 'tiphys-conformance' };
  const client = connect(loadKubeconfig(access.kubeconfig, { baseDir: directory }), settings, {
    log: silentLogger,
    clock: systemClock,
  });
  const stop = async (): Promise<void> => {
    await client.close();
    await access.stop();
    await rm(directory, { recursive: true, force: true });
  };
  // A HOME of its own: kubectl keeps a discovery cache by host and port there, and ports are used again.
  const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfigPath };
  const kubectl: TestCluster['kubectl'] = (args, input) =>
    run(kubectlPath(), args, { env, ...(input === undefined ? {} : { input }) });
  const cluster = { kind, kubeconfigPath, client, kubectl, [Symbol.asyncDispose]: stop };
  try {
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(root, 'install/crds')]);
    await untilServed(client);
  } catch (error) {
    await stop();
    throw error;
  }
  return cluster;
}

const ours = ['Application', 'AppProject', 'ApplicationSet'].map((kind) => ({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind,
}));

/** `kubectl wait` takes a definition that has no conditions yet for an error; and what counts is that the kinds are served. */
const untilServed = (client: KubeClient): Promise<true> =>
  until('the kinds of the product are served', async () => {
    const discovery = await client.discovery({ fresh: true });
    return ours.every((kind) => discovery.find(kind) !== undefined)
      ? { is: true as const }
      : { seen: 'not all of them are' };
  });
