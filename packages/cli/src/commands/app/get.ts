import { type Application, sourcesOf } from '@tiphys/api';
import { readApplication, refreshApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, flag, integer, option, seconds } from '../../define-command.ts';
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
} from './describe.ts';
import { applicationArguments } from './named-application.ts';
import { chosenSource, type SourceChoice } from './source-choice.ts';
import { isTreeForm, treeForms, treeText } from './tree-text.ts';

/** The Helm parameters and Kustomize images that the application sets, of one source or of all. */
function parametersTable(application: Application, choice: SourceChoice): string {
  const only = chosenSource(application, choice);
  const rows = sourcesOf(application.spec)
    .filter((_, index) => only === undefined || index === only)
    .flatMap(({ helm, kustomize }) => [
      ...(helm?.parameters ?? []).map(({ name = '', value = '' }) => [name, value]),
      ...(helm?.fileParameters ?? []).map(({ name = '', path = '' }) => [name, `(${path})`]),
      ...(kustomize?.images ?? []).map((image) => ['image', image]),
    ]);
  return formatTable([['NAME', 'VALUE'], ...rows]);
}

type Shown = SourceChoice &
  Readonly<{
    output?: string | undefined;
    showOperation?: boolean | undefined;
    showParams?: boolean | undefined;
  }>;

async function printDescription(application: Application, shown: Shown, context: CommandContext): Promise<void> {
  const { style, io, print } = context;
  const now = io.clock.now();
  print(describeSummary(application, style) + describeWaiting(application));
  const operation = shown.showOperation === true ? describeOperation(application, style, now) : '';
  if (shown.showOperation === true) print(operation === '' ? '\nOperation:          none\n' : `\n${operation}`);
  const conditions = describeConditions(application);
  if (conditions !== '') print(`\n${conditions}`);
  if (shown.showParams === true) print(`\n${parametersTable(application, shown)}`);
  if (isTreeForm(shown.output)) {
    const { readTree } = await import('../../reading/resource-tree.ts');
    const { roots } = await readTree(application, 'by-project', context);
    print(`\n${treeText(application, roots, { form: shown.output, style, now })}`);
    return;
  }
  const complete = await withLiveHealth(application, context);
  print(`\n${formatTable([resourceHeader, ...resourceRows(complete, style)])}`);
}

export const appGet = defineCommand({
  summary: 'Show an application',
  examples: [
    'app get shop',
    'app get shop --refresh',
    'app get shop --show-operation --show-params',
    'app get shop -o tree=detailed',
    'app get shop -o yaml',
  ],
  args: {
    ...applicationArguments,
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml', 'name', ...treeForms], { short: 'o' }),
    refresh: flag('Compare with Git and the cluster first'),
    hardRefresh: flag('The same, without any cache'),
    showOperation: flag('Show the running or last operation'),
    showParams: flag('Show parameters and image overrides'),
    sourcePosition: integer('Show those of this source, from 1'),
    sourceName: option('Show those of the source of this name', { value: 'name' }),
    timeout: seconds('Longest wait for the refresh (default 60)'),
  },
  run: async (args, context) => {
    const { ports, actor, print, signal } = context;
    const cluster = await ports();
    const request = { ...applicationRef(args.application, args.appNamespace), signal };
    const kind = args.hardRefresh === true ? 'hard' : 'normal';
    const application =
      args.refresh === true || args.hardRefresh === true
        ? await refreshApplication(actor, { ...request, kind, timeoutMs: args.timeout ?? 60_000 }, cluster)
        : await readApplication(request, cluster);
    chosenSource(application, args);
    // With the health of the objects, which scripts read here: it is not stored with them.
    if (args.output === 'json' || args.output === 'yaml')
      print(await formatValue(withoutManagedFields(await withLiveHealth(application, context)), args.output));
    else if (args.output === 'name')
      print(`${application.metadata.namespace ?? ''}/${application.metadata.name ?? ''}\n`);
    else await printDescription(application, args, context);
    return 0;
  },
});
