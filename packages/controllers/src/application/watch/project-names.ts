import { type Clock, type Logger, within } from '@tiphys/api';
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
  await using undo = new AsyncDisposableStack();
  const cache = openCache(ports.client, { resource, namespace, project: () => true }, ports);
  undo.defer(() => cache.stop());
  await within(cache.synced, signal);
  const opened = undo.move();
  return {
    has: (name) => name === 'default' || cache.get({ namespace, name }) === true,
    onChange: (listener) => {
      cache.onChange((change) => {
        if (change.kind !== 'updated') listener();
      });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
