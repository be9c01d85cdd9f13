import { createHash } from 'node:crypto';
import { normaliseRepositoryUrl } from '@tiphys/api';

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
  /**
   * `https://`, `http://`, `ssh://`, `user@host:path`, `file://` or an absolute path; for charts also a registry: `oci://host/path` or
   * `host/path`.
   */
  url: string;
  /** What it is registered as; charts may depend on it by that name. */
  name?: string;
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
  /** Some repository is registered on this host and port: it may be asked for files although its address is internal. */
  registeredHost?: boolean;
  /** `enableOCI`: the URL names a registry, and is written without a scheme. */
  enableOci?: boolean;
  /** `insecureOCIForceHttp`: the registry has no TLS. */
  forceHttp?: boolean;
}>;

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
  // Who trusts another server may be given something else by it.
  const { caPem, insecure = false, forceHttp = false } = access;
  const trust = Object.entries({ caPem, insecure, forceHttp }).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [name, String(value)],
  );
  const parts = [normaliseRepositoryUrl(access.url), inUrl, ...Object.entries(credentials).sort().flat(), ...trust];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
