import { readApplication } from '@tiphys/operations';
import { defineCommand, flag, integer, option, options, positional } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';
import { printDifferences } from './differences.ts';
import { chosenRevisions, revisionArguments } from './revision-flags.ts';

export const appDiff = defineCommand({
  summary: 'Show what a sync would change',
  description:
    'Show what a sync would change, object by object. Ends with 0 when nothing would, 1 when something would, 2 on an error.',
  examples: [
    'app diff shop',
    'app diff shop --local ./k8s',
    'app diff shop --revision feature-x --exit-code=false',
    'app diff shop --revisions v2 --source-positions 1',
  ],
  errorExit: 2,
  args: {
    application: positional('The application: name or namespace/name'),
    ...revisionArguments('Revision to compare instead of the configured one'),
    local: option('Folder to compare instead of what is in Git', { value: 'path' }),
    localRepoRoot: option('Root of the files that --local may use', { value: 'path' }),
    exitCode: flag('End with 1 when there is a difference (default true)'),
    diffExitCode: integer('End with this code when there is a difference (default 1)'),
    refresh: flag('Ignored: Git is always asked', { hidden: true }),
    hardRefresh: flag('Ignored: nothing is cached', { hidden: true }),
    serverSide: flag('Ignored: manifests are rendered here', { hidden: true }),
    serverSideGenerate: flag('Ignored: manifests are rendered here', { hidden: true }),
    serverSideDiff: flag('Ignored: the comparison is made here', { hidden: true }),
    serverSideDiffConcurrency: integer('Ignored: the comparison is made here', { hidden: true }),
    serverSideDiffMaxBatchKb: integer('Ignored: the comparison is made here', { hidden: true }),
    ignoreNormalizerJqExecutionTimeout: option('Ignored: no jq program runs', { hidden: true }),
    localInclude: options('Ignored: all files are used', { hidden: true }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const ports = await context.ports();
    const ref = applicationRef(args.application, args.appNamespace);
    const application = await readApplication({ ...ref, signal: context.signal }, ports);
    if (args.serverSideDiff === true)
      context.notice('--server-side-diff is ignored: without an API server of the product the comparison is made here');
    const local = args.local === undefined ? undefined : { directory: args.local, root: args.localRepoRoot };
    const { compareHere } = await import('../../reading/open-comparison.ts');
    const compared = await compareHere({ application, revisions: chosenRevisions(application, args), local }, context);
    if (!(await printDifferences(compared, context))) return 0;
    return args.exitCode === false ? 0 : (args.diffExitCode ?? 1);
  },
});
