import { type Argument, durationMs, flag, kebab, option, options } from './define-command.ts';
import type { ConnectionFlags } from './io.ts';

/** Flags that every command takes, before or after its name. */
export const globalOptions = {
  kubeconfig: option('Path of the kubeconfig file', { value: 'path' }),
  context: option('Context of the kubeconfig', { value: 'name' }),
  kubeContext: option('The same as --context', { value: 'name', hidden: true }),
  namespace: option('Namespace of the control plane (default argocd)', { short: 'n', value: 'name' }),
  as: option('User to act as', { value: 'user' }),
  asGroup: options('Group to act as; may be repeated', { value: 'group' }),
  token: option('Bearer token for the API server', { value: 'token' }),
  certificateAuthority: option('File with the certificate authority of the API server', { value: 'path' }),
  insecureSkipTlsVerify: flag("Do not check the API server's certificate"),
  requestTimeout: option('Longest wait for one request, such as 30s', { value: 'duration' }),
  core: flag('Talk to the Kubernetes API directly; this is the default and so far the only way'),
  // Accepted because scripts have them; they concern the API server of the product, which core mode does not use.
  ...Object.fromEntries(
    ['insecure', 'plaintext', 'grpcWeb', 'promptsEnabled'].map((name) => [
      name,
      flag('Ignored in core mode', { hidden: true }),
    ]),
  ),
  ...Object.fromEntries(
    [
      'server',
      'authToken',
      'argocdContext',
      'config',
      'loglevel',
      'logformat',
      'grpcWebRootPath',
      'controllerName',
    ].map((name) => [name, option('Ignored in core mode', { hidden: true })]),
  ),
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
    token: textOf(values['token']),
    as: textOf(values['as']),
    asGroups: Array.isArray(groups) ? groups.map(String) : undefined,
    certificateAuthority: textOf(values['certificateAuthority']),
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
