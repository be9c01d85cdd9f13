import { CodedError, normaliseRepositoryUrl } from '@tiphys/api';
import { listRepositories } from '@tiphys/operations';
import { choice, defineCommand, flag, option, positional } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { repositoryTable, shownRepository } from './repository-text.ts';

export const repoGet = defineCommand({
  summary: 'Show a registered repository',
  description: 'Show a registered repository, and whether it can be reached from here.',
  examples: ['repo get https://git.example.com/shop.git'],
  args: {
    url: positional('URL of the repository'),
    project: option('Project that the repository belongs to'),
    output: choice('Output format (default wide)', ['wide', 'url', 'json', 'yaml'], { short: 'o' }),
    refresh: flag('Ignored: nothing is cached', { hidden: true }),
  },
  run: async (args, context) => {
    const { ports, actor, print, signal } = context;
    const wanted = normaliseRepositoryUrl(args.url);
    const repository = (await listRepositories(actor, { signal }, await ports())).find(
      ({ url, project = '' }) => normaliseRepositoryUrl(url) === wanted && (args.project ?? project) === project,
    );
    if (repository === undefined)
      throw new CodedError('operation/not-found', `no repository ${args.url} is registered`);
    const { openConnectionTrial } = await import('../../reading/repository-connection.ts');
    await using trial = await openConnectionTrial(context);
    const shown = shownRepository(repository, await trial.connectionOf(repository));
    if (args.output === 'json' || args.output === 'yaml') print(await formatValue(shown, args.output));
    else print(args.output === 'url' ? `${shown.repo}\n` : repositoryTable([shown]));
    return 0;
  },
});
