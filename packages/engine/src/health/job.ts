import { type KubeObject } from '@tiphys/api';
import { conditionsOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';

/** batch/Job: Failed, Suspended, Complete, else on its way (contract 5.2). */
export function assessJob(live: KubeObject): Health {
  const holds = (type: string) => conditionsOf(live).find((one) => one.type === type && one.status === 'True');
  const failed = holds('Failed');
  if (failed !== undefined) return verdict('Degraded', failed.message === '' ? failed.reason : failed.message);
  const suspended = holds('Suspended');
  if (suspended !== undefined) return verdict('Suspended', suspended.message);
  const complete = holds('Complete');
  if (complete !== undefined) return verdict('Healthy', complete.message);
  return verdict('Progressing');
}
