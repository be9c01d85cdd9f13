import { type Argument, durationMs, flag, kebab, option, options } from './define-command.ts';
import type { ConnectionFlags } from './io.ts';

const ignored = <T>(
  names: readonly string[],
  make: (doc: string, extras: Readonly<{ hidden: boolean }>) => Argument<T>,
): Readonly<Record<string, Argument<T>>> =>
  Object.fromEntries(names.map((name) => [name, make('Ignored in core mode', { hidden: true })]));

/** Flags that every command takes, before or after its name. */
export const globalOptions = {
  kubeconfig: option('Path of the kubeconfig file', { value: 'path' }),
  context: option('Context of the kubeconfig', { value: 'name' }),
  kubeContext: option('The same as --context', { value: 'name', hidden: true }),
  namespace: option('Namespace of the control plane (default argocd)', { short: 'n', value: 'name' }),
  cluster: option('Cluster of the kubeconfig, instead of that of the context', { value: 'name' }),
  user: option('User of the kubeconfig, instead of that of the context', { value: 'name' }),
  as: option('User to act as', { value: 'user' }),
  asGroup: options('Group to act as; may be repeated', { value: 'group' }),
  asUid: option('UID to act as', { value: 'uid' }),
  token: option('Bearer token for the API server', { value: 'token' }),
  username: option('User for basic authentication', { value: 'user' }),
  password: option('Password for basic authentication', { value: 'password' }),
  certificateAuthority: option('File with the certificate authority of the API server', { value: 'path' }),
  clientCertificate: option('File with the client certificate', { value: 'path' }),
  clientKey: option('File with the key of the client certificate', { value: 'path' }),
  tlsServerName: option("Name to check the API server's certificate against", { value: 'name' }),
  proxyUrl: option('Proxy to the API server', { value: 'url' }),
  insecureSkipTlsVerify: flag("Do not check the API server's certificate"),
  requestTimeout: option('Longest wait for one request, such as 30s', { value: 'duration' }),
  core: flag('Talk to the Kubernetes API directly; this is the default and so far the only way'),
  // Accepted because scripts have them; they concern the API server of the product, which core mode does not use.
  ...ignored(
    ['insecure', 'plaintext', 'grpcWeb', 'promptsEnabled', 'portForward', 'redisCompress', 'disableCompression'],
    flag,
  ),
  ...ignored(
    [
      'server',
      'authToken',
      'argocdContext',
      'clientCrt',
      'clientCrtKey',
      'config',
      'controllerName',
      'grpcWebRootPath',
      'httpRetryMax',
      'logformat',
      'loglevel',
      'portForwardNamespace',
      'redisHaproxyName',
      'redisName',
      'repoServerName',
      'serverCrt',
      'serverName',
    ],
    option,
  ),
  header: options('Ignored in core mode', { short: 'H', hidden: true }),
} satisfies Readonly<Record<string, Argument<unknown>>>;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The connection that the global flags describe. @throws TypeError for a bad duration */
export function connectionOf(values: Readonly<Record<string, unknown>>): ConnectionFlags {
  const timeout = textOf(values['requestTimeout']);
  const requestTimeoutMs = timeout === undefined ? undefined : durationMs(timeout);
  if (timeout !== undefined && requestTimeoutMs === undefined)
    throw new TypeError(`--request-timeout: expected a duration such as 30s, got "${timeout}"`);
  const groups: unknown = values['asGroup'];
  return {
    kubeconfig: textOf(values['kubeconfig']),
    context: textOf(values['context']) ?? textOf(values['kubeContext']),
    cluster: textOf(values['cluster']),
    user: textOf(values['user']),
    token: textOf(values['token']),
    username: textOf(values['username']),
    password: textOf(values['password']),
    as: textOf(values['as']),
    asGroups: Array.isArray(groups) ? groups.map(String) : undefined,
    asUid: textOf(values['asUid']),
    certificateAuthority: textOf(values['certificateAuthority']),
    clientCertificate: textOf(values['clientCertificate']),
    clientKey: textOf(values['clientKey']),
    tlsServerName: textOf(values['tlsServerName']),
    proxyUrl: textOf(values['proxyUrl']),
    insecureSkipTlsVerify: values['insecureSkipTlsVerify'] === true,
    requestTimeoutMs,
  };
}

/** Namespace of the control plane, where a flag names it. */
export const namespaceOf = (values: Readonly<Record<string, unknown>>): string | undefined =>
  textOf(values['namespace']);

const takesValue = new Set(
  Object.entries(globalOptions).flatMap(([name, argument]) => {
    if (argument.arity === 'flag') return [];
    return argument.short === undefined ? [`--${kebab(name)}`] : [`--${kebab(name)}`, `-${argument.short}`];
  }),
);

/** Where in a command line the words stand that may name a command: no flags, and no values of global flags. */
export function wordPositions(argv: readonly string[]): readonly number[] {
  const positions: number[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') break;
    if (takesValue.has(argument)) index++;
    else if (!argument.startsWith('-')) positions.push(index);
  }
  return positions;
}
