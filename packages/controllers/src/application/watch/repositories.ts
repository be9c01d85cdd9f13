import type { KubeObject } from '@tiphys/api';
import type { RepositoryAccess } from '@tiphys/engine';
import { accessOf, accessTo, readRepository, type TrustedCertificates } from '@tiphys/operations';

/** Credentials of repositories, from Secrets labelled `repository` (one URL) and `repo-creds` (a URL prefix; the longest wins). */
export interface Repositories {
  /** How to reach a URL; without credentials when none are registered for it. */
  access(url: string): RepositoryAccess;
  secretChanged(secret: KubeObject, type: 'repository' | 'repo-creds'): void;
  secretDeleted(secret: KubeObject): void;
  /** What hosts are to be known by from now on (`argocd-tls-certs-cm`). */
  certificatesChanged(certificates: TrustedCertificates): void;
}

type Entry = Readonly<{ type: 'repository' | 'repo-creds'; access: RepositoryAccess }>;

export function openRepositories(): Repositories {
  const bySecret = new Map<string, Entry>();
  let certificates: TrustedCertificates = {};
  const registered = (type: Entry['type']): readonly RepositoryAccess[] =>
    [...bySecret.values()].filter((entry) => entry.type === type).map(({ access }) => access);
  return {
    access: (url) =>
      accessTo(url, { repositories: registered('repository'), prefixes: registered('repo-creds'), certificates }),
    secretChanged: (secret, type) =>
      bySecret.set(secret.metadata.name ?? '', { type, access: accessOf(readRepository(secret)) }),
    secretDeleted: (secret) => bySecret.delete(secret.metadata.name ?? ''),
    certificatesChanged: (now) => {
      certificates = now;
    },
  };
}
