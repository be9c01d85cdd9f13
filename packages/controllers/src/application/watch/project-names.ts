import { type CachePorts, openFilledCache } from './filled-cache.ts';

/** Which AppProjects there are. */
export interface ProjectNames extends AsyncDisposable {
  /** `default` is always there: installations create it, and one that lost it must not lose its applications too. */
  has(name: string): boolean;
  onChange(listener: () => void): void;
}

const appProject = { group: 'argoproj.io', version: 'v1alpha1', kind: 'AppProject' } as const;

/** Follows the AppProjects of the control plane's namespace. */
export async function watchProjects(ports: CachePorts, namespace: string, signal: AbortSignal): Promise<ProjectNames> {
  const resource = await ports.client.resourceFor(appProject, { signal });
  const cache = await openFilledCache(ports, { resource, namespace, project: () => true }, signal);
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
