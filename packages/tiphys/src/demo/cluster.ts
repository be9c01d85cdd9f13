import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asObject, type Clock, isCoded, type KubeObject, type Logger, parseYamlDocuments } from '@tiphys/api';
import { connect, defaultClientSettings, type KubeClient, loadKubeconfig } from '@tiphys/kube';
import { type KubeSim, startKubeSim } from '@tiphys/kube-sim';

/** The demo's cluster and the way to it. */
export type DemoCluster = Readonly<{ sim: KubeSim; client: KubeClient; kubeconfigPath: string }>;

const fieldManager = 'tiphys-demo';

/** The client that talks to a cluster which is ours alone: nobody else has to be spared. */
export function connectTo(kubeconfig: string, ports: Readonly<{ clock: Clock; log: Logger }>): KubeClient {
  const config = loadKubeconfig(kubeconfig, { baseDir: '/' });
  return connect(config, { ...defaultClientSettings, qps: 1000, burst: 2000 }, ports);
}

/** Applies objects in order; what is there already is brought up to date. */
export async function applyAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await client.apply(object, { fieldManager, force: true });
}

/** The product's definitions, from `install/crds`. */
export async function readDefinitions(installDir: string): Promise<KubeObject[]> {
  const folder = join(installDir, 'crds');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text, index) =>
    parseYamlDocuments(text, names[index]).map((document) => asObject(document, names[index])),
  );
}

/** Waits until the definitions are served. */
async function established(client: KubeClient, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await client.resourceFor({ group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }, { signal });
      return;
    } catch (error) {
      if (!isCoded(error, 'kube/kind-not-found')) throw error;
      await clock.sleep(50, signal);
    }
  }
}

export type DemoClusterOptions = Readonly<{
  directory: string;
  installDir: string;
  namespace: string;
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
}>;

/** Starts the embedded cluster with its state in the demo's folder, and puts the product's definitions into it. */
export async function startDemoCluster(options: DemoClusterOptions): Promise<DemoCluster> {
  const { directory, namespace, log, clock, signal } = options;
  await mkdir(directory, { recursive: true });
  const sim = await startKubeSim({ stateFile: join(directory, 'cluster.sqlite'), log });
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, sim.kubeconfig(), { mode: 0o600 });
  const client = connectTo(sim.kubeconfig(), { clock, log });
  await applyAll(client, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...(await readDefinitions(options.installDir)),
  ]);
  await established(client, clock, signal);
  return { sim, client, kubeconfigPath };
}
