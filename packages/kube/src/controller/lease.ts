import { CodedError } from '@tiphys/api';
import type { Lease, LeaseOptions, LeasePorts } from './types.ts';

/** Tries to hold a Lease, at once and for ever, until released. */
export function holdLease(options: LeaseOptions, ports: LeasePorts): Lease {
  throw new CodedError('kube/unreachable', `${options.name} ${String(ports)}`);
}
