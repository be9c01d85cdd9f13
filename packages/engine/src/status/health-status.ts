import { type HealthStatus as HealthField, timeText } from '@tiphys/api';
import type { Health } from '../health/health.ts';

/**
 * `status.health`: the time moves only with the status. The message of an application on its way is left out: it changes with
 * every pod, and each change would be a write.
 */
export function healthField(before: HealthField | undefined, health: Health, now: Date): HealthField {
  const same = before?.status === health.status && before.lastTransitionTime !== undefined;
  const message = health.status === 'Progressing' ? undefined : health.message;
  return {
    status: health.status,
    ...(message !== undefined && { message }),
    lastTransitionTime: same ? before.lastTransitionTime : timeText(now),
  };
}
