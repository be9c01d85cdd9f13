import { CodedError, describeFinding } from '@tiphys/api';
import { setApplication } from '@tiphys/operations';
import { defineCommand, flag, kebab, option } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { withFileContents } from './create.ts';
import { applicationArguments } from './named-application.ts';
import { isGiven, newSource, sourceArguments, wholeApplicationArguments } from './spec-flags.ts';

export const appAddSource = defineCommand({
  summary: 'Give an application another source',
  description:
    'Give an application another source, behind those that it has. A single source becomes the first of several.',
  examples: [
    'app add-source shop --repo https://git.example.com/values.git --ref values',
    'app add-source shop --repo https://charts.example.com --helm-chart redis --revision 20.x',
  ],
  args: {
    ...applicationArguments,
    ...sourceArguments,
    ...wholeApplicationArguments,
    env: option('Ignored: it belongs to a tool that is gone', { hidden: true }),
    validate: flag('Ignored: nothing of the project is changed', { hidden: true }),
  },
  run: async (args, { ports, actor, print, notice, io, signal }) => {
    const given: Readonly<Record<string, unknown>> = args;
    const [misplaced] = Object.keys(wholeApplicationArguments).filter((name) => isGiven(given[name]));
    if (misplaced !== undefined)
      throw new CodedError('cli/usage', `--${kebab(misplaced)} concerns the whole application: use app set`);
    const source = newSource(await withFileContents(args, io));
    if (source.repoURL === '') throw new CodedError('cli/usage', '--repo is missing');
    const { application, warnings } = await setApplication(
      actor,
      {
        ...applicationRef(args.application, args.appNamespace),
        change: ({ source: single, sources = [], ...spec }) => ({
          ...spec,
          sources: [...(sources.length === 0 && single !== undefined ? [single] : sources), source],
        }),
        check: 'schema-only',
        signal,
      },
      await ports(),
    );
    for (const warning of warnings) notice(`warning: ${describeFinding(warning)}`);
    print(
      `Application '${args.application}' updated successfully: it has ${application.spec.sources?.length ?? 1} sources\n`,
    );
    return 0;
  },
});
