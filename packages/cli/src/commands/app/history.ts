import type { Application, RevisionHistory } from '@tiphys/api';
import { readApplication } from '@tiphys/operations';
import { choice, defineCommand, option, positional } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { applicationRef, shortRevision } from './application-text.ts';

type Entry = Readonly<{ repoURL: string; cells: readonly string[] }>;

function entriesOf({
  id,
  deployedAt,
  revision = '',
  revisions = [],
  source,
  sources = [],
}: RevisionHistory): readonly Entry[] {
  const row = (repoURL: string, target: string, sha: string): Entry => ({
    repoURL,
    cells: [String(id), deployedAt, sha === '' ? target : `${target} (${shortRevision(sha)})`.trim()],
  });
  if (sources.length === 0) return [row(source?.repoURL ?? '', source?.targetRevision ?? '', revision)];
  return sources.map(({ repoURL, targetRevision = '' }, index) => row(repoURL, targetRevision, revisions[index] ?? ''));
}

/** The history as the Argo CD command prints it: one table for each repository, oldest entry first. */
export function historyTables({ status }: Application): string {
  const entries = (status?.history ?? []).flatMap(entriesOf);
  const repositories = [...new Set(entries.map(({ repoURL }) => repoURL))];
  return repositories
    .map((repository) =>
      formatTable([
        ['SOURCE', repository],
        ['ID', 'DATE', 'REVISION'],
        ...entries.filter(({ repoURL }) => repoURL === repository).map(({ cells }) => cells),
      ]),
    )
    .join('\n');
}

export const appHistory = defineCommand({
  summary: 'List what was deployed',
  examples: ['app history shop', 'app history shop -o id'],
  args: {
    application: positional('The application: name or namespace/name'),
    output: choice('Output format (default wide)', ['wide', 'id', 'json', 'yaml'], { short: 'o' }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, { ports, print, signal }) => {
    const application = await readApplication(
      { ...applicationRef(args.application, args.appNamespace), signal },
      await ports(),
    );
    const history = application.status?.history ?? [];
    if (args.output === 'json' || args.output === 'yaml') print(await formatValue(history, args.output));
    else if (args.output === 'id') print(history.map(({ id }) => `${id}\n`).join(''));
    else print(historyTables(application));
    return 0;
  },
});
