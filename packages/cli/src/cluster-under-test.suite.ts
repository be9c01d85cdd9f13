import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customResourceDefinition, isCoded, type KubeObject, ownKinds, silentLogger, systemClock } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import { type CliIo, connectToCluster, runCli } from './index.ts';

/** A cluster that the command line is tested on, with namespaces of its own and the product's definitions. */
export type ClusterUnderTest = AsyncDisposable &
  Readonly<{
    /** A folder for the test's files; `kubeconfig` lies in it. */
    folder: string;
    /** Namespace of the control plane. */
    control: string;
    /** Namespace that applications go to. */
    target: string;
    client: KubeClient;
    /** Runs one command line in this process. */
    cli: (words: readonly string[], more?: Partial<CliIo> & Readonly<{ input?: string }>) => Promise<Outcome>;
  }>;

export type Outcome = Readonly<{ exit: number; out: string; err: string }>;

/** Where a cluster comes from. */
export type Access = Readonly<{ kubeconfig: string; stop: () => Promise<void> }>;

/** The embedded cluster; `workloads`: Deployments get their Pods. */
export async function embeddedCluster(workloads: 'on' | 'off' = 'off'): Promise<Access> {
  const { startKubeSim } = await import('@tiphys/kube-sim');
  const sim = await startKubeSim({ controllers: workloads });
  return { kubeconfig: sim.kubeconfig(), stop: () => sim.stop() };
}

/** The cluster that `npm run test:cluster` started; undefined outside it. */
export async function givenCluster(): Promise<Access | undefined> {
  const path = process.env['TIPHYS_TEST_KUBECONFIG'] ?? '';
  if (path === '') return undefined;
  return { kubeconfig: await readFile(path, 'utf8'), stop: () => Promise.resolve() };
}

const connectWith =
  (path: string): CliIo['connect'] =>
  (flags) =>
    connectToCluster(
      flags,
      { kubeconfigPaths: [path], execEnvironment: {}, userAgent: 'test' },
      { log: silentLogger, clock: systemClock },
    );

async function prepare(client: KubeClient, namespaces: readonly string[]): Promise<void> {
  const definitions = ownKinds.map(customResourceDefinition);
  for (const object of definitions) await client.apply(object, { fieldManager: 'test', force: true });
  const made = namespaces.map((name): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  for (const object of made) await client.create(object);
  // A definition is served a moment after it was stored.
  for (const { kind } of ownKinds)
    for (let attempt = 0; ; attempt++) {
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind };
      const served = await client.get({ gvk, namespace: namespaces[0], name: 'none' }).then(
        () => true,
        (error: unknown) => {
          if (isCoded(error, 'kube/kind-not-found', 'kube/not-found') && attempt < 100) return false;
          throw error;
        },
      );
      if (served) break;
      await systemClock.sleep(100);
    }
}

/** Prepares a cluster for one suite. */
export async function openClusterUnderTest({ kubeconfig, stop }: Access): Promise<ClusterUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-cli-'));
  const path = join(folder, 'kubeconfig');
  await writeFile(path, kubeconfig, { mode: 0o600 });
  const client = await connectWith(path)({});
  const id = Math.random().toString(36).slice(2, 8);
  const [control, target] = [`cli-control-${id}`, `cli-target-${id}`];
  await prepare(client, [control, target]);
  const cli: ClusterUnderTest['cli'] = async (words, { input = '', ...more } = {}) => {
    let out = '';
    let err = '';
    const io: CliIo = {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      stdin: (async function* () {
        await Promise.resolve();
        yield input;
      })(),
      terminal: { stdin: false, stdout: false, stderr: false },
      settings: cliSettings(control),
      clock: systemClock,
      connect: connectWith(path),
      ...more,
    };
    const exit = await runCli(words, io);
    return { exit, out, err };
  };
  const dispose = async (): Promise<void> => {
    const gvk = { group: '', version: 'v1', kind: 'Namespace' };
    for (const name of [control, target]) await client.delete({ gvk, name });
    await client.close();
    await stop();
    await rm(folder, { recursive: true });
  };
  return { folder, control, target, client, cli, [Symbol.asyncDispose]: dispose };
}

/** What the environment says in tests. */
export const cliSettings = (namespace: string): CliIo['settings'] => ({
  program: 'tiphys',
  username: 'alice',
  noColor: false,
  editor: 'true',
  options: [],
  version: { version: '0.1.0' },
  namespace,
});
