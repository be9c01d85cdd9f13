import { type KubeObject, listAt, numberAt, stringAt } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

/** Name of the Lease that the controller holds; its presence tells that we have run in this namespace before. */
export const controllerLease = 'tiphys-application-controller';

/** Annotation on the pod template of our own workloads, which carry Argo CD's documented names and labels. */
export const ownWorkload = 'tiphys.dev/workload';

/** What speaks against writing to this cluster. */
export type Obstacle = Readonly<
  | { kind: 'controller-running'; object: string; replicas: number }
  | { kind: 'foreign-marks'; applications: readonly string[]; total: number }
>;

const controllerSelector = 'app.kubernetes.io/name=argocd-application-controller';
const named = 5;

async function runningControllers(client: KubeClient, signal: AbortSignal): Promise<Obstacle[]> {
  const found: Obstacle[] = [];
  for (const kind of ['StatefulSet', 'Deployment']) {
    const resource = await client.resourceFor({ group: 'apps', version: 'v1', kind }, { signal });
    const { items } = await client.list(resource, { labelSelector: controllerSelector, signal });
    for (const item of items) {
      const replicas = Math.max(numberAt(item, 'spec', 'replicas') ?? 1, numberAt(item, 'status', 'replicas') ?? 0);
      const ours = stringAt(item, 'spec', 'template', 'metadata', 'annotations', ownWorkload) !== undefined;
      if (replicas === 0 || ours) continue;
      found.push({
        kind: 'controller-running',
        object: `${kind} ${item.metadata.namespace ?? ''}/${item.metadata.name ?? ''}`,
        replicas,
      });
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
