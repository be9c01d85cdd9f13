import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '@tiphys/api';
import {
  type ClientPorts,
  type ClusterConfig,
  connect,
  inCluster,
  type KubeClient,
  listContexts,
  loadKubeconfigFile,
} from '@tiphys/kube';
import type { ConnectionFlags } from './io.ts';

/** Where a cluster is found when no flag says so. */
export type ConnectionSettings = Readonly<{
  /** Files of KUBECONFIG, or the default one; the first that has the context counts. */
  kubeconfigPaths: readonly string[];
  /** The API server of the pod that this runs in. */
  inCluster?: Readonly<{ host: string; port: string }> | undefined;
  /** Environment of exec credential plugins. */
  execEnvironment: Readonly<Record<string, string>>;
  userAgent: string;
}>;

/** The paths that can be read; loading one of the others would only say that it is not there. */
async function existing(paths: readonly string[]): Promise<readonly { path: string; text: string }[]> {
  const read = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => undefined) })),
  );
  return read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
}

async function configOf(flags: ConnectionFlags, settings: ConnectionSettings): Promise<ClusterConfig> {
  if (flags.kubeconfig !== undefined) return loadKubeconfigFile(flags.kubeconfig, flags);
  const files = await existing(settings.kubeconfigPaths);
  const holds = ({ text }: { text: string }): boolean => {
    const { names, current } = listContexts(text);
    return flags.context === undefined ? current !== undefined : names.includes(flags.context);
  };
  const chosen = files.length === 1 ? files[0] : (files.find(holds) ?? files[0]);
  if (chosen !== undefined) return loadKubeconfigFile(chosen.path, flags);
  if (settings.inCluster !== undefined) return inCluster(settings.inCluster);
  throw new CodedError(
    'kubeconfig/invalid',
    `no cluster to talk to: there is no ${settings.kubeconfigPaths.join(' and no ')}; set KUBECONFIG or give --kubeconfig`,
  );
}

/** The content of a file that a flag names. @throws CodedError cli/usage */
async function fileOf(path: string | undefined, flag: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new CodedError('cli/usage', `--${flag}: ${messageOf(error)}`, { cause: error });
  });
}

/** What is sent as Authorization: what the flags say goes before what the kubeconfig has. */
function credentialsOf(
  config: ClusterConfig,
  { token, username, password }: ConnectionFlags,
): ClusterConfig['credentials'] {
  if (token !== undefined) return { kind: 'token', token };
  if (username !== undefined) return { kind: 'basic', username, password: password ?? '' };
  return config.credentials;
}

async function withFlags(config: ClusterConfig, flags: ConnectionFlags): Promise<ClusterConfig> {
  const [ca, cert, key] = await Promise.all([
    fileOf(flags.certificateAuthority, 'certificate-authority'),
    fileOf(flags.clientCertificate, 'client-certificate'),
    fileOf(flags.clientKey, 'client-key'),
  ]);
  if ((cert === undefined) !== (key === undefined))
    throw new CodedError('cli/usage', '--client-certificate and --client-key go together');
  if (flags.as === undefined && (flags.asUid !== undefined || (flags.asGroups ?? []).length > 0))
    throw new CodedError('cli/usage', '--as-group and --as-uid need --as');
  return {
    ...config,
    ca: flags.insecureSkipTlsVerify === true ? undefined : (ca ?? config.ca),
    ...(flags.insecureSkipTlsVerify === true && { insecure: true }),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert, key } }),
    ...(flags.tlsServerName !== undefined && { tlsServerName: flags.tlsServerName }),
    ...(flags.proxyUrl !== undefined && { proxyUrl: flags.proxyUrl }),
    credentials: credentialsOf(config, flags),
    ...(flags.as !== undefined && { impersonate: { user: flags.as, groups: flags.asGroups, uid: flags.asUid } }),
  };
}

/** Opens the client that the flags of a command line describe. */
export async function openClient(
  flags: ConnectionFlags,
  settings: ConnectionSettings,
  ports: ClientPorts,
): Promise<KubeClient> {
  const config = await withFlags(await configOf(flags, settings), flags);
  const { requestTimeoutMs } = flags;
  return connect(
    config,
    {
      userAgent: settings.userAgent,
      calls: 'few',
      execEnvironment: settings.execEnvironment,
      ...(requestTimeoutMs !== undefined && requestTimeoutMs > 0 && { timeoutMs: requestTimeoutMs }),
    },
    ports,
  );
}
