import { at, CodedError, isRecord, listAt, messageOf, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import { checkServer } from './kubeconfig.ts';
import type { ClusterConfig, Credentials } from './types.ts';

/**
 * Reads a cluster Secret (Argo CD's declarative form: `name`, `server` and the JSON `config`).
 * `awsAuthConfig` is refused: the same is reached through `execProviderConfig`.
 * @throws CodedError config/invalid that names the Secret and the field, never a value
 */
export function fromClusterSecret(secret: KubeObject): ClusterConfig {
  const called = secret.metadata.name ?? '';
  const fail = (message: string): CodedError =>
    new CodedError('config/invalid', `cluster Secret ${called}: ${message}`);
  const field = (key: string): string => {
    const encoded = stringAt(secret, 'data', key);
    return encoded === undefined
      ? (stringAt(secret, 'stringData', key) ?? '')
      : Buffer.from(encoded, 'base64').toString();
  };
  const server = checkServer(field('server').trim(), (message) => fail(`server: ${message}`));
  const name = field('name').trim();
  const config = readConfig(field('config'), fail);
  const tls = at(config, 'tlsClientConfig');
  const decoded = (key: string): string | undefined => {
    const text = stringAt(tls, key) ?? '';
    return text === '' ? undefined : Buffer.from(text, 'base64').toString();
  };
  const [ca, cert, key] = [decoded('caData'), decoded('certData'), decoded('keyData')];
  const insecure = at(tls, 'insecure') === true;
  if (insecure && ca !== undefined)
    throw fail('config.tlsClientConfig: insecure and caData exclude each other; remove one of them');
  if ((cert === undefined) !== (key === undefined))
    throw fail('config.tlsClientConfig: certData and keyData belong together, and one of them is missing');
  const serverName = stringAt(tls, 'serverName') ?? '';
  const proxyUrl = stringAt(config, 'proxyUrl') ?? '';
  return {
    name: name === '' ? server : name,
    server,
    ca,
    insecure,
    disableCompression: at(config, 'disableCompression') === true,
    tlsServerName: serverName === '' ? undefined : serverName,
    proxyUrl: proxyUrl === '' ? undefined : proxyUrl,
    clientCertificate: cert === undefined || key === undefined ? undefined : { cert, key },
    credentials: readCredentials(config, fail),
  };
}

type Fail = (message: string) => CodedError;

function readConfig(text: string, fail: Fail): unknown {
  if (text.trim() === '') return {};
  try {
    const config = parseJson(text);
    if (isRecord(config)) return config;
  } catch (error) {
    // Parsers quote what they could not read, and here that may be a token.
    throw fail(
      `config is no JSON (${messageOf(error)
        .replace(/^input: /, '')
        .replace(/[,:]? ?"[\s\S]*$/, '')})`,
    );
  }
  throw fail('config is no JSON object');
}

function readCredentials(config: unknown, fail: Fail): Credentials {
  if (isRecord(at(config, 'awsAuthConfig')))
    throw fail(
      'config.awsAuthConfig is not supported; use execProviderConfig with a command that prints an ExecCredential',
    );
  const exec = at(config, 'execProviderConfig');
  if (isRecord(exec)) {
    const [command, apiVersion] = [stringAt(exec, 'command') ?? '', stringAt(exec, 'apiVersion') ?? ''];
    if (command === '') throw fail('config.execProviderConfig.command is missing');
    if (apiVersion === '') throw fail('config.execProviderConfig.apiVersion is missing');
    const env = at(exec, 'env');
    return {
      kind: 'exec',
      exec: {
        command,
        apiVersion,
        args: listAt(exec, 'args').filter((arg) => typeof arg === 'string'),
        env: Object.fromEntries(
          Object.entries(isRecord(env) ? env : {}).flatMap(([key, value]) =>
            typeof value === 'string' ? [[key, value]] : [],
          ),
        ),
        installHint: stringAt(exec, 'installHint'),
        provideClusterInfo: at(exec, 'provideClusterInfo') === true,
        config: at(exec, 'config'),
      },
    };
  }
  const token = stringAt(config, 'bearerToken') ?? '';
  if (token !== '') return { kind: 'token', token };
  const username = stringAt(config, 'username') ?? '';
  return username === '' ? { kind: 'none' } : { kind: 'basic', username, password: stringAt(config, 'password') ?? '' };
}
