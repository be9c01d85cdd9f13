import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@tiphys/api';

/** What the environment says. This is the only file of the product that reads it. */
export type Environment = Readonly<{
  home: string;
  /** Rendered trees, repositories and the like; may be deleted at any time. */
  cacheDir: string;
  /** Paths from KUBECONFIG, or the default one. */
  kubeconfigPaths: readonly string[];
  /** Environment of exec credential plugins. */
  execEnvironment: Readonly<Record<string, string>>;
  /** Where the pod's service account is, when there is one. */
  inCluster: Readonly<{ host: string; port: string }> | undefined;
  helm: string | undefined;
  kustomize: string | undefined;
  path: string;
  /** Folders of the user that no render tool may see. */
  privatePaths: readonly string[];
  /** What git needs of the environment: proxies, certificate folders, the SSH agent. */
  gitEnvironment: Readonly<Record<string, string>>;
  colour: boolean;
  /** What edits a file: KUBE_EDITOR, EDITOR, or vi. */
  editor: string;
  logLevel: string;
  logFormat: 'json' | 'text';
  /** Control plane's namespace (`ARGOCD_NAMESPACE`), when set. */
  namespace: string | undefined;
  /** `ARGOCD_OPTS`: flags put in front of the command line. */
  options: readonly string[];
  syncWaveDelaySeconds: number | undefined;
  /** Variables that limit rendering, as they are written; render-limits.ts reads them. */
  renderVariables: Readonly<Record<string, string>>;
}>;

/** Root of the checkout, or of the unpacked package. */
export const programRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const numberOf = (text: string | undefined, name: string): number | undefined => {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new CodedError('config/invalid', `${name}: "${text}" is not a number`);
  return value;
};

const gitVariables = [
  'ALL_PROXY',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'all_proxy',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSH_AUTH_SOCK',
  'SSL_CERT_DIR',
  'SSL_CERT_FILE',
] as const;

const pick = (env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

/** Reads the environment once, at the start. */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const home = env.HOME ?? homedir();
  const cacheHome = env.XDG_CACHE_HOME ?? (home === '' ? tmpdir() : join(home, '.cache'));
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  return {
    home,
    cacheDir: env.TIPHYS_CACHE_DIR ?? join(cacheHome, 'tiphys'),
    kubeconfigPaths:
      env.KUBECONFIG === undefined || env.KUBECONFIG === ''
        ? [join(home, '.kube', 'config')]
        : env.KUBECONFIG.split(':'),
    execEnvironment: Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    inCluster: host === undefined || port === undefined ? undefined : { host, port },
    helm: env.TIPHYS_HELM,
    kustomize: env.TIPHYS_KUSTOMIZE,
    path: env.PATH ?? '',
    privatePaths: ['.kube', '.ssh', '.aws', '.gnupg', '.docker'].map((name) => join(home, name)),
    gitEnvironment: pick(env, gitVariables),
    editor: [env.KUBE_EDITOR, env.EDITOR].find((word) => word !== undefined && word.trim() !== '') ?? 'vi',
    colour: env.NO_COLOR === undefined || env.NO_COLOR === '',
    logLevel: env.ARGOCD_LOG_LEVEL ?? 'info',
    logFormat: env.ARGOCD_LOG_FORMAT === 'text' ? 'text' : 'json',
    namespace: env.ARGOCD_NAMESPACE,
    options: (env.ARGOCD_OPTS ?? '').split(/\s+/).filter((word) => word !== ''),
    syncWaveDelaySeconds: numberOf(env.ARGOCD_SYNC_WAVE_DELAY, 'ARGOCD_SYNC_WAVE_DELAY'),
    renderVariables: pick(env, [
      'ARGOCD_EXEC_TIMEOUT',
      'ARGOCD_HELM_INDEX_CACHE_DURATION',
      'ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE',
    ]),
  };
}
