import type { Repository } from '@tiphys/operations';
import { formatTable } from '../../output/table.ts';
import type { Connection } from '../../reading/repository-connection.ts';

/** A repository as it may be shown: what gives access to it is left out. */
export type ShownRepository = Readonly<{
  type: string;
  name: string;
  repo: string;
  project?: string;
  insecure: boolean;
  enableLfs: boolean;
  enableOCI: boolean;
  hasCredentials: boolean;
  connectionState: Connection;
}>;

const secretKeys = ['password', 'sshPrivateKey', 'bearerToken', 'githubAppPrivateKey', 'tlsClientCertKey'] as const;

/** Copies what may be shown. */
export function shownRepository(repository: Repository, connectionState: Connection): ShownRepository {
  const { type = 'git', name = '', url, project = '', insecure, enableLfs, enableOCI } = repository;
  return {
    type,
    name,
    repo: url,
    ...(project !== '' && { project }),
    insecure: insecure === 'true',
    enableLfs: enableLfs === 'true',
    enableOCI: enableOCI === 'true',
    hasCredentials: secretKeys.some((key) => (repository[key] ?? '') !== ''),
    connectionState,
  };
}

const header = ['TYPE', 'NAME', 'REPO', 'INSECURE', 'OCI', 'LFS', 'CREDS', 'STATUS', 'MESSAGE', 'PROJECT'];

/** One row for each repository. */
export const repositoryTable = (repositories: readonly ShownRepository[]): string =>
  formatTable([
    header,
    ...repositories.map((one) => [
      one.type,
      one.name,
      one.repo,
      String(one.insecure),
      String(one.enableOCI),
      String(one.enableLfs),
      String(one.hasCredentials),
      one.connectionState.status,
      one.connectionState.message,
      one.project ?? '',
    ]),
  ]);
