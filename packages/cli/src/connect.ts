import type { ClientPorts, KubeClient } from '@tiphys/kube';
import type { ConnectionFlags } from './io.ts';
import type { ConnectionSettings } from './open-client.ts';

/** Opens the client that the flags of a command line describe. What it takes is loaded here, by those who need it. */
export async function connectToCluster(
  flags: ConnectionFlags,
  settings: ConnectionSettings,
  ports: ClientPorts,
): Promise<KubeClient> {
  const { openClient } = await import('./open-client.ts');
  return openClient(flags, settings, ports);
}
