import { numberAt, type KubeObject } from '@tiphys/api';
import { conditionOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';
import { isObserved } from './observed.ts';

/** apps/ReplicaSet: all wanted replicas are available (contract 5.2). */
export function assessReplicaSet(live: KubeObject): Health {
  if (!isObserved(live)) return verdict('Progressing', 'Waiting for replicas: the new spec has not been observed yet');
  const failure = conditionOf(live, 'ReplicaFailure');
  if (failure?.status === 'True') return verdict('Degraded', failure.message);
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1;
  const available = numberAt(live, 'status', 'availableReplicas') ?? 0;
  if (available < wanted) return verdict('Progressing', `Waiting for replicas: ${available} of ${wanted} available`);
  return verdict('Healthy');
}
