import { CodedError, describeFinding } from '@tiphys/api';
import { setApplication } from '@tiphys/operations';
import { defineCommand, flag, integer, option, positional } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { withFileContents } from './create.ts';
import { givenFlags, specArguments, withFlags } from './spec-flags.ts';

export const appSet = defineCommand({
  summary: 'Change the settings of an application',
  examples: [
    'app set shop --revision v2',
    'app set shop --sync-policy automated --self-heal',
    'app set shop --helm-set image.tag=v2',
  ],
  args: {
    application: positional('The application: name or namespace/name'),
    sourcePosition: integer('Which of several sources, from 1'),
    validate: flag('Check the project too (default true)'),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
    env: option('Ignored: it belongs to a tool that is gone', { hidden: true }),
    ...specArguments,
  },
  run: async (args, { ports, actor, notice, io, signal }) => {
    if (givenFlags(args).length === 0) throw new CodedError('cli/usage', 'nothing to set: give at least one flag');
    const given = await withFileContents(args, io);
    const { warnings } = await setApplication(
      actor,
      {
        ...applicationRef(args.application, args.appNamespace),
        change: (spec) => withFlags(spec, given, args.sourcePosition),
        check: args.validate === false ? 'schema-only' : 'all',
        signal,
      },
      await ports(),
    );
    for (const warning of warnings) notice(`warning: ${describeFinding(warning)}`);
    return 0;
  },
});
