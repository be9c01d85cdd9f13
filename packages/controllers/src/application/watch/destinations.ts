import { type ApplicationDestination, CodedError, type KubeObject, messageOf } from '@tiphys/api';
import type { ClusterWriter, LiveCluster } from '@tiphys/engine';
import { type ClusterConfig, fromClusterSecret, type KubeClient } from '@tiphys/kube';
import { findCluster, isLocal, readCluster, type RegisteredCluster, requireCluster } from '@tiphys/operations';

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

type Registered = RegisteredCluster & Readonly<{ config: ClusterConfig | Error; digest: string }>;

export function openDestinations(ports: DestinationPorts): Destinations {
  const bySecret = new Map<string, Registered>();
  const opened = new Map<string, Destination>();
  const listeners: ((destination: Destination) => void)[] = [];

  const configOf = ({ server, name }: RegisteredCluster): ClusterConfig | undefined => {
    const config = [...bySecret.values()].find((one) => one.server === server)?.config;
    if (config instanceof Error) throw new CodedError('config/invalid', `cluster ${name}: ${config.message}`);
    return config;
  };
  const drop = (secretName: string): void => {
    const gone = bySecret.get(secretName);
    bySecret.delete(secretName);
    if (gone === undefined || isLocal(gone)) return;
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
      const found = requireCluster(destination, [...bySecret.values()]);
      const config = configOf(found);
      const known = opened.get(found.server);
      if (known !== undefined) return known;
      // A Secret for the local URL renames the local cluster and brings its labels; it stays the same connection.
      const client = isLocal(found) || config === undefined ? ports.local : ports.connect(config);
      const destination_ = ports.open({ server: found.server, name: found.name, client });
      opened.set(found.server, destination_);
      for (const listener of listeners) listener(destination_);
      return destination_;
    },
    isRegistered: (destination) => findCluster(destination, [...bySecret.values()]) !== undefined,
    secretChanged: (secret) => {
      const secretName = secret.metadata.name ?? '';
      const digest = secret.metadata.resourceVersion ?? '';
      if (bySecret.get(secretName)?.digest === digest) return;
      drop(secretName);
      bySecret.set(secretName, { ...readCluster(secret), config: readConfig(secret), digest });
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
