import type { KubeObject } from '@tiphys/api';
import { conditionOf, conditionsOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';

/** apiextensions.k8s.io/CustomResourceDefinition: its names are taken and it is served. Waves rely on it before its objects. */
export function assessCustomResourceDefinition(live: KubeObject): Health {
  if (conditionsOf(live).length === 0) return verdict('Progressing', 'Waiting for the definition to be read');
  const refused = [conditionOf(live, 'NamesAccepted')].find((one) => one?.status === 'False');
  if (refused !== undefined) return verdict('Degraded', `Names are not accepted: ${refused.message}`);
  const schema = conditionOf(live, 'NonStructuralSchema');
  if (schema?.status === 'True') return verdict('Degraded', `The schema has violations: ${schema.message}`);
  const established = conditionOf(live, 'Established');
  if (established?.status === 'True') return verdict('Healthy');
  return established === undefined || established.reason === 'Installing'
    ? verdict('Progressing', 'Waiting to be established')
    : verdict('Degraded', `Not established: ${established.message}`);
}
