import { readApplication } from '@tiphys/operations';
import { defineCommand, flag, integer, option, options, positional } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { chosenRevisions } from './revision-flags.ts';

const headerOrHunk = /^(=====|@@)/;

export const appDiff = defineCommand({
  summary: 'Show what a sync would change',
  description:
    'Show what a sync would change, object by object. Ends with 0 when nothing would, 1 when something would, 2 on an error.',
  examples: ['app diff shop', 'app diff shop --local ./k8s', 'app diff shop --revision feature-x --exit-code=false'],
  errorExit: 2,
  args: {
    application: positional('The application: name or namespace/name'),
    revision: option('Revision to compare instead of the configured one'),
    revisions: options('Revision of one of several sources; with --source-positions'),
    sourcePositions: options('Source that a --revisions is for, from 1', { value: 'int' }),
    sourceNames: options('The same by name', { value: 'name' }),
    local: option('Folder to compare instead of what is in Git', { value: 'path' }),
    localRepoRoot: option('Root of the files that --local may use', { value: 'path' }),
    exitCode: flag('End with 1 when there is a difference (default true)'),
    diffExitCode: integer('End with this code when there is a difference (default 1)'),
    refresh: flag('Ignored: Git is always asked', { hidden: true }),
    hardRefresh: flag('Ignored: nothing is cached', { hidden: true }),
    serverSide: flag('Ignored: manifests are rendered here', { hidden: true }),
    serverSideGenerate: flag('Ignored: manifests are rendered here', { hidden: true }),
    serverSideDiff: flag('Ignored: the comparison is made here', { hidden: true }),
    localInclude: options('Ignored: all files are used', { hidden: true }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const ports = await context.ports();
    const ref = applicationRef(args.application, args.appNamespace);
    const application = await readApplication({ ...ref, signal: context.signal }, ports);
    const local = args.local === undefined ? undefined : { directory: args.local, root: args.localRepoRoot };
    const [{ compareHere }, { diffText }] = await Promise.all([
      import('../../reading/open-comparison.ts'),
      import('@tiphys/engine'),
    ]);
    const request = {
      application,
      revisions: chosenRevisions(application, args),
      local,
    };
    const { comparison, policy } = await compareHere(request, context);
    const text = diffText(comparison.changes, policy);
    if (text === '') return 0;
    context.print(text.endsWith('\n') ? painted(text) : `${painted(text)}\n`);
    return args.exitCode === false ? 0 : (args.diffExitCode ?? 1);

    function painted(plain: string): string {
      const { paint } = context.style;
      const colours = { '+': 'green', '-': 'red' } as const;
      return plain
        .split('\n')
        .map((line) => {
          if (headerOrHunk.test(line)) return paint(line, 'cyan');
          const [first] = line;
          return first === '+' || first === '-' ? paint(line, colours[first]) : line;
        })
        .join('\n');
    }
  },
});
