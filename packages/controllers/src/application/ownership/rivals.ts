import type { ObjectCache } from '@tiphys/kube';
import { type CachePorts, openFilledCache } from '../watch/filled-cache.ts';
import { controllerSelector, type Rival, rivalIn, workloadResources } from './installation-guard.ts';

/** Application-controllers of another installation, as they come and go while we run. */
export interface Rivals extends AsyncDisposable {
  running(): readonly Rival[];
  /** One came, or went. */
  onChange(listener: () => void): void;
}

type Workload = Rival | 'not a rival';

const isRival = (workload: Workload | undefined): workload is Rival =>
  workload !== undefined && workload !== 'not a rival';

/** Follows the workloads of application-controllers in the cluster of the control plane. */
export async function watchRivals(ports: CachePorts, signal: AbortSignal): Promise<Rivals> {
  await using undo = new AsyncDisposableStack();
  const caches: ObjectCache<Workload>[] = [];
  for (const resource of await workloadResources(ports.client, signal)) {
    const project = (workload: Parameters<typeof rivalIn>[1]): Workload =>
      rivalIn(resource.kind, workload) ?? 'not a rival';
    const options = { resource, labelSelector: controllerSelector, project };
    caches.push(undo.use(await openFilledCache<Workload>(ports, options, signal)));
  }
  const opened = undo.move();
  return {
    running: () => caches.flatMap((cache) => cache.list()).filter(isRival),
    onChange: (listener) => {
      for (const cache of caches)
        cache.onChange((change) => {
          const before = change.kind === 'added' ? undefined : change.before;
          const after = change.kind === 'deleted' ? undefined : change.after;
          if (isRival(before) !== isRival(after)) listener();
        });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
