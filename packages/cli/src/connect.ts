import { CodedError, type Clock, type Logger, messageOf } from '@tiphys/api';
import type * as Kube from '@tiphys/kube';
import type { ClusterConfig, KubeClient } from '@tiphys/kube';
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
  const { readFile } = await import('node:fs/promises');
  const read = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => undefined) })),
  );
  return read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
}

async function configOf(
  kube: typeof Kube,
  flags: ConnectionFlags,
  settings: ConnectionSettings,
): Promise<ClusterConfig> {
  if (flags.kubeconfig !== undefined) return kube.loadKubeconfigFile(flags.kubeconfig, flags.context);
  const files = await existing(settings.kubeconfigPaths);
  const holds = ({ text }: { text: string }): boolean => {
    const { names, current } = kube.listContexts(text);
    return flags.context === undefined ? current !== undefined : names.includes(flags.context);
  };
  const chosen = files.length === 1 ? files[0] : (files.find(holds) ?? files[0]);
  if (chosen !== undefined) return kube.loadKubeconfigFile(chosen.path, flags.context);
  const { inCluster } = settings;
  if (inCluster !== undefined) return kube.inCluster(inCluster);
  throw new CodedError(
    'kubeconfig/invalid',
    `no cluster to talk to: there is no ${settings.kubeconfigPaths.join(' and no ')}; set KUBECONFIG or give --kubeconfig`,
  );
}

async function withFlags(config: ClusterConfig, flags: ConnectionFlags): Promise<ClusterConfig> {
  const { readFile } = await import('node:fs/promises');
  const { certificateAuthority: file } = flags;
  const ca =
    file === undefined
      ? config.ca
      : await readFile(file, 'utf8').catch((error: unknown) => {
          throw new CodedError('cli/usage', `--certificate-authority: ${messageOf(error)}`, { cause: error });
        });
  return {
    ...config,
    ca: flags.insecureSkipTlsVerify === true ? undefined : ca,
    ...(flags.insecureSkipTlsVerify === true && { insecure: true }),
    ...(flags.token !== undefined && { credentials: { kind: 'token', token: flags.token } }),
    ...(flags.as !== undefined && { impersonate: { user: flags.as, groups: flags.asGroups } }),
  };
}

/** Opens the client that the flags of a command line describe. The client package is loaded here, by those who need it. */
export async function connectToCluster(
  flags: ConnectionFlags,
  settings: ConnectionSettings,
  ports: Readonly<{ log: Logger; clock: Clock }>,
): Promise<KubeClient> {
  const kube = await import('@tiphys/kube');
  const config = await withFlags(await configOf(kube, flags, settings), flags);
  const { requestTimeoutMs } = flags;
  return kube.connect(
    config,
    {
      userAgent: settings.userAgent,
      execEnvironment: settings.execEnvironment,
      ...(requestTimeoutMs !== undefined && requestTimeoutMs > 0 && { timeoutMs: requestTimeoutMs }),
    },
    ports,
  );
}
