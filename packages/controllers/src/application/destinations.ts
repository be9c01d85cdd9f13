import { type ApplicationDestination, CodedError, type KubeObject, messageOf, stringAt } from '@tiphys/api';
import type { ClusterWriter, LiveCluster } from '@tiphys/engine';
import { type ClusterConfig, fromClusterSecret, type KubeClient } from '@tiphys/kube';

/** URL by which the control plane's own cluster is named in Applications. */
export const localServer = 'https://kubernetes.default.svc';
/** Its default name. */
export const localName = 'in-cluster';

/** One cluster that applications go to. */
export type Destination = Readonly<{
  server: string;
  name: string;
  client: KubeClient;
  live: LiveCluster;
  writer: ClusterWriter;
}>;

export type DestinationPorts = Readonly<{
  /** The control plane's own cluster. */
  local: KubeClient;
  connect: (config: ClusterConfig) => KubeClient;
  /** Opens live side and writer of a cluster. */
  open: (cluster: Readonly<{ server: string; name: string; client: KubeClient }>) => Destination;
}>;

/** The registered clusters: the local one, and one for each Secret labelled `argocd.argoproj.io/secret-type: cluster`. */
export interface Destinations extends AsyncDisposable {
  /** @throws CodedError api/invalid-object when no registered cluster is meant, with what is registered */
  find(destination: ApplicationDestination): Destination;
  /** Whether the cluster is registered at all; a deletion goes on without it when it is not (design, deletion). */
  isRegistered(destination: ApplicationDestination): boolean;
  /** Follows the cluster Secrets. */
  secretChanged(secret: KubeObject): void;
  secretDeleted(secret: KubeObject): void;
  onOpened(listener: (destination: Destination) => void): void;
}

type Registered = {
  readonly server: string;
  readonly name: string;
  readonly config: ClusterConfig | Error | undefined;
  digest: string;
};

const decoded = (secret: KubeObject, field: string): string =>
  Buffer.from(stringAt(secret, 'data', field) ?? '', 'base64').toString('utf8');

export function openDestinations(ports: DestinationPorts): Destinations {
  const local: Registered = { server: localServer, name: localName, config: undefined, digest: '' };
  const bySecret = new Map<string, Registered>();
  const opened = new Map<string, Destination>();
  const listeners: ((destination: Destination) => void)[] = [];

  const registered = (): Registered[] => {
    const all = [...bySecret.values()];
    // A Secret for the local URL renames the local cluster and brings its labels; it stays the same connection.
    return all.some(({ server }) => server === localServer) ? all : [local, ...all];
  };
  const match = ({ server, name }: ApplicationDestination): Registered | undefined => {
    const wanted = server?.replace(/\/+$/, '');
    return registered().find((cluster) =>
      wanted !== undefined && wanted !== '' ? cluster.server === wanted : cluster.name === name,
    );
  };
  const drop = (secretName: string): void => {
    const gone = bySecret.get(secretName);
    bySecret.delete(secretName);
    if (gone === undefined || gone.server === localServer) return;
    const destination = opened.get(gone.server);
    opened.delete(gone.server);
    void destination?.live.stop().then(() => destination.client.close());
  };
  const readConfig = (secret: KubeObject): ClusterConfig | Error => {
    try {
      return fromClusterSecret(secret);
    } catch (error) {
      return new Error(messageOf(error));
    }
  };

  const destinations: Destinations = {
    find: (destination) => {
      const found = match(destination);
      if (found === undefined) {
        const wanted = destination.server ?? destination.name ?? '';
        const known = registered().map(({ name }) => name);
        throw new CodedError(
          'api/invalid-object',
          `spec.destination: no cluster "${wanted}" is registered; registered are: ${known.join(', ')}`,
        );
      }
      if (found.config instanceof Error)
        throw new CodedError('config/invalid', `cluster ${found.name}: ${found.config.message}`);
      const known = opened.get(found.server);
      if (known !== undefined) return known;
      const client =
        found.server === localServer || found.config === undefined ? ports.local : ports.connect(found.config);
      const destination_ = ports.open({ server: found.server, name: found.name, client });
      opened.set(found.server, destination_);
      for (const listener of listeners) listener(destination_);
      return destination_;
    },
    isRegistered: (destination) => match(destination) !== undefined,
    secretChanged: (secret) => {
      const secretName = secret.metadata.name ?? '';
      const digest = secret.metadata.resourceVersion ?? '';
      if (bySecret.get(secretName)?.digest === digest) return;
      drop(secretName);
      const server = decoded(secret, 'server').replace(/\/+$/, '');
      bySecret.set(secretName, { server, name: decoded(secret, 'name') || server, config: readConfig(secret), digest });
    },
    secretDeleted: (secret) => drop(secret.metadata.name ?? ''),
    onOpened: (listener) => listeners.push(listener),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...opened.values()].map(({ live }) => live.stop()));
      await Promise.all(
        [...opened.values()].filter(({ client }) => client !== ports.local).map(({ client }) => client.close()),
      );
      opened.clear();
    },
  };
  return destinations;
}
