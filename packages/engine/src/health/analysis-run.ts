import { at, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health, type HealthStatus } from './health.ts';

const ends: Readonly<Record<string, readonly [HealthStatus, otherwise: string]>> = {
  Successful: ['Healthy', 'Analysis run completed successfully'],
  Failed: ['Degraded', 'Analysis run failed'],
  Error: ['Degraded', 'Analysis run had an error'],
  Inconclusive: ['Unknown', 'Analysis run was inconclusive'],
};

/** argoproj.io/AnalysisRun: by phase (requirement HEALTH-23). */
export function assessAnalysisRun(live: KubeObject): Health | undefined {
  if (at(live, 'status') === undefined)
    return verdict('Progressing', 'Waiting for analysis run to finish: status has not been reconciled.');
  const phase = stringAt(live, 'status', 'phase') ?? '';
  if (phase === 'Pending' || phase === 'Running') return verdict('Progressing', 'Analysis run is running');
  const end = ends[phase];
  if (end === undefined) return undefined;
  return verdict(end[0], stringAt(live, 'status', 'message') ?? end[1]);
}
