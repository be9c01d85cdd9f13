import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';

/** batch/CronJob: suspended, or by how its last run ended (requirement HEALTH-09, then the bundled rule of upstream). */
export function assessCronJob(live: KubeObject): Health {
  if (at(live, 'spec', 'suspend') === true) return verdict('Suspended', 'CronJob is Suspended');
  if (at(live, 'status') === undefined) return verdict('Progressing', 'Waiting for CronJob');
  const scheduled = stringAt(live, 'status', 'lastScheduleTime');
  if (scheduled === undefined) return verdict('Healthy', 'CronJob has not been scheduled yet');
  const succeeded = stringAt(live, 'status', 'lastSuccessfulTime');
  if (succeeded === undefined)
    return verdict('Healthy', 'The CronJob never completed successfully. It may not be healthy');
  if (listAt(live, 'status', 'active').length > 0)
    return verdict('Healthy', 'The job is running. Its last execution may not have been successful');
  // RFC 3339 in UTC: the order of the texts is the order of the times.
  if (succeeded < scheduled) return verdict('Degraded', 'CronJob has not completed its last execution successfully');
  return verdict('Healthy', 'CronJob has completed its last execution successfully');
}
