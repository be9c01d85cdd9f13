import { CodedError } from '@tiphys/api';
import type { Controller, ControllerOptions, ControllerPorts } from './types.ts';

export function runController(options: ControllerOptions, ports: ControllerPorts): Controller {
  throw new CodedError('kube/unreachable', `${options.name} ${String(ports)}`);
}
