import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@tiphys/api';

/** Secrets for a repository; which of them count depends on the URL's scheme. */
export type RepositoryCredentials = Readonly<{
  username?: string;
  password?: string;
  bearerToken?: string;
  sshPrivateKey?: string;
  /** PEM. */
  tlsClientCertData?: string;
  /** PEM. */
  tlsClientCertKey?: string;
}>;

/** A repository and how it is reached. */
export type RepositoryAccess = Readonly<{
  /** `https://`, `http://`, `ssh://`, `user@host:path`, `file://` or an absolute path. */
  url: string;
  credentials?: RepositoryCredentials;
  /** Do not check the server's certificate. */
  insecure?: boolean;
  /** Do not check the server's SSH key. */
  insecureIgnoreHostKey?: boolean;
  /** Lines of a `known_hosts` file. */
  knownHosts?: string;
  /** Certificates (PEM) that are trusted for this server, in place of the system's. */
  caPem?: string;
  proxy?: string;
  /** Comma-separated hosts that are reached without the proxy. */
  noProxy?: string;
  enableLfs?: false;
}>;

/** A repository URL taken apart: what git is given, and the user and password that stood in it. */
export type RepositoryAddress = Readonly<{
  scheme: 'https' | 'http' | 'ssh' | 'file';
  /** Without userinfo for http(s): what git is given and what errors name. */
  url: string;
  host: string;
  username?: string;
  password?: string;
  /** For `file` only. */
  directory?: string;
}>;

const scpForm = /^(?:([\w.+-]+)@)?([\w.-]+|\[[\da-fA-F:]+\]):(?!\/\/)(.+)$/;

const invalid = (url: string, why: string): CodedError =>
  new CodedError('git/url-invalid', `${describeRepository(url)}: ${why}`);

/** A URL without user and password, for messages and logs. */
export const describeRepository = (url: string): string => url.replace(/^([a-z][\w+.-]*:\/\/)[^/@]*@/i, '$1');

function parseFile(url: string): RepositoryAddress {
  let directory: string;
  try {
    directory = url.startsWith('/') ? url : fileURLToPath(url);
  } catch {
    throw invalid(url, 'not a file URL with an absolute path');
  }
  return { scheme: 'file', url: `file://${directory}`, host: '', directory };
}

function parseStandard(text: string): RepositoryAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(text, 'not a URL');
  }
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh')
    throw invalid(text, `"${scheme}" is not supported; use https, ssh or file`);
  if (url.hostname === '' || url.hostname.startsWith('-')) throw invalid(text, 'it has no host');
  // A user that begins with a dash would be an option of ssh.
  if (url.username.startsWith('-') || url.pathname.startsWith('/-')) throw invalid(text, 'it holds an option');
  if (scheme === 'ssh') return { scheme, url: text, host: url.host };
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return {
    scheme,
    url: url.href,
    host: url.host,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}

/**
 * Takes a repository URL apart.
 * @throws CodedError git/url-invalid for other schemes (`ext::`, `git:`), leading dashes and what is no URL
 */
export function parseRepositoryUrl(text: string): RepositoryAddress {
  const url = text.trim();
  if (url === '' || url.startsWith('-') || /[\x00-\x1f\x7f]/.test(url)) throw invalid(url, 'not a repository URL');
  if (/^[\w+.-]+::/.test(url)) throw invalid(url, 'transport helpers are not supported; use https, ssh or file');
  if (url.startsWith('/') || /^file:\/\//i.test(url)) return parseFile(url);
  if (url.includes('://')) return parseStandard(url);
  const scp = scpForm.exec(url);
  if (scp === null) throw invalid(url, 'not a URL; write https://host/path, git@host:path or file:///path');
  const [, user = '', host = '', path = ''] = scp;
  if (host.startsWith('-') || user.startsWith('-') || path.startsWith('-')) throw invalid(url, 'it holds an option');
  return { scheme: 'ssh', url, host };
}

const trimPath = (path: string): string =>
  path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/+$/, '');

/**
 * One text for all ways to write the same repository: with and without `.git`, a trailing slash, userinfo, the short ssh form.
 * A URL that cannot be read is answered as it is.
 */
export function normaliseRepositoryUrl(text: string): string {
  let address: RepositoryAddress;
  try {
    address = parseRepositoryUrl(text);
  } catch {
    return text.trim();
  }
  if (address.scheme === 'file') return `file://${trimPath(address.directory ?? '') || '/'}`;
  if (!address.url.includes('://')) {
    const [, user, host = '', path = ''] = scpForm.exec(address.url) ?? [];
    return `ssh://${user === undefined ? '' : `${user}@`}${host.toLowerCase()}/${trimPath(path.replace(/^\/+/, ''))}`;
  }
  const url = new URL(address.url);
  const user = address.scheme === 'ssh' && url.username !== '' ? `${url.username}@` : '';
  const port = address.scheme === 'ssh' && url.port === '22' ? url.hostname : url.host;
  return `${address.scheme}://${user}${port.toLowerCase()}${trimPath(url.pathname)}`;
}

/** Every secret of a repository, to be struck from what its tools say. */
export function secretsOf({ url, credentials = {} }: RepositoryAccess): readonly string[] {
  const inUrl = /^[a-z][\w+.-]*:\/\/([^/@]*)@/i.exec(url)?.[1]?.split(':')[1];
  const { password, bearerToken, sshPrivateKey, tlsClientCertKey } = credentials;
  const found = [password, bearerToken, sshPrivateKey, tlsClientCertKey, inUrl];
  return found
    .filter((secret) => secret !== undefined && secret.length >= 3)
    .flatMap((secret) => [secret ?? '', encodeURIComponent(secret ?? '')]);
}

/** Text without the secrets of a repository and without userinfo in any URL. */
export function withoutSecrets(text: string, access: RepositoryAccess): string {
  const struck = secretsOf(access).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return struck.replace(/([a-z][\w+.-]*:\/\/)[^/@\s]+@/gi, '$1');
}

/** Names the store of a repository: one per URL and per set of credentials, so that nobody reads what another fetched. */
export function scopeOf(access: RepositoryAccess): string {
  const { credentials = {} } = access;
  const inUrl = /^[a-z][\w+.-]*:\/\/([^/@]*)@/i.exec(access.url)?.[1] ?? '';
  const parts = [normaliseRepositoryUrl(access.url), inUrl, ...Object.entries(credentials).sort().flat()];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
