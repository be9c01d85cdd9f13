import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';

/** batch/CronJob: suspended, or by how its last run ended (requirement HEALTH-09, then the bundled rule of upstream). */
export function assessCronJob(live: KubeObject): Health {
  if (at(live, 'spec', 'suspend') === true) return verdict('Suspended', 'CronJob is suspended');
  if (at(live, 'status') === undefined) return verdict('Progressing', 'Waiting for the CronJob to be observed');
  const scheduled = stringAt(live, 'status', 'lastScheduleTime');
  if (scheduled === undefined) return verdict('Healthy', 'No run has been due yet');
  const succeeded = stringAt(live, 'status', 'lastSuccessfulTime');
  if (succeeded === undefined) return verdict('Healthy', 'No run has succeeded yet');
  if (listAt(live, 'status', 'active').length > 0) return verdict('Healthy', 'A run is under way');
  // RFC 3339 in UTC: the order of the texts is the order of the times.
  if (succeeded < scheduled) return verdict('Degraded', 'The last run did not succeed');
  return verdict('Healthy', 'The last run succeeded');
}
