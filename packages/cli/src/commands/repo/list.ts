import { listRepositories } from '@tiphys/operations';
import { choice, defineCommand, flag } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { repositoryTable, shownRepository } from './repository-text.ts';

export const repoList = defineCommand({
  summary: 'List registered repositories',
  description: 'List registered repositories, and whether they can be reached from here.',
  examples: ['repo list', 'repo list -o url'],
  args: {
    output: choice('Output format (default wide)', ['wide', 'url', 'json', 'yaml'], { short: 'o' }),
    refresh: flag('Ignored: nothing is cached', { hidden: true }),
  },
  run: async (args, context) => {
    const { ports, actor, print, signal } = context;
    const repositories = await listRepositories(actor, { signal }, await ports());
    if (args.output === 'url') {
      print(repositories.map(({ url }) => `${url}\n`).join(''));
      return 0;
    }
    const { openConnectionTrial } = await import('../../reading/repository-connection.ts');
    await using trial = await openConnectionTrial(context);
    const shown = await Promise.all(
      repositories.map(async (repository) => shownRepository(repository, await trial.connectionOf(repository))),
    );
    if (args.output === 'json' || args.output === 'yaml') print(await formatValue(shown, args.output));
    else print(repositoryTable(shown));
    return 0;
  },
});
