import { readApplication } from '@tiphys/operations';
import { choice, defineCommand, option, positional } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { withLiveHealth } from '../../reading/live-health.ts';
import { applicationRef } from './application-text.ts';
import { resourceTree } from './describe.ts';

export const appResources = defineCommand({
  summary: 'List the objects of an application',
  examples: ['app resources shop', 'app resources shop -o tree'],
  args: {
    application: positional('The application: name or namespace/name'),
    output: choice('Output format (default wide)', ['wide', 'name', 'tree', 'json', 'yaml'], { short: 'o' }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { ports, print, style, signal } = context;
    const application = await readApplication(
      { ...applicationRef(args.application, args.appNamespace), signal },
      await ports(),
    );
    const resources = application.status?.resources ?? [];
    if (args.output === 'json' || args.output === 'yaml') print(await formatValue(resources, args.output));
    else if (args.output === 'tree') print(resourceTree(await withLiveHealth(application, context), style));
    else if (args.output === 'name') print(resources.map(({ kind = '', name = '' }) => `${kind}/${name}\n`).join(''));
    else {
      const rows = resources.map(({ group = '', kind = '', namespace = '', name = '' }) => [
        group,
        kind,
        namespace,
        name,
        'No',
      ]);
      print(formatTable([['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'ORPHANED'], ...rows]));
    }
    return 0;
  },
});
