import { defineCommand } from '../../define-command.ts';
import { appGet } from './get.ts';

export const appRefresh = defineCommand({
  summary: 'Compare an application again',
  description: 'Compare an application again: the same as `app get APPLICATION --refresh`.',
  examples: ['app refresh shop'],
  args: appGet.args,
  run: async (args, context) => {
    context.notice(`"app refresh" is another name for "app get --refresh" (DISC-56)`);
    return appGet.run({ ...args, refresh: true }, context);
  },
});
