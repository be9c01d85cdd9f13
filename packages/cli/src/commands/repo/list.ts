import { listRepositories } from '@tiphys/operations';
import { choice, defineCommand, flag } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';

export const repoList = defineCommand({
  summary: 'List registered repositories',
  examples: ['repo list', 'repo list -o url'],
  args: {
    output: choice('Output format (default wide)', ['wide', 'url', 'json', 'yaml'], { short: 'o' }),
    refresh: flag('Ignored: nothing is cached', { hidden: true }),
  },
  run: async (args, { ports, actor, print, signal }) => {
    const repositories = await listRepositories(actor, { signal }, await ports());
    // Credentials never leave: only what may be shown is copied.
    const shown = repositories.map(
      ({ type = 'git', name = '', url, project = '', insecure, enableLfs, enableOCI }) => ({
        type,
        name,
        repo: url,
        ...(project !== '' && { project }),
        insecure: insecure === 'true',
        enableLfs: enableLfs === 'true',
        enableOCI: enableOCI === 'true',
        hasCredentials: repositories.some((one) => one.url === url && hasCredentials(one)),
      }),
    );
    if (args.output === 'json' || args.output === 'yaml') print(await formatValue(shown, args.output));
    else if (args.output === 'url') print(shown.map(({ repo }) => `${repo}\n`).join(''));
    else {
      const rows = shown.map((one) => [
        one.type,
        one.name,
        one.repo,
        String(one.insecure),
        String(one.enableOCI),
        String(one.enableLfs),
        String(one.hasCredentials),
        '',
        '',
        one.project ?? '',
      ]);
      print(
        formatTable([
          ['TYPE', 'NAME', 'REPO', 'INSECURE', 'OCI', 'LFS', 'CREDS', 'STATUS', 'MESSAGE', 'PROJECT'],
          ...rows,
        ]),
      );
    }
    return 0;
  },
});

const hasCredentials = (
  one: Readonly<{
    password?: string;
    sshPrivateKey?: string;
    bearerToken?: string;
    githubAppPrivateKey?: string;
    tlsClientCertKey?: string;
  }>,
): boolean =>
  [one.password, one.sshPrivateKey, one.bearerToken, one.githubAppPrivateKey, one.tlsClientCertKey].some(
    (value) => value !== undefined && value !== '',
  );
