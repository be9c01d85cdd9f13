import { numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';
import { isObserved } from './observed.ts';

/** apps/DaemonSet: every node has an updated and available pod (contract 5.2). */
export function assessDaemonSet(live: KubeObject): Health {
  if (!isObserved(live)) return verdict('Progressing', 'Waiting for rollout: the new spec has not been observed yet');
  const updated = numberAt(live, 'status', 'updatedNumberScheduled') ?? 0;
  if (stringAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return verdict('Healthy', `${updated} updated pods; updates wait for pods to be deleted`);
  const wanted = numberAt(live, 'status', 'desiredNumberScheduled') ?? 0;
  const available = numberAt(live, 'status', 'numberAvailable') ?? 0;
  if (updated < wanted) return verdict('Progressing', `Waiting for rollout: ${updated} of ${wanted} pods updated`);
  if (available < wanted)
    return verdict('Progressing', `Waiting for rollout: ${available} of ${wanted} pods available`);
  return verdict('Healthy');
}
