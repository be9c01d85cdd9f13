import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { at, CodedError, isRecord, listAt, messageOf, parseYaml, stringAt } from '@tiphys/api';
import type { ExecCredentials } from './credentials.ts';
import type { ClusterConfig, Credentials } from './types.ts';

export type KubeconfigOptions = Readonly<{
  /** The context to use instead of the file's `current-context`. */
  context?: string | undefined;
  /** The cluster and the user to use instead of those of the context. */
  cluster?: string | undefined;
  user?: string | undefined;
  /** Folder of the file: relative paths in it start there. */
  baseDir: string;
  /** Reads a file that the kubeconfig names; node:fs when absent. */
  readFile?: ((path: string) => string) | undefined;
}>;

/** Contexts of a kubeconfig, for choosing one. */
export type KubeconfigContexts = Readonly<{ names: readonly string[]; current: string | undefined }>;

const invalid = (message: string): CodedError => new CodedError('kubeconfig/invalid', `kubeconfig: ${message}`);

function parse(text: string): unknown {
  try {
    const file = parseYaml(text, 'kubeconfig');
    if (isRecord(file)) return file;
  } catch (error) {
    throw new CodedError('kubeconfig/invalid', messageOf(error), { cause: error });
  }
  throw invalid('the file is no mapping');
}

const contextsOf = (file: unknown): string[] => listAt(file, 'contexts').flatMap((one) => stringAt(one, 'name') ?? []);

/** Lists the contexts of a kubeconfig. @throws CodedError kubeconfig/invalid */
export function listContexts(text: string): KubeconfigContexts {
  const file = parse(text);
  const current = stringAt(file, 'current-context');
  return { names: contextsOf(file), current: current === '' ? undefined : current };
}

type Reader = Readonly<{
  /** The content of a `-data` field (base64) or else of the file that its sister names. */
  material: (value: unknown, field: string, where: string) => string | undefined;
  path: (value: string) => string;
}>;

function openReader({ baseDir, readFile = (path) => readFileSync(path, 'utf8') }: KubeconfigOptions): Reader {
  const path = (value: string): string => (isAbsolute(value) ? value : resolve(baseDir, value));
  return {
    path,
    material: (value, field, where) => {
      const inline = stringAt(value, `${field}-data`) ?? '';
      if (inline !== '') return Buffer.from(inline, 'base64').toString();
      const file = stringAt(value, field) ?? '';
      if (file === '') return undefined;
      try {
        return readFile(path(file));
      } catch (error) {
        throw invalid(`${where}.${field}: ${messageOf(error)}`);
      }
    },
  };
}

function named(file: unknown, list: 'clusters' | 'users' | 'contexts', name: string): unknown {
  const one = list.slice(0, -1);
  const found = listAt(file, list).find((entry) => stringAt(entry, 'name') === name);
  if (found === undefined) throw invalid(`there is no ${one} "${name}"`);
  return at(found, one) ?? {};
}

function readExec(exec: unknown, { path }: Reader, where: string): ExecCredentials {
  const command = stringAt(exec, 'command') ?? '';
  const apiVersion = stringAt(exec, 'apiVersion') ?? '';
  if (command === '') throw invalid(`${where}.exec.command is missing`);
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(apiVersion))
    throw invalid(`${where}.exec.apiVersion: "${apiVersion}" is not client.authentication.k8s.io/v1 or v1beta1`);
  return {
    // A name alone is looked up on the PATH; anything with a slash starts at the kubeconfig.
    command: command.includes('/') ? path(command) : command,
    args: listAt(exec, 'args').filter((arg) => typeof arg === 'string'),
    env: Object.fromEntries(
      listAt(exec, 'env').map((entry) => [stringAt(entry, 'name') ?? '', stringAt(entry, 'value') ?? '']),
    ),
    apiVersion,
    installHint: stringAt(exec, 'installHint'),
    provideClusterInfo: at(exec, 'provideClusterInfo') === true,
  };
}

function readCredentials(user: unknown, reader: Reader, where: string): Credentials {
  const exec = at(user, 'exec');
  if (isRecord(exec)) return { kind: 'exec', exec: readExec(exec, reader, where) };
  if (at(user, 'auth-provider') !== undefined)
    throw invalid(`${where}.auth-provider is no longer part of Kubernetes; use an exec plugin`);
  // The file wins over the text beside it: it is the one that is rotated.
  const tokenFile = stringAt(user, 'tokenFile') ?? '';
  if (tokenFile !== '') return { kind: 'token-file', path: reader.path(tokenFile) };
  const token = stringAt(user, 'token') ?? '';
  if (token !== '') return { kind: 'token', token };
  const username = stringAt(user, 'username') ?? '';
  return username === '' ? { kind: 'none' } : { kind: 'basic', username, password: stringAt(user, 'password') ?? '' };
}

function readCertificate(user: unknown, reader: Reader, where: string): ClusterConfig['clientCertificate'] {
  const cert = reader.material(user, 'client-certificate', where);
  const key = reader.material(user, 'client-key', where);
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw invalid(`${where}: client-certificate and client-key belong together, and one of them is missing`);
  return { cert, key };
}

function readImpersonation(user: unknown): ClusterConfig['impersonate'] {
  const name = stringAt(user, 'as') ?? '';
  if (name === '') return undefined;
  const groups = listAt(user, 'as-groups').filter((group) => typeof group === 'string');
  return { user: name, groups, uid: stringAt(user, 'as-uid') };
}

/** A server URL: `https://HOST[:PORT][/PATH]`, or http. @throws CodedError through `fail` */
export function checkServer(server: string, fail: (message: string) => CodedError): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw fail(`"${server}" is no http or https URL`);
  return server;
}

/**
 * Reads a kubeconfig and takes one context of it, with every form of authentication that kubectl knows and Kubernetes still has.
 * Files of certificates are read now, token files and exec plugins when a call needs them.
 * @throws CodedError kubeconfig/invalid that names the bad field
 */
export function loadKubeconfig(text: string, options: KubeconfigOptions): ClusterConfig {
  const file = parse(text);
  const chosen = options.context ?? stringAt(file, 'current-context') ?? '';
  const all = contextsOf(file);
  if (chosen === '')
    throw invalid(`no context is chosen: current-context is empty; there are: ${all.join(', ') || 'none'}`);
  if (!all.includes(chosen)) throw invalid(`there is no context "${chosen}"; there are: ${all.join(', ') || 'none'}`);
  const context = named(file, 'contexts', chosen);
  const clusterName = options.cluster ?? stringAt(context, 'cluster') ?? '';
  const userName = options.user ?? stringAt(context, 'user') ?? '';
  const cluster = named(file, 'clusters', clusterName);
  const user = userName === '' ? {} : named(file, 'users', userName);
  const reader = openReader(options);
  const [where, whose] = [`cluster "${clusterName}"`, `user "${userName}"`];
  const ca = reader.material(cluster, 'certificate-authority', where);
  const insecure = at(cluster, 'insecure-skip-tls-verify') === true;
  if (insecure && ca !== undefined)
    throw invalid(`${where}: insecure-skip-tls-verify and certificate-authority exclude each other`);
  const proxyUrl = stringAt(cluster, 'proxy-url') ?? '';
  const tlsServerName = stringAt(cluster, 'tls-server-name') ?? '';
  const credentials = readCredentials(user, reader, whose);
  return {
    name: chosen,
    server: checkServer(stringAt(cluster, 'server') ?? '', (message) => invalid(`${where}.server: ${message}`)),
    namespace: stringAt(context, 'namespace'),
    ca,
    insecure,
    disableCompression: at(cluster, 'disable-compression') === true,
    tlsServerName: tlsServerName === '' ? undefined : tlsServerName,
    proxyUrl: proxyUrl === '' ? undefined : proxyUrl,
    clientCertificate: readCertificate(user, reader, whose),
    credentials: withClusterExtension(credentials, cluster),
    impersonate: readImpersonation(user),
  };
}

/** Configuration for exec plugins lies in an extension of the cluster. */
function withClusterExtension(credentials: Credentials, cluster: unknown): Credentials {
  if (credentials.kind !== 'exec') return credentials;
  const extension = listAt(cluster, 'extensions').find(
    (one) => stringAt(one, 'name') === 'client.authentication.k8s.io/exec',
  );
  if (extension === undefined) return credentials;
  return { kind: 'exec', exec: { ...credentials.exec, config: at(extension, 'extension') } };
}

/** Reads a kubeconfig file from disk. @throws CodedError kubeconfig/invalid */
export function loadKubeconfigFile(
  path: string,
  chosen: Pick<KubeconfigOptions, 'context' | 'cluster' | 'user'> = {},
): ClusterConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('kubeconfig/invalid', `kubeconfig: ${messageOf(error)}`, { cause: error });
  }
  return loadKubeconfig(text, { ...chosen, baseDir: dirname(resolve(path)) });
}
