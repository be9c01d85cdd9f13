import type { Clock, Logger } from '@tiphys/api';
import { type KubeClient, openCache } from '@tiphys/kube';

/** Which AppProjects there are. */
export interface ProjectNames extends AsyncDisposable {
  /** `default` is always there: installations create it, and one that lost it must not lose its applications too. */
  has(name: string): boolean;
  onChange(listener: () => void): void;
}

const appProject = { group: 'argoproj.io', version: 'v1alpha1', kind: 'AppProject' } as const;

/** Follows the AppProjects of the control plane's namespace. */
export async function watchProjects(
  ports: Readonly<{ client: KubeClient; clock: Clock; log: Logger }>,
  namespace: string,
  signal: AbortSignal,
): Promise<ProjectNames> {
  const resource = await ports.client.resourceFor(appProject, { signal });
  const cache = openCache(ports.client, { resource, namespace, project: () => true }, ports);
  await cache.synced;
  return {
    has: (name) => name === 'default' || cache.get({ namespace, name }) === true,
    onChange: (listener) => {
      cache.onChange((change) => {
        if (change.kind !== 'updated') listener();
      });
    },
    [Symbol.asyncDispose]: () => cache.stop(),
  };
}
