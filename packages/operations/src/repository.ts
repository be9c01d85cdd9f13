import { CodedError, type KubeObject, normaliseRepositoryUrl, stringAt } from '@tiphys/api';
import type { ApiResource } from '@tiphys/kube';
import type { Actor, Cancelable, OperationPorts } from './actor.ts';

const keys = [
  'type',
  'url',
  'name',
  'project',
  'username',
  'password',
  'bearerToken',
  'sshPrivateKey',
  'insecure',
  'insecureIgnoreHostKey',
  'enableLfs',
  'depth',
  'tlsClientCertData',
  'tlsClientCertKey',
  'enableOCI',
  'insecureOCIForceHttp',
  'forceHttpBasicAuth',
  'proxy',
  'noProxy',
  'githubAppID',
  'githubAppInstallationID',
  'githubAppPrivateKey',
  'githubAppEnterpriseBaseUrl',
  'gcpServiceAccountKey',
  'useAzureWorkloadIdentity',
  'azureServicePrincipalClientId',
  'azureServicePrincipalClientSecret',
  'azureServicePrincipalTenantId',
  'azureActiveDirectoryEndpoint',
  'webhookManifestCacheWarmDisabled',
] as const;

/** The keys of a repository Secret (contract 12.8). */
export type RepositoryKey = (typeof keys)[number];

/** A repository as its Secret has it: every value is a string. It holds credentials: never printed whole, never logged. */
export type Repository = Readonly<Partial<Record<RepositoryKey, string>>> & Readonly<{ url: string }>;

const secretResource: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: [],
  categories: [],
  subresources: [],
  preferred: true,
};

const secretTypeLabel = 'argocd.argoproj.io/secret-type';

/** A repository as its Secret has it. */
export function readRepository(secret: KubeObject): Repository {
  const entries = keys.flatMap((key) => {
    const encoded = stringAt(secret, 'data', key);
    return encoded === undefined ? [] : [[key, Buffer.from(encoded, 'base64').toString('utf8')] as const];
  });
  return { url: '', ...Object.fromEntries(entries) };
}

type Listing = Cancelable & Readonly<{ type?: 'repository' | 'repo-creds' }>;

async function repositorySecrets(request: Listing, ports: OperationPorts): Promise<readonly KubeObject[]> {
  const labelSelector = `${secretTypeLabel}=${request.type ?? 'repository'}`;
  const { items } = await ports.kube.list(secretResource, {
    namespace: ports.namespace,
    labelSelector,
    signal: request.signal,
  });
  return items;
}

/**
 * The registered repositories by URL, or the credentials for URL prefixes (`repo-creds`). Secrets are in the answer: show `url`,
 * `type`, `name` and `project` only.
 */
export async function listRepositories(
  actor: Actor,
  request: Listing,
  ports: OperationPorts,
): Promise<readonly Repository[]> {
  const secrets = await repositorySecrets(request, ports);
  return secrets.map(readRepository).sort((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0));
}

/** FNV-1a, 32 bits: the names of Secrets made here are those that other tools make for the same repository. */
function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** `test` connects to the repository before it is stored, and throws when it cannot. */
export type AddRepositoryRequest = Cancelable &
  Readonly<{ repository: Repository; upsert: boolean; test?: (repository: Repository) => Promise<void> }>;

function requireComplete(repository: Repository): void {
  const { type = 'git', url, name = '' } = repository;
  if (url === '') throw new CodedError('cli/usage', 'the URL of the repository is missing');
  if (!['git', 'helm', 'oci'].includes(type))
    throw new CodedError('cli/usage', `--type takes git, helm or oci, not "${type}"`);
  if (type === 'helm' && name === '')
    throw new CodedError('cli/usage', 'a repository of type helm needs a name: --name');
}

function secretFor(repository: Repository, ports: OperationPorts): KubeObject {
  const data = Object.entries(repository).filter(([, value]) => value !== '');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `repo-${fnv32a(repository.url + (repository.project ?? ''))}`,
      namespace: ports.namespace,
      labels: { [secretTypeLabel]: 'repository' },
      annotations: { 'managed-by': 'argocd.argoproj.io' },
    },
    data: Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')])),
  };
}

const isSame = (a: Repository, b: Repository): boolean => keys.every((key) => (a[key] ?? '') === (b[key] ?? ''));

/**
 * Registers a repository as a Secret (REPO-16). One for the same URL and project with other settings needs `upsert`.
 * @throws CodedError cli/usage, operation/conflict, and what `test` throws
 */
export async function addRepository(
  actor: Actor,
  request: AddRepositoryRequest,
  ports: OperationPorts,
): Promise<'created' | 'updated' | 'unchanged'> {
  const repository: Repository = { type: 'git', ...request.repository };
  requireComplete(repository);
  await request.test?.(repository);
  const url = normaliseRepositoryUrl(repository.url);
  const secrets = await repositorySecrets(request, ports);
  const existing = secrets.find((secret) => {
    const stored = readRepository(secret);
    return normaliseRepositoryUrl(stored.url) === url && (stored.project ?? '') === (repository.project ?? '');
  });
  const secret = secretFor(repository, ports);
  if (existing === undefined) {
    await ports.kube.create(secret, { signal: request.signal, fieldManager: 'tiphys' });
    return 'created';
  }
  if (isSame({ ...readRepository(existing), type: readRepository(existing).type ?? 'git' }, repository))
    return 'unchanged';
  if (!request.upsert)
    throw new CodedError(
      'operation/conflict',
      `repository ${repository.url} is there already with other settings; --upsert replaces them`,
    );
  // A Secret that somebody declared keeps its name and labels (contract 19.17); the credentials are replaced whole.
  await ports.kube.replace({ ...existing, data: secret['data'] }, { signal: request.signal, fieldManager: 'tiphys' });
  return 'updated';
}
