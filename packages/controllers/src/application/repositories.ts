import { type KubeObject, stringAt } from '@tiphys/api';
import { normaliseRepositoryUrl, type RepositoryAccess } from '@tiphys/engine';

/** Credentials of repositories, from Secrets labelled `repository` (one URL) and `repo-creds` (a URL prefix; the longest wins). */
export interface Repositories {
  /** How to reach a URL; without credentials when none are registered for it. */
  access(url: string): RepositoryAccess;
  secretChanged(secret: KubeObject, type: 'repository' | 'repo-creds'): void;
  secretDeleted(secret: KubeObject): void;
}

type Entry = Readonly<{ type: 'repository' | 'repo-creds'; url: string; access: RepositoryAccess }>;

function readEntry(secret: KubeObject, type: Entry['type']): Entry {
  const field = (name: string): string | undefined => {
    const encoded = stringAt(secret, 'data', name);
    return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  const url = field('url') ?? '';
  const secretFields = {
    username: field('username'),
    password: field('password'),
    bearerToken: field('bearerToken'),
    sshPrivateKey: field('sshPrivateKey'),
    tlsClientCertData: field('tlsClientCertData'),
    tlsClientCertKey: field('tlsClientCertKey'),
  };
  const credentials = Object.fromEntries(Object.entries(secretFields).filter(([, value]) => value !== undefined));
  const proxy = field('proxy');
  const noProxy = field('noProxy');
  return {
    type,
    url,
    access: {
      url,
      ...(Object.keys(credentials).length > 0 && { credentials }),
      insecure: field('insecure') === 'true',
      insecureIgnoreHostKey: field('insecureIgnoreHostKey') === 'true',
      ...(proxy !== undefined && { proxy }),
      ...(noProxy !== undefined && { noProxy }),
    },
  };
}

export function openRepositories(): Repositories {
  const bySecret = new Map<string, Entry>();
  return {
    access: (url) => {
      const wanted = normaliseRepositoryUrl(url);
      const entries = [...bySecret.values()];
      const own = entries.find((entry) => entry.type === 'repository' && normaliseRepositoryUrl(entry.url) === wanted);
      if (own?.access.credentials !== undefined) return { ...own.access, url };
      const [template] = entries
        .filter((entry) => entry.type === 'repo-creds' && wanted.startsWith(normaliseRepositoryUrl(entry.url)))
        .sort((a, b) => b.url.length - a.url.length);
      // A repository registered without credentials takes those of its prefix, and keeps its own TLS and proxy settings.
      return {
        ...template?.access,
        ...own?.access,
        ...(template?.access.credentials && { credentials: template.access.credentials }),
        url,
      };
    },
    secretChanged: (secret, type) => bySecret.set(secret.metadata.name ?? '', readEntry(secret, type)),
    secretDeleted: (secret) => bySecret.delete(secret.metadata.name ?? ''),
  };
}
