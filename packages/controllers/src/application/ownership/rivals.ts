import { type Clock, type Logger, within } from '@tiphys/api';
import { type KubeClient, openCache } from '@tiphys/kube';
import { controllerSelector, type Rival, rivalIn, workloadResources } from './installation-guard.ts';

/** Application-controllers of another installation, as they come and go while we run. */
export interface Rivals extends AsyncDisposable {
  running(): readonly Rival[];
  /** One came, or went. */
  onChange(listener: () => void): void;
}

/** Follows the workloads of application-controllers in the cluster of the control plane. */
export async function watchRivals(
  ports: Readonly<{ client: KubeClient; clock: Clock; log: Logger }>,
  signal: AbortSignal,
): Promise<Rivals> {
  await using undo = new AsyncDisposableStack();
  const listeners: (() => void)[] = [];
  const seen = new Map<string, Rival>();
  for (const resource of await workloadResources(ports.client, signal)) {
    const cache = openCache(
      ports.client,
      {
        resource,
        labelSelector: controllerSelector,
        project: (workload) => rivalIn(resource.kind, workload) ?? 'not a rival',
      },
      ports,
    );
    undo.defer(() => cache.stop());
    cache.onChange((change) => {
      const id = `${resource.kind} ${change.key.namespace}/${change.key.name}`;
      const now = change.kind === 'deleted' || change.after === 'not a rival' ? undefined : change.after;
      if ((now === undefined) === !seen.has(id)) return;
      if (now === undefined) seen.delete(id);
      else seen.set(id, now);
      for (const listener of listeners) listener();
    });
    await within(cache.synced, signal);
  }
  const opened = undo.move();
  return {
    running: () => [...seen.values()],
    onChange: (listener) => {
      listeners.push(listener);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
