import { stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health, type HealthStatus } from './health.ts';

const byPhase: Readonly<Record<string, HealthStatus>> = { Bound: 'Healthy', Pending: 'Progressing', Lost: 'Degraded' };

/** PersistentVolumeClaim: by phase (contract 5.2). */
export const assessPersistentVolumeClaim = (live: KubeObject): Health =>
  verdict(byPhase[stringAt(live, 'status', 'phase') ?? ''] ?? 'Unknown');
