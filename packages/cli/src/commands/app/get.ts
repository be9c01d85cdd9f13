import { readApplication, refreshApplication } from '@tiphys/operations';
import { choice, defineCommand, flag, option, positional, seconds } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { withLiveHealth } from '../../reading/live-health.ts';
import { applicationRef } from './application-text.ts';
import {
  describeConditions,
  describeOperation,
  describeSummary,
  describeWaiting,
  resourceHeader,
  resourceRows,
  resourceTree,
} from './describe.ts';

export const appGet = defineCommand({
  summary: 'Show an application',
  examples: ['app get shop', 'app get shop --refresh', 'app get shop -o yaml'],
  args: {
    application: positional('The application: name or namespace/name'),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml', 'name', 'tree'], { short: 'o' }),
    refresh: flag('Compare with Git and the cluster first'),
    hardRefresh: flag('The same, without any cache'),
    showOperation: flag('Show the running or last operation'),
    timeout: seconds('Longest wait for the refresh (default 60)'),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { ports, actor, print, style, signal, io } = context;
    const cluster = await ports();
    const request = { ...applicationRef(args.application, args.appNamespace), signal };
    const kind = args.hardRefresh === true ? 'hard' : 'normal';
    const stored =
      args.refresh === true || args.hardRefresh === true
        ? await refreshApplication(actor, { ...request, kind, timeoutMs: args.timeout ?? 60_000 }, cluster)
        : await readApplication(request, cluster);
    const shown = args.output === undefined || args.output === 'wide' || args.output === 'tree';
    const application = shown ? await withLiveHealth(stored, context) : stored;
    switch (args.output) {
      case 'json':
      case 'yaml':
        print(await formatValue(withoutManagedFields(application), args.output));
        return 0;
      case 'name':
        print(`${application.metadata.namespace ?? ''}/${application.metadata.name ?? ''}\n`);
        return 0;
      case 'tree':
        print(describeSummary(application, style) + '\n' + resourceTree(application, style));
        return 0;
      default:
        print(describeSummary(application, style) + describeWaiting(application));
        if (args.showOperation === true) print(`\n${describeOperation(application, style, io.clock.now())}`);
        printTables(
          [describeConditions(application), formatTable([resourceHeader, ...resourceRows(application, style)])],
          print,
        );
        return 0;
    }
  },
});

const printTables = (tables: readonly string[], print: (text: string) => void): void => {
  for (const table of tables) if (table !== '') print(`\n${table}`);
};
