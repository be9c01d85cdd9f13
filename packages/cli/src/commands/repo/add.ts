import { addRepository, type Repository } from '@tiphys/operations';
import { type Argument, defineCommand, flag, kebab, option, positional } from '../../define-command.ts';
import type { CliIo } from '../../io.ts';
import { readInput } from '../../read-input.ts';
import type { RepositoryKey } from '@tiphys/operations';

/** Flags whose value is stored as it is, by the key of the Secret. */
const textKeys = {
  type: 'git (default), helm or oci',
  name: 'Name; required for helm',
  project: 'Project that the repository belongs to',
  username: 'User',
  password: 'Password',
  bearerToken: 'Bearer token',
  depth: 'Depth of a shallow clone',
  proxy: 'Proxy',
  noProxy: 'Hosts without proxy',
  githubAppId: 'Identity of the GitHub App',
  githubAppInstallationId: 'Installation of the GitHub App',
  githubAppEnterpriseBaseUrl: 'API of a GitHub Enterprise server',
  azureServicePrincipalClientId: 'Azure client',
  azureServicePrincipalClientSecret: 'Azure client secret',
  azureServicePrincipalTenantId: 'Azure tenant',
  azureActiveDirectoryEndpoint: 'Azure endpoint',
} as const;

const switchKeys = {
  insecureSkipServerVerification: 'Do not check the server',
  insecureIgnoreHostKey: 'Do not check the host key',
  enableLfs: 'Fetch large files',
  enableOci: 'The repository is an OCI registry',
  insecureOciForceHttp: 'Talk plain HTTP to the registry',
  forceHttpBasicAuth: 'Send credentials unasked',
  useAzureWorkloadIdentity: 'Use the Azure workload identity',
  webhookManifestCacheWarmDisabled: 'Do not render ahead on webhooks',
} as const;

const fileKeys = {
  sshPrivateKeyPath: 'File with the SSH private key',
  tlsClientCertPath: 'File with the client certificate',
  tlsClientCertKeyPath: "File with the client certificate's key",
  githubAppPrivateKeyPath: "File with the GitHub App's key",
  gcpServiceAccountKeyPath: 'File with the Google service account key',
} as const;

type FlagName = keyof typeof textKeys | keyof typeof switchKeys | keyof typeof fileKeys;

/** Where a flag's name is not the Secret's key. */
const renamed: Partial<Record<FlagName, RepositoryKey>> = {
  githubAppId: 'githubAppID',
  githubAppInstallationId: 'githubAppInstallationID',
  insecureSkipServerVerification: 'insecure',
  enableOci: 'enableOCI',
  insecureOciForceHttp: 'insecureOCIForceHttp',
  sshPrivateKeyPath: 'sshPrivateKey',
  tlsClientCertPath: 'tlsClientCertData',
  tlsClientCertKeyPath: 'tlsClientCertKey',
  githubAppPrivateKeyPath: 'githubAppPrivateKey',
  gcpServiceAccountKeyPath: 'gcpServiceAccountKey',
};

const argumentsFrom = <T>(
  docs: Readonly<Record<string, string>>,
  make: (doc: string) => Argument<T>,
): Readonly<Record<string, Argument<T>>> =>
  Object.fromEntries(Object.entries(docs).map(([name, doc]) => [name, make(doc)]));

async function repositoryOf(url: string, args: Readonly<Record<string, unknown>>, io: CliIo): Promise<Repository> {
  const stored: Record<string, string> = {};
  for (const name of [...Object.keys(textKeys), ...Object.keys(switchKeys), ...Object.keys(fileKeys)]) {
    const value = args[name];
    const key = Object.entries(renamed).find(([from]) => from === name)?.[1] ?? name;
    if (typeof value === 'boolean') stored[key] = String(value);
    else if (typeof value === 'string') stored[key] = name in fileKeys ? await readInput(value, io) : value;
  }
  return { ...stored, url };
}

export const repoAdd = defineCommand({
  summary: 'Register a repository',
  examples: [
    'repo add https://git.example.com/shop.git --username alice --password "$TOKEN"',
    `repo add git@git.example.com:shop.git --${kebab('sshPrivateKeyPath')} ~/.ssh/id_ed25519`,
    'repo add https://charts.example.com --type helm --name charts',
  ],
  args: {
    url: positional('URL of the repository'),
    upsert: flag('Replace settings that are there'),
    ...argumentsFrom(textKeys, (doc) => option(doc)),
    ...argumentsFrom(switchKeys, (doc) => flag(doc)),
    ...argumentsFrom(fileKeys, (doc) => option(doc, { value: 'path' })),
  },
  run: async (args, context) => {
    const { ports, actor, print, io, signal } = context;
    const repository = await repositoryOf(args.url, args, io);
    const { openConnectionTrial } = await import('../../reading/repository-connection.ts');
    await using trial = await openConnectionTrial(context);
    // What cannot be reached is not stored: a wrong password is best told to whoever just typed it.
    const request = { repository, upsert: args.upsert === true, test: trial.requireReachable, signal };
    const outcome = await addRepository(actor, request, await ports());
    print(`Repository '${args.url}' ${outcome === 'created' ? 'added' : outcome}\n`);
    return 0;
  },
});
