import { listAt, type KubeObject } from '@tiphys/api';
import { verdict, type Health } from './health.ts';

/** networking.k8s.io/Ingress and extensions/Ingress: an address has been given (contract 5.2). */
export const assessIngress = (live: KubeObject): Health =>
  listAt(live, 'status', 'loadBalancer', 'ingress').length > 0
    ? verdict('Healthy')
    : verdict('Progressing', 'Waiting for the ingress controller to give an address');
