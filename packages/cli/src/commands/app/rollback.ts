import { rollbackApplication } from '@tiphys/operations';
import { choice, defineCommand, flag, integer, type Argument, seconds } from '../../define-command.ts';
import { shortRevision } from './application-text.ts';
import { awaitOperation } from './await-operation.ts';
import { applicationArguments } from './named-application.ts';
import { applicationRef } from './application-text.ts';
import { treeForms } from './tree-text.ts';

const id: Argument<number | undefined> = {
  ...integer('Entry of the history to go back to (default: the one before the last)'),
  kind: 'positional',
  arity: 'optional',
};

export const appRollback = defineCommand({
  summary: 'Go back to what was deployed before',
  description:
    'Go back to an entry of the history (app history), without hooks. Git stays as it is, so the application is OutOfSync until ' +
    'Git is corrected. Refused while automated sync is on, unless --hold.',
  examples: ['app rollback shop', 'app rollback shop 3 --prune', 'app rollback shop 3 --hold'],
  args: {
    application: applicationArguments.application,
    id,
    prune: flag('Delete objects that were not there then'),
    hold: flag('Hold automated sync: it stays off until app set APPLICATION --sync-policy automated'),
    timeout: seconds('Longest wait (default: a day)'),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml', ...treeForms], { short: 'o' }),
    appNamespace: applicationArguments.appNamespace,
  },
  run: async (args, context) => {
    const { actor, signal, notice } = context;
    const ref = applicationRef(args.application, args.appNamespace);
    const request = {
      ...ref,
      signal,
      id: args.id,
      prune: args.prune === true,
      automation: args.hold === true ? 'hold' : 'refuse',
    } as const;
    const { application, entry, held } = await rollbackApplication(actor, request, await context.ports());
    if (held)
      notice(`automated sync is held; switch it on again with: app set ${args.application} --sync-policy automated`);
    const succeeded = await awaitOperation({ ref, before: application }, args, context);
    const revisions = entry.revisions ?? (entry.revision === undefined ? [] : [entry.revision]);
    if (succeeded)
      notice(
        `${args.application} is now at entry ${entry.id} (${revisions.map(shortRevision).join(', ')}); Git says something else: ` +
          'revert the commit there, or the next sync goes forward again',
      );
    return succeeded ? 0 : 20;
  },
});
