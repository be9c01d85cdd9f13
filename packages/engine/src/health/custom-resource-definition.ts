import type { KubeObject } from '@tiphys/api';
import { conditionsOf, type Condition } from './conditions.ts';
import { verdict, type Health } from './health.ts';

/** What one condition decides alone; undefined leaves it to the next. */
function decided({ type, status, reason, message }: Condition): Health | undefined {
  if (type === 'Terminating' && status === 'True') return verdict('Progressing', `CRD is terminating: ${message}`);
  if (type === 'NamesAccepted' && status === 'False')
    return verdict('Degraded', `CRD names have not been accepted: ${message}`);
  if (type === 'NonStructuralSchema' && status === 'True')
    return verdict('Degraded', `Schema violations found: ${message}`);
  if (type === 'Established' && status !== 'True' && reason === 'Installing')
    return verdict('Progressing', 'CRD is being installed');
  return undefined;
}

/** apiextensions.k8s.io/CustomResourceDefinition: its names are taken and it is served. Waves rely on it before its objects. */
export function assessCustomResourceDefinition(live: KubeObject): Health {
  const conditions = conditionsOf(live);
  if (conditions.length === 0) return verdict('Progressing', 'Status conditions not found');
  for (const condition of conditions) {
    const found = decided(condition);
    if (found !== undefined) return found;
  }
  const isEstablished = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  return isEstablished ? verdict('Healthy', 'CRD is healthy') : verdict('Degraded', 'CRD is not established');
}
