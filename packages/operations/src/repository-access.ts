import { normaliseRepositoryUrl } from '@tiphys/api';
import type { RepositoryAccess } from '@tiphys/engine';
import type { Actor, Cancelable, OperationPorts } from './actor.ts';
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
  const { url, insecure, insecureIgnoreHostKey, proxy = '', noProxy = '' } = repository;
  const credentials = Object.fromEntries(
    credentialKeys.flatMap((key) => {
      const value = repository[key] ?? '';
      return value === '' ? [] : [[key, value] as const];
    }),
  );
  return {
    url,
    ...(Object.keys(credentials).length > 0 && { credentials }),
    insecure: insecure === 'true',
    insecureIgnoreHostKey: insecureIgnoreHostKey === 'true',
    ...(proxy !== '' && { proxy }),
    ...(noProxy !== '' && { noProxy }),
  };
}

/** What is registered: repositories by URL (`repository`), and credentials for URL prefixes (`repo-creds`). */
export type Registered = Readonly<{
  repositories: readonly RepositoryAccess[];
  prefixes: readonly RepositoryAccess[];
}>;

/** How to reach a URL: by its own Secret, by the longest registered prefix where that has no credentials, else without any. */
export function accessTo(url: string, { repositories, prefixes }: Registered): RepositoryAccess {
  const wanted = normaliseRepositoryUrl(url);
  const own = repositories.find((one) => normaliseRepositoryUrl(one.url) === wanted);
  if (own?.credentials !== undefined) return { ...own, url };
  const [prefix] = prefixes
    .filter((one) => wanted.startsWith(normaliseRepositoryUrl(one.url)))
    .sort((a, b) => b.url.length - a.url.length);
  // A repository registered without credentials takes those of its prefix, and keeps its own TLS and proxy settings.
  return { ...prefix, ...own, ...(prefix?.credentials && { credentials: prefix.credentials }), url };
}

/** Reads what is registered, once: how to reach each repository from then on. */
export async function readRepositoryAccess(
  actor: Actor,
  request: Cancelable,
  ports: OperationPorts,
): Promise<(url: string) => RepositoryAccess> {
  const [own, prefixes] = await Promise.all([
    listRepositories(actor, request, ports),
    listRepositories(actor, { ...request, type: 'repo-creds' }, ports),
  ]);
  const registered = { repositories: own.map(accessOf), prefixes: prefixes.map(accessOf) };
  return (url) => accessTo(url, registered);
}
