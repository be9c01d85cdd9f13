import { listAt, stringAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';

/** Service: a load balancer has an address; every other type needs none (contract 5.2). */
export function assessService(live: KubeObject): Health {
  if (stringAt(live, 'spec', 'type') !== 'LoadBalancer') return verdict('Healthy');
  return listAt(live, 'status', 'loadBalancer', 'ingress').length > 0
    ? verdict('Healthy')
    : verdict('Progressing', 'Waiting for the load balancer to get an address');
}
