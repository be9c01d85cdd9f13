import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { conditionsOf } from './conditions.ts';
import { verdict, type Health, type HealthStatus } from './health.ts';

/** The number that a text or number says; undefined when it says none. */
function numeric(value: unknown): number | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? String(value) : '';
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Whether the rollouts controller has seen the spec, and the workload that the spec refers to. */
function isSeen(live: KubeObject): boolean {
  if (at(live, 'status') === undefined) return false;
  const observed = numeric(at(live, 'status', 'observedGeneration'));
  const { generation, annotations } = live.metadata;
  if (observed !== undefined && observed < (generation ?? 0)) return false;
  if (at(live, 'spec', 'workloadRef') === undefined || annotations === undefined) return true;
  const wanted = numeric(annotations['rollout.argoproj.io/workload-generation']);
  return wanted === numeric(at(live, 'status', 'workloadObservedGeneration'));
}

const phases: ReadonlySet<string> = new Set<HealthStatus>(['Healthy', 'Progressing', 'Degraded', 'Unknown']);
const isPhase = (text: string): text is HealthStatus => phases.has(text);

function byPhase(live: KubeObject): Health | undefined {
  const phase = stringAt(live, 'status', 'phase') ?? '';
  if (phase === '') return undefined;
  const message = stringAt(live, 'status', 'message');
  if (phase === 'Paused') return verdict('Suspended', message);
  return verdict(isPhase(phase) ? phase : 'Unknown', message);
}

const failedReasons: ReadonlySet<string> = new Set(['RolloutAborted', 'ProgressDeadlineExceeded']);

function byCondition(live: KubeObject): Health | undefined {
  const failed = conditionsOf(live).find(
    ({ type, reason }) => type === 'InvalidSpec' || (type === 'Progressing' && failedReasons.has(reason)),
  );
  return failed === undefined ? undefined : verdict('Degraded', failed.message);
}

const finishing = 'Waiting for roll out to finish:';

/** What a strategy still waits for; undefined when it is through. */
function byStrategy(live: KubeObject, currentHash: string): string | undefined {
  const stable = stringAt(live, 'status', 'stableRS') ?? stringAt(live, 'status', 'canary', 'stableRS') ?? '';
  if (isRecord(at(live, 'spec', 'strategy', 'blueGreen'))) {
    if (stringAt(live, 'status', 'blueGreen', 'activeSelector') !== currentHash)
      return 'active service cutover pending';
    return stable !== '' && stable !== currentHash ? 'waiting for analysis to complete' : undefined;
  }
  if (!isRecord(at(live, 'spec', 'strategy', 'canary'))) return undefined;
  const existing = numberAt(live, 'status', 'replicas') ?? 0;
  if (existing > (numberAt(live, 'status', 'updatedReplicas') ?? 0))
    return `${finishing} old replicas are pending termination`;
  return stable === '' || stable !== currentHash ? 'Waiting for rollout to finish steps' : undefined;
}

/** argoproj.io/Rollout: what its controller says, else by its replicas and strategy (requirement HEALTH-23). */
export function assessRollout(live: KubeObject): Health {
  if (!isSeen(live)) return verdict('Progressing', 'Waiting for rollout spec update to be observed');
  const told = byPhase(live) ?? byCondition(live);
  if (told !== undefined) return told;
  if (listAt(live, 'status', 'pauseConditions').length > 0 || at(live, 'spec', 'paused') === true)
    return verdict('Suspended', 'Rollout is paused');
  const currentHash = stringAt(live, 'status', 'currentPodHash');
  if (currentHash === undefined)
    return verdict('Progressing', 'Waiting for rollout to finish: status has not been reconciled.');
  const updated = numberAt(live, 'status', 'updatedReplicas') ?? 0;
  if (updated < (numberAt(live, 'spec', 'replicas') ?? 1))
    return verdict('Progressing', `${finishing} More replicas need to be updated`);
  if ((numberAt(live, 'status', 'availableReplicas') ?? 0) < updated)
    return verdict('Progressing', `${finishing} updated replicas are still becoming available`);
  const waiting = byStrategy(live, currentHash);
  return waiting === undefined ? verdict('Healthy') : verdict('Progressing', waiting);
}
