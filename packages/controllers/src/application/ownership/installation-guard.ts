import { type KubeObject, listAt, numberAt, stringAt } from '@tiphys/api';
import type { ApiResource, KubeClient } from '@tiphys/kube';

/** Name of the Lease that the controller holds; its presence tells that we have run in this namespace before. */
export const controllerLease = 'tiphys-application-controller';

/** Annotation on the pod template of our own workloads, which carry Argo CD's documented names and labels. */
export const ownWorkload = 'tiphys.dev/workload';

/** An Argo CD application-controller that is not ours. */
export type Rival = Readonly<{ kind: 'controller-running'; object: string; replicas: number }>;

/** What speaks against writing to this cluster. */
export type Obstacle = Readonly<Rival | { kind: 'foreign-marks'; applications: readonly string[]; total: number }>;

/** How the workloads of application-controllers are found. */
export const controllerSelector = 'app.kubernetes.io/name=argocd-application-controller';
const named = 5;

/** The kinds of workload that an application-controller may be. */
export const workloadResources = (client: KubeClient, signal: AbortSignal): Promise<readonly ApiResource[]> =>
  Promise.all(
    ['StatefulSet', 'Deployment'].map((kind) => client.resourceFor({ group: 'apps', version: 'v1', kind }, { signal })),
  );

/** Whether a workload runs an application-controller that is not ours; one that is scaled to 0, and gone, does not. */
export function rivalIn(kind: string, workload: KubeObject): Rival | undefined {
  const replicas = Math.max(numberAt(workload, 'spec', 'replicas') ?? 1, numberAt(workload, 'status', 'replicas') ?? 0);
  const isOurs = stringAt(workload, 'spec', 'template', 'metadata', 'annotations', ownWorkload) !== undefined;
  if (replicas === 0 || isOurs) return undefined;
  const { namespace = '', name = '' } = workload.metadata;
  return { kind: 'controller-running', object: `${kind} ${namespace}/${name}`, replicas };
}

async function runningControllers(client: KubeClient, signal: AbortSignal): Promise<Rival[]> {
  const found: Rival[] = [];
  for (const resource of await workloadResources(client, signal)) {
    const { items } = await client.list(resource, { labelSelector: controllerSelector, signal });
    for (const item of items) {
      const rival = rivalIn(resource.kind, item);
      if (rival !== undefined) found.push(rival);
    }
  }
  return found;
}

const hasHistory = (application: KubeObject): boolean =>
  stringAt(application, 'status', 'reconciledAt') !== undefined || listAt(application, 'status', 'history').length > 0;

/**
 * Looks for another installation: its application-controller in any namespace, or Applications that somebody else has worked on
 * (they have a status, and we have never held the Lease here).
 */
export async function findObstacles(
  client: KubeClient,
  { namespace, applications }: Readonly<{ namespace: string; applications: readonly KubeObject[] }>,
  signal: AbortSignal,
): Promise<readonly Obstacle[]> {
  const running = await runningControllers(client, signal);
  const lease = await client.get(
    { gvk: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }, namespace, name: controllerLease },
    { signal },
  );
  const marked = lease === undefined ? applications.filter(hasHistory).map(({ metadata }) => metadata.name ?? '') : [];
  if (marked.length === 0) return running;
  return [...running, { kind: 'foreign-marks', applications: marked.slice(0, named), total: marked.length }];
}

/** One obstacle in words, with the way out. */
export function describeObstacle(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'controller-running':
      return `${obstacle.object} (${obstacle.replicas} replicas) is an Argo CD application-controller and would fight for the same objects; scale it to 0, then start with --take-over`;
    case 'foreign-marks': {
      const more =
        obstacle.total > obstacle.applications.length
          ? ` and ${obstacle.total - obstacle.applications.length} more`
          : '';
      return `another installation has worked on ${obstacle.total} Application(s) (${obstacle.applications.join(', ')}${more}); when it no longer runs, start with --take-over`;
    }
  }
}

/** Whether the controller may write: always refused while another one runs; marks alone give way to `takeOver`. */
export const mayWrite = (obstacles: readonly Obstacle[], takeOver: boolean): boolean =>
  obstacles.every(({ kind }) => kind === 'foreign-marks' && takeOver);
