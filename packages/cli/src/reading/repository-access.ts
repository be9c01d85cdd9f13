import { type KubeObject, stringAt } from '@tiphys/api';
import { normaliseRepositoryUrl, type RepositoryAccess } from '@tiphys/engine';
import type { OperationPorts } from '@tiphys/operations';

const label = 'argocd.argoproj.io/secret-type';

function accessOf(secret: KubeObject): RepositoryAccess {
  const field = (name: string): string | undefined => {
    const encoded = stringAt(secret, 'data', name) ?? '';
    return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  const names = [
    'username',
    'password',
    'bearerToken',
    'sshPrivateKey',
    'tlsClientCertData',
    'tlsClientCertKey',
  ] as const;
  const credentials = Object.fromEntries(
    names.flatMap((name) => {
      const value = field(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const [proxy, noProxy] = [field('proxy'), field('noProxy')];
  return {
    url: field('url') ?? '',
    ...(Object.keys(credentials).length > 0 && { credentials }),
    insecure: field('insecure') === 'true',
    insecureIgnoreHostKey: field('insecureIgnoreHostKey') === 'true',
    ...(proxy !== undefined && { proxy }),
    ...(noProxy !== undefined && { noProxy }),
  };
}

/** How to reach each repository: by its own Secret, and by the longest registered prefix where that has no credentials. */
export async function readRepositoryAccess(
  ports: OperationPorts,
  signal: AbortSignal,
): Promise<(url: string) => RepositoryAccess> {
  const secrets = await ports.kube.resourceFor({ group: '', version: 'v1', kind: 'Secret' }, { signal });
  const of = async (type: string): Promise<readonly RepositoryAccess[]> => {
    const scope = { namespace: ports.namespace, labelSelector: `${label}=${type}`, signal };
    return (await ports.kube.list(secrets, scope)).items.map(accessOf);
  };
  const [repositories, templates] = await Promise.all([of('repository'), of('repo-creds')]);
  return (url) => {
    const wanted = normaliseRepositoryUrl(url);
    const own = repositories.find((one) => normaliseRepositoryUrl(one.url) === wanted);
    if (own?.credentials !== undefined) return { ...own, url };
    const [template] = templates
      .filter((one) => wanted.startsWith(normaliseRepositoryUrl(one.url)))
      .sort((a, b) => b.url.length - a.url.length);
    return { ...template, ...own, ...(template?.credentials && { credentials: template.credentials }), url };
  };
}
