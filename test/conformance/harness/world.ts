import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import type { KubeObject } from '@tiphys/api';
import { ClusterAbsent, openCluster, type ClusterKind, type TestCluster } from './clusters.ts';
import { ControllerProcess } from './controller.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Repository, type Files } from './repository.ts';
import { Scene } from './scene.ts';

export type WorldOptions = Readonly<{
  /** Short; begins every name that the suite makes, so that suites can share a cluster. */
  prefix: string;
  cluster: ClusterKind;
  /** The control plane's namespace; one of the suite's own by default. */
  namespace?: string;
  waveDelaySeconds?: number;
  /** More variables of the controller's environment. */
  environment?: Readonly<Record<string, string>>;
}>;

/** One cluster and one controller, shared by the tests of a file. */
export class World implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly controller: ControllerProcess;
  /** The control plane's namespace. */
  readonly namespace: string;
  /** Every value of `status.sync.status` and `status.health.status` that any test has seen. */
  readonly seen = { sync: new Set<string>(), health: new Set<string>() };
  readonly #directory: string;
  readonly #prefix: string;
  #count = 0;

  private constructor(cluster: TestCluster, directory: string, options: WorldOptions) {
    this.cluster = cluster;
    this.#directory = directory;
    this.#prefix = `${options.prefix}-${process.pid.toString(36)}`;
    this.namespace = options.namespace ?? `tiphys-${this.#prefix}`;
    const { waveDelaySeconds = 0, environment = {} } = options;
    this.controller = new ControllerProcess(cluster, {
      namespace: this.namespace,
      dataDir: directory,
      waveDelaySeconds,
      environment,
    });
  }

  /** @throws ClusterAbsent where the cluster cannot be had on this machine */
  static async open(options: WorldOptions): Promise<World> {
    const cluster = await openCluster(options.cluster);
    const world = new World(cluster, await mkdtemp(join(tmpdir(), 'tiphys-conformance-data-')), options);
    await world.#waitForPlace();
    for (const object of world.#installation()) await cluster.client.apply(object, { fieldManager: 'conformance' });
    world.controller.start();
    return world;
  }

  /** A namespace that somebody uses is not ours to test in; one that is going is waited for. */
  async #waitForPlace(): Promise<void> {
    for (let wait = 0; ; wait += 1) {
      const gvk = { group: '', version: 'v1', kind: 'Namespace' };
      const found = await this.cluster.client.get({ gvk, name: this.namespace });
      if (found === undefined) return;
      if (found.metadata.deletionTimestamp === undefined || wait > 60) {
        await this.cluster[Symbol.asyncDispose]();
        throw new ClusterAbsent(`the namespace ${this.namespace} of this cluster is in use`);
      }
      await sleep(1000);
    }
  }

  /** What an installation consists of besides its definitions: the namespace and the project that permits everything. */
  #installation(): KubeObject[] {
    const project = { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] };
    return [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } },
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'default', namespace: this.namespace },
        spec: { ...project, clusterResourceWhitelist: [{ group: '*', kind: '*' }] },
      },
    ];
  }

  /** A repository, a namespace and names of a test's own; all of it goes when the test ends. */
  async scene(t: TestContext, files: Files = {}): Promise<Scene> {
    this.#count += 1;
    const scene = new Scene(this, `${this.#prefix}-${this.#count}`, await Repository.open(files));
    t.after(() => scene.end());
    await scene.createNamespace(scene.namespace);
    return scene;
  }

  /** Sets keys of `argocd-cmd-params-cm` for one test; the controller follows. */
  setParameters(t: TestContext, data: Readonly<Record<string, string>>): Promise<void> {
    return this.setConfigMap(t, 'argocd-cmd-params-cm', data);
  }

  /** Has a ConfigMap of the installation hold this for one test; the controller follows. */
  async setConfigMap(t: TestContext, name: string, data: Readonly<Record<string, string>>): Promise<void> {
    const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
    const metadata = { name, namespace: this.namespace };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...data } };
    await this.cluster.client.apply(object, { fieldManager: 'conformance', force: true });
    t.after(() => this.cluster.client.delete({ gvk, ...metadata }).catch(() => undefined));
  }

  /** Registers a repository as a Secret for one test; again with other settings replaces it. */
  async register(t: TestContext, name: string, repository: Readonly<Record<string, string>>): Promise<void> {
    const gvk = { group: '', version: 'v1', kind: 'Secret' };
    const metadata = { name, namespace: this.namespace };
    const labels = { 'argocd.argoproj.io/secret-type': 'repository' };
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, labels },
      data: Object.fromEntries(Object.entries(repository).map(([key, value]) => [key, btoa(value)])),
    };
    await this.cluster.client.apply(object, { fieldManager: 'conformance', force: true });
    t.after(() => this.cluster.client.delete({ gvk, ...metadata }).catch(() => undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller.stop();
    const leftovers = ['delete', 'namespace', this.namespace, '--wait=false', '--ignore-not-found'];
    if (this.cluster.kind === 'given') await this.cluster.kubectl(leftovers).catch(() => '');
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Opens a world and has the suite register its tests in it; it ends when they have. Where the cluster cannot be had,
 * one skipped test says why.
 */
export async function withWorld(options: WorldOptions, suite: (world: World) => void): Promise<void> {
  try {
    const world = await World.open(options);
    after(() => world[Symbol.asyncDispose]());
    suite(world);
  } catch (error) {
    if (!(error instanceof ClusterAbsent)) throw error;
    test(`${options.prefix} on a ${options.cluster} cluster`, { skip: error.message });
  }
}
