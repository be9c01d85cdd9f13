import { confirmDeletion } from '@tiphys/operations';
import { defineCommand } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { applicationArguments } from './named-application.ts';

export const appConfirmDeletion = defineCommand({
  summary: 'Allow deletions that wait for a confirmation',
  description: 'Allow that objects with the option Delete=confirm or Prune=confirm are deleted now.',
  examples: ['app confirm-deletion shop'],
  args: applicationArguments,
  run: async (args, { ports, actor, print, signal }) => {
    await confirmDeletion(actor, { ...applicationRef(args.application, args.appNamespace), signal }, await ports());
    print(`application '${args.application}': deletions are confirmed\n`);
    return 0;
  },
});
