import { at, canonicalJson, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import { healthOrder, verdict, type Health, type HealthStatus } from './health.ts';

const isHealthStatus = (text: string | undefined): text is HealthStatus =>
  text !== undefined && (healthOrder as readonly string[]).includes(text);

/** Whether the status speaks of the spec as it is now: a stale verdict must not let a wave pass. */
function isCompared(live: KubeObject): boolean {
  const compared = at(live, 'status', 'sync', 'comparedTo');
  if (!isRecord(compared)) return false;
  const sources = at(live, 'spec', 'sources');
  const field = Array.isArray(sources) && sources.length > 0 ? 'sources' : 'source';
  return canonicalJson(at(compared, field) ?? null) === canonicalJson(at(live, 'spec', field) ?? null);
}

const isAutomated = (live: KubeObject): boolean => {
  const automated = at(live, 'spec', 'syncPolicy', 'automated');
  return isRecord(automated) && automated['enabled'] !== false;
};

/** Whether an automated sync of the compared revision is still to come: what is healthy now is the old revision. */
const awaitsSync = (live: KubeObject): boolean =>
  isAutomated(live) &&
  stringAt(live, 'status', 'sync', 'status') === 'OutOfSync' &&
  stringAt(live, 'status', 'operationState', 'syncResult', 'revision') !== stringAt(live, 'status', 'sync', 'revision');

/**
 * argoproj.io/Application: its own verdict, taken only from a status that was compared with the current spec and revision
 * (design section 4; requirement HEALTH-21). Until then it is on its way.
 */
export function assessApplication(live: KubeObject): Health {
  if (!isCompared(live)) return verdict('Progressing', 'Waiting to be compared with its current spec');
  const phase = stringAt(live, 'status', 'operationState', 'phase');
  if (at(live, 'operation') !== undefined || phase === 'Running' || phase === 'Terminating')
    return verdict('Progressing', 'A sync is running');
  if (awaitsSync(live)) return verdict('Progressing', 'Waiting for the automated sync of its current revision');
  const status = stringAt(live, 'status', 'health', 'status');
  if (!isHealthStatus(status)) return verdict('Progressing', 'Waiting for its health to be assessed');
  return verdict(status, stringAt(live, 'status', 'health', 'message'));
}
