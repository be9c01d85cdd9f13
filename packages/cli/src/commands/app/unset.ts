import { CodedError } from '@tiphys/api';
import { setApplication } from '@tiphys/operations';
import { defineCommand, integer, option } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { applicationArguments } from './named-application.ts';
import { chosenSource } from './source-choice.ts';
import { applyAll, argumentsOf, changedSource, isGiven } from './spec-flags.ts';
import { unsetFlags } from './unset-flags.ts';

export const appUnset = defineCommand({
  summary: 'Take settings of a source away',
  examples: [
    'app unset shop -p image.tag',
    'app unset shop --values values-production.yaml',
    'app unset shop --kustomize-image registry.example.com/shop --nameprefix',
  ],
  args: {
    ...applicationArguments,
    ...argumentsOf(unsetFlags),
    sourcePosition: integer('Which of several sources, from 1'),
    sourceName: option('The same by name', { value: 'name' }),
  },
  run: async (args, { ports, actor, print, signal }) => {
    const given: Readonly<Record<string, unknown>> = args;
    if (!Object.keys(unsetFlags).some((name) => isGiven(given[name])))
      throw new CodedError('cli/usage', 'nothing to unset: give at least one flag');
    await setApplication(
      actor,
      {
        ...applicationRef(args.application, args.appNamespace),
        change: (spec) =>
          changedSource(spec, chosenSource({ spec }, args), (source) => applyAll(unsetFlags, given, source)),
        check: 'schema-only',
        signal,
      },
      await ports(),
    );
    print(`application '${args.application}' updated\n`);
    return 0;
  },
});
