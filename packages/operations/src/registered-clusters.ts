import { type ApplicationDestination, CodedError, type KubeObject, stringAt } from '@tiphys/api';

/** A cluster that applications can go to. `server` has no slash at its end. */
export type RegisteredCluster = Readonly<{ server: string; name: string }>;

/** The control plane's own cluster, as Applications name it unless a Secret says otherwise. */
export const localCluster: RegisteredCluster = { server: 'https://kubernetes.default.svc', name: 'in-cluster' };

/** Whether a cluster is the control plane's own: then no connection of its own is opened. */
export const isLocal = ({ server }: RegisteredCluster): boolean => server === localCluster.server;

const decoded = (secret: KubeObject, field: string): string =>
  Buffer.from(stringAt(secret, 'data', field) ?? '', 'base64').toString('utf8');

/** How a Secret labelled `argocd.argoproj.io/secret-type: cluster` calls its cluster. */
export function readCluster(secret: KubeObject): RegisteredCluster {
  const server = decoded(secret, 'server').replace(/\/+$/, '');
  return { server, name: decoded(secret, 'name') || server };
}

/** All clusters: those of the Secrets, and the local one, which a Secret for its URL renames. */
const withLocal = (secrets: readonly RegisteredCluster[]): readonly RegisteredCluster[] =>
  secrets.some(isLocal) ? secrets : [localCluster, ...secrets];

/** The cluster that a destination means, by URL where it has one, else by name; undefined when it is not registered. */
export function findCluster(
  { server, name }: ApplicationDestination,
  secrets: readonly RegisteredCluster[],
): RegisteredCluster | undefined {
  const wanted = server?.replace(/\/+$/, '') ?? '';
  return withLocal(secrets).find((cluster) => (wanted === '' ? cluster.name === name : cluster.server === wanted));
}

/** The same. @throws CodedError api/invalid-object with what is registered */
export function requireCluster(
  destination: ApplicationDestination,
  secrets: readonly RegisteredCluster[],
): RegisteredCluster {
  const found = findCluster(destination, secrets);
  if (found !== undefined) return found;
  const wanted = destination.server ?? destination.name ?? '';
  const known = withLocal(secrets).map(({ name }) => name);
  throw new CodedError(
    'api/invalid-object',
    `spec.destination: no cluster "${wanted}" is registered; registered are: ${known.join(', ')}`,
  );
}
