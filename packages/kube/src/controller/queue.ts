import { CodedError } from '@tiphys/api';
import type { Backoff, ControllerPorts, Queue } from './types.ts';

export function openQueue(options: { backoff: Backoff }, ports: ControllerPorts): Queue {
  throw new CodedError('kube/unreachable', `${options.backoff.firstMs} ${String(ports)}`);
}
