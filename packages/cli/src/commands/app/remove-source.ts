import { CodedError, sourcesOf } from '@tiphys/api';
import { setApplication } from '@tiphys/operations';
import { defineCommand, integer, option } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { applicationArguments } from './named-application.ts';
import { chosenSource } from './source-choice.ts';

export const appRemoveSource = defineCommand({
  summary: 'Take a source from an application',
  examples: ['app remove-source shop --source-position 2', 'app remove-source shop --source-name values'],
  args: {
    ...applicationArguments,
    sourcePosition: integer('Which source, from 1'),
    sourceName: option('The same by name', { value: 'name' }),
  },
  run: async (args, { ports, actor, print, signal }) => {
    await setApplication(
      actor,
      {
        ...applicationRef(args.application, args.appNamespace),
        change: (spec) => {
          const sources = sourcesOf(spec);
          const index = chosenSource({ spec }, args);
          if (index === undefined)
            throw new CodedError('cli/usage', 'say which source: --source-position (from 1) or --source-name');
          if (sources.length < 2)
            throw new CodedError('operation/refused', 'the only source of an application cannot be taken away');
          return { ...spec, sources: sources.filter((_, at) => at !== index) };
        },
        check: 'schema-only',
        signal,
      },
      await ports(),
    );
    print(`Application '${args.application}' updated successfully\n`);
    return 0;
  },
});
