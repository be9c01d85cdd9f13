import { CodedError } from '@tiphys/api';
import type { ClientPorts, ClientSettings, ClusterConfig, KubeClient } from './types.ts';

/** Opens a client. No connection is made before the first call. */
export function connect(config: ClusterConfig, settings: Partial<ClientSettings>, ports: ClientPorts): KubeClient {
  throw new CodedError(
    'kube/unreachable',
    `${config.server}: no transport in this build ${String(settings)} ${String(ports)}`,
  );
}
