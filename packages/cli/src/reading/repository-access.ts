import { normaliseRepositoryUrl, type RepositoryAccess } from '@tiphys/engine';
import { type Actor, listRepositories, type OperationPorts, type Repository } from '@tiphys/operations';

const credentialNames = [
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
    credentialNames.flatMap((name) => {
      const value = repository[name] ?? '';
      return value === '' ? [] : [[name, value] as const];
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

/** How to reach each repository: by its own Secret, and by the longest registered prefix where that has no credentials. */
export async function readRepositoryAccess(
  actor: Actor,
  ports: OperationPorts,
  signal: AbortSignal,
): Promise<(url: string) => RepositoryAccess> {
  const [own, prefixes] = await Promise.all([
    listRepositories(actor, { signal }, ports),
    listRepositories(actor, { signal, type: 'repo-creds' }, ports),
  ]);
  const repositories = own.map(accessOf);
  const templates = prefixes.map(accessOf);
  return (url) => {
    const wanted = normaliseRepositoryUrl(url);
    const registered = repositories.find((one) => normaliseRepositoryUrl(one.url) === wanted);
    if (registered?.credentials !== undefined) return { ...registered, url };
    const [template] = templates
      .filter((one) => wanted.startsWith(normaliseRepositoryUrl(one.url)))
      .sort((a, b) => b.url.length - a.url.length);
    return { ...template, ...registered, ...(template?.credentials && { credentials: template.credentials }), url };
  };
}
