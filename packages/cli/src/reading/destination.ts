import { type Application, silentLogger } from '@tiphys/api';
import { connect, fromClusterSecret, type KubeClient } from '@tiphys/kube';
import { isLocal, type OperationPorts, readCluster, requireCluster } from '@tiphys/operations';

/** A client of the cluster that an application goes to; `close` leaves the control plane's own one open. */
export type Destination = Readonly<{ client: KubeClient; close: () => Promise<void> }>;

/**
 * Connects to the cluster of an application: this one, or one that is registered by a Secret.
 * @throws CodedError api/invalid-object when none is meant
 */
export async function openDestination(
  { destination }: Application['spec'],
  ports: OperationPorts,
  signal: AbortSignal,
): Promise<Destination> {
  const local: Destination = { client: ports.kube, close: () => Promise.resolve() };
  // The usual one is known without a look at the Secrets.
  const url = (destination.server ?? '').replace(/\/+$/, '');
  if (url !== '' && isLocal({ server: url, name: '' })) return local;
  const kind = await ports.kube.resourceFor({ group: '', version: 'v1', kind: 'Secret' }, { signal });
  const labelSelector = 'argocd.argoproj.io/secret-type=cluster';
  const { items } = await ports.kube.list(kind, { namespace: ports.namespace, labelSelector, signal });
  const clusters = items.map((secret) => ({ ...readCluster(secret), secret }));
  const cluster = requireCluster(destination, clusters);
  const found = clusters.find(({ server }) => server === cluster.server);
  if (isLocal(cluster) || found === undefined) return local;
  const client = connect(fromClusterSecret(found.secret), {}, { log: silentLogger, clock: ports.clock });
  return { client, close: () => client.close() };
}
