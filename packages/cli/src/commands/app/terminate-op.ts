import { terminateOperation } from '@tiphys/operations';
import { defineCommand, option, positional } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';

export const appTerminate = defineCommand({
  summary: 'End the running operation',
  examples: ['app terminate-op shop'],
  args: {
    application: positional('The application: name or namespace/name'),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, { ports, actor, print, signal }) => {
    await terminateOperation(actor, { ...applicationRef(args.application, args.appNamespace), signal }, await ports());
    print(`Application '${args.application}' operation terminating\n`);
    return 0;
  },
});
