import { at, isRecord, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';
import { isObserved } from './observed.ts';

/** apps/StatefulSet: all replicas ready and, unless updates are by hand, of the current revision (contract 5.2). */
export function assessStatefulSet(live: KubeObject): Health {
  if (!isObserved(live)) return verdict('Progressing', 'Waiting for update: the new spec has not been observed yet');
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1;
  const ready = numberAt(live, 'status', 'readyReplicas') ?? 0;
  if (ready < wanted) return verdict('Progressing', `Waiting for replicas: ${ready} of ${wanted} ready`);
  const strategy = stringAt(live, 'spec', 'updateStrategy', 'type') ?? 'RollingUpdate';
  if (strategy === 'OnDelete')
    return verdict('Healthy', `${ready} replicas ready; updates wait for pods to be deleted`);
  const rolling = at(live, 'spec', 'updateStrategy', 'rollingUpdate');
  if (isRecord(rolling)) {
    const partition = numberAt(rolling, 'partition') ?? 0;
    const updated = numberAt(live, 'status', 'updatedReplicas') ?? 0;
    const due = Math.max(0, wanted - partition);
    return updated < due
      ? verdict('Progressing', `Waiting for partitioned update: ${updated} of ${due} replicas updated`)
      : verdict('Healthy', `Partitioned update complete: ${updated} replicas updated`);
  }
  const updateRevision = stringAt(live, 'status', 'updateRevision');
  if (updateRevision !== stringAt(live, 'status', 'currentRevision')) {
    const updated = numberAt(live, 'status', 'updatedReplicas') ?? 0;
    return verdict(
      'Progressing',
      `Waiting for update: ${updated} of ${wanted} replicas at revision ${updateRevision ?? ''}`,
    );
  }
  return verdict('Healthy');
}
