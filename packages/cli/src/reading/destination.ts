import { type Application, CodedError, type KubeObject, silentLogger, stringAt } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import type { OperationPorts } from '@tiphys/operations';

const localServer = 'https://kubernetes.default.svc';

const decoded = (secret: KubeObject, field: string): string =>
  Buffer.from(stringAt(secret, 'data', field) ?? '', 'base64').toString('utf8');

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
  const server = (destination.server ?? '').replace(/\/+$/, '');
  const name = destination.name ?? '';
  if (server === localServer || (server === '' && name === 'in-cluster'))
    return { client: ports.kube, close: () => Promise.resolve() };
  const secrets = await ports.kube.resourceFor({ group: '', version: 'v1', kind: 'Secret' }, { signal });
  const labelSelector = 'argocd.argoproj.io/secret-type=cluster';
  const { items } = await ports.kube.list(secrets, { namespace: ports.namespace, labelSelector, signal });
  const secret = items.find((one) =>
    server === '' ? decoded(one, 'name') === name : decoded(one, 'server').replace(/\/+$/, '') === server,
  );
  if (secret === undefined)
    throw new CodedError(
      'api/invalid-object',
      `spec.destination: no cluster "${server === '' ? name : server}" is registered`,
    );
  const { connect, fromClusterSecret } = await import('@tiphys/kube');
  const client = connect(fromClusterSecret(secret), {}, { log: silentLogger, clock: ports.clock });
  return { client, close: () => client.close() };
}
