import { at, numberAt, type KubeObject } from '@tiphys/api';
import { conditionOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';
import { isObserved } from './observed.ts';

/** apps/Deployment: the rollout is complete and all wanted replicas are available (contract 5.2). */
export function assessDeployment(live: KubeObject): Health {
  if (at(live, 'spec', 'paused') === true) return verdict('Suspended', 'Deployment is paused');
  if (!isObserved(live)) return verdict('Progressing', 'Waiting for rollout: the new spec has not been observed yet');
  const progress = conditionOf(live, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return verdict(
      'Degraded',
      progress.message === '' ? 'The rollout exceeded its progress deadline' : progress.message,
    );
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1;
  const updated = numberAt(live, 'status', 'updatedReplicas') ?? 0;
  const existing = numberAt(live, 'status', 'replicas') ?? 0;
  const available = numberAt(live, 'status', 'availableReplicas') ?? 0;
  if (updated < wanted) return verdict('Progressing', `Waiting for rollout: ${updated} of ${wanted} replicas updated`);
  if (existing > updated)
    return verdict('Progressing', `Waiting for rollout: ${existing - updated} old replicas still to go`);
  if (available < updated)
    return verdict('Progressing', `Waiting for rollout: ${available} of ${updated} updated replicas available`);
  return verdict('Healthy');
}
