import type { KubeObject } from '@tiphys/api';
import { conditionOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';

/** apiregistration.k8s.io/APIService: its backend answers (contract 5.2). */
export function assessApiService(live: KubeObject): Health {
  const available = conditionOf(live, 'Available');
  if (available?.status === 'True') return verdict('Healthy', available.message);
  return verdict('Progressing', available?.message ?? 'Waiting to be processed');
}
