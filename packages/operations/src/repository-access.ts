import { normaliseRepositoryUrl, repositoryAlias } from '@tiphys/api';
import type { RepositoryAccess } from '@tiphys/engine';
import type { Actor, Cancelable, OperationPorts } from './actor.ts';
import { configMapData } from './config-map.ts';
import { listRepositories, type Repository } from './repository.ts';

const credentialKeys = [
  'username',
  'password',
  'bearerToken',
  'sshPrivateKey',
  'tlsClientCertData',
  'tlsClientCertKey',
] as const;

/** How a registered repository is reached. */
export function accessOf(repository: Repository): RepositoryAccess {
  const {
    url,
    name = '',
    insecure,
    insecureIgnoreHostKey,
    enableOCI,
    insecureOCIForceHttp,
    proxy = '',
    noProxy = '',
  } = repository;
  const credentials = Object.fromEntries(
    credentialKeys.flatMap((key) => {
      const value = repository[key] ?? '';
      return value === '' ? [] : [[key, value] as const];
    }),
  );
  return {
    url,
    ...(name !== '' && { name }),
    ...(Object.keys(credentials).length > 0 && { credentials }),
    insecure: insecure === 'true',
    insecureIgnoreHostKey: insecureIgnoreHostKey === 'true',
    enableOci: enableOCI === 'true',
    forceHttp: insecureOCIForceHttp === 'true',
    ...(proxy !== '' && { proxy }),
    ...(noProxy !== '' && { noProxy }),
  };
}

/** Certificates (PEM) by the host name that they are for, as `argocd-tls-certs-cm` has them (contract 12.8). */
export type TrustedCertificates = Readonly<Record<string, string>>;

/** What is registered: repositories by URL (`repository`), credentials for URL prefixes (`repo-creds`), and certificates. */
export type Registered = Readonly<{
  repositories: readonly RepositoryAccess[];
  prefixes: readonly RepositoryAccess[];
  certificates?: TrustedCertificates;
}>;

/** One text for all ways to write a repository; a registry is written with and without its scheme. */
const keyOf = (url: string): string => normaliseRepositoryUrl(url.replace(/^oci:\/\//, ''));

const hostOf = (key: string): string => /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?([^/]*)/.exec(key)?.[1] ?? '';

/** Whether a prefix speaks for a URL: its host is never only the beginning of another one. */
const speaksFor = (prefix: string, url: string): boolean => url.startsWith(prefix) && hostOf(prefix) === hostOf(url);

/**
 * How to reach a URL: by its own Secret, by the longest registered prefix where that has no credentials, else without any. The
 * certificate that its host has to show is that of the ConfigMap, where there is one. A chart repository may also be named as charts do
 * it: `@name`.
 */
export function accessTo(url: string, { repositories, prefixes, certificates = {} }: Registered): RepositoryAccess {
  const alias = repositoryAlias(url);
  // A repository whose URL is a name itself leads nowhere.
  const isNamed = ({ name, url: own }: RepositoryAccess): boolean =>
    name === alias && repositoryAlias(own) === undefined;
  const named = alias === undefined ? undefined : repositories.find(isNamed);
  if (named !== undefined) return accessTo(named.url, { repositories, prefixes, certificates });
  const wanted = keyOf(url);
  const host = hostOf(wanted);
  const caPem = certificates[host.replace(/:\d+$/, '')];
  const trust = caPem === undefined || caPem === '' ? {} : { caPem };
  const own = repositories.find((one) => keyOf(one.url) === wanted);
  const known = [...repositories, ...prefixes].some((one) => hostOf(keyOf(one.url)) === host);
  const place = { ...trust, ...(known && { registeredHost: true }), url };
  if (own?.credentials !== undefined) return { ...own, ...place };
  const [prefix] = prefixes
    .filter((one) => speaksFor(keyOf(one.url), wanted))
    .sort((a, b) => b.url.length - a.url.length);
  // A repository registered without credentials takes those of its prefix, and keeps its own TLS and proxy settings.
  return { ...prefix, ...own, ...(prefix?.credentials && { credentials: prefix.credentials }), ...place };
}

/** Name of the ConfigMap with certificates. */
export const certificatesName = 'argocd-tls-certs-cm';

/** Reads what is registered, once: how to reach each repository from then on. */
export async function readRepositoryAccess(
  actor: Actor,
  request: Cancelable,
  ports: OperationPorts,
): Promise<(url: string) => RepositoryAccess> {
  const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
  const [own, prefixes, trusted] = await Promise.all([
    listRepositories(actor, request, ports),
    listRepositories(actor, { ...request, type: 'repo-creds' }, ports),
    ports.kube.get({ gvk, namespace: ports.namespace, name: certificatesName }, { signal: request.signal }),
  ]);
  const registered: Registered = {
    repositories: own.map(accessOf),
    prefixes: prefixes.map(accessOf),
    certificates: configMapData(trusted),
  };
  return (url) => accessTo(url, registered);
}
