/** What most benches need: a cluster, a monorepo, the controller, and a watch on the Applications. */
import { applicationObject, type BenchApplication, Monorepo, namespaces } from './input/monorepo.ts';
import { type Applications, isDone, watchApplications } from './applications.ts';
import { type BenchCluster, createAll, namespaceObject, startCluster } from './cluster.ts';
import { type BenchController, controlNamespace, startBenchController } from './controller.ts';

export type Scene = AsyncDisposable &
  Readonly<{
    cluster: BenchCluster;
    repository: Monorepo;
    applications: Applications;
    controller: BenchController;
    /** Creates Applications; returns when the API server has them all. */
    add: (wanted: readonly BenchApplication[]) => Promise<void>;
    /** Waits until Applications are Synced and Healthy. */
    untilDone: (wanted: readonly BenchApplication[], timeoutMs: number) => Promise<void>;
  }>;

/** Starts all of it; `all` is what the repository holds, no Application exists yet. */
export async function openScene(
  all: readonly BenchApplication[],
  controllerFlags: readonly string[] = [],
): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const repository = opened.use(await Monorepo.create(all));
  const cluster = opened.use(await startCluster());
  await createAll(cluster.client, [controlNamespace, ...namespaces].map(namespaceObject));
  const applications = opened.use(await watchApplications(cluster.client, controlNamespace));
  const controller = opened.use(await startBenchController(cluster.kubeconfigPath, controllerFlags));
  const add = (wanted: readonly BenchApplication[]): Promise<void> => {
    const destination = { repoURL: repository.url, controlNamespace };
    return createAll(
      cluster.client,
      wanted.map((application) => applicationObject(application, destination)),
    );
  };
  const untilDone = (wanted: readonly BenchApplication[], timeoutMs: number): Promise<void> => {
    const names = wanted.map(({ name }) => name);
    return applications.until(names, isDone, timeoutMs);
  };
  const disposal = opened.move();
  const dispose = (): Promise<void> => disposal.disposeAsync();
  return { cluster, repository, applications, controller, add, untilDone, [Symbol.asyncDispose]: dispose };
}
