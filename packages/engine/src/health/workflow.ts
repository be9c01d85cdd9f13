import { stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health, type HealthStatus } from './health.ts';

const byPhase: Readonly<Record<string, HealthStatus>> = {
  '': 'Progressing',
  Pending: 'Progressing',
  Running: 'Progressing',
  Succeeded: 'Healthy',
  Failed: 'Degraded',
  Error: 'Degraded',
};

/** argoproj.io/Workflow: by phase (contract 5.2). */
export const assessWorkflow = (live: KubeObject): Health =>
  verdict(byPhase[stringAt(live, 'status', 'phase') ?? ''] ?? 'Unknown', stringAt(live, 'status', 'message'));
