import { CodedError } from './error.ts';

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

/** @throws TypeError, URIError when it names another host, or what is no path */
function filePath({ host, pathname }: URL): string {
  if (host !== '' && host !== 'localhost') throw new TypeError('another host');
  if (/%2f/i.test(pathname)) throw new TypeError('an escaped slash');
  return decodeURIComponent(pathname);
}

function parseFile(url: string): RepositoryAddress {
  let directory: string;
  try {
    directory = url.startsWith('/') ? url : filePath(new URL(url));
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
 * A text that is no URL of a Git repository (an OCI registry) keeps all but the slash.
 */
export function normaliseRepositoryUrl(text: string): string {
  let address: RepositoryAddress;
  try {
    address = parseRepositoryUrl(text);
  } catch {
    return text.trim().replace(/\/+$/, '');
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
