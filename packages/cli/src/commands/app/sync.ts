import { type Application, CodedError } from '@tiphys/api';
import { type ApplicationRef, readApplication, requestSync } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, flag, integer, option, options, positionals, seconds } from '../../define-command.ts';
import { awaitOperation } from './await-operation.ts';
import { confirm } from './confirm.ts';
import { printDifferences } from './differences.ts';
import { chosenRevisions, revisionArguments } from './revision-flags.ts';
import { selectApplications } from './select.ts';
import { labelled, localManifests, operationOf, type Rendered, type SyncFlags } from './sync-operation.ts';
import { treeForms } from './tree-text.ts';

type Flags = SyncFlags &
  Readonly<{
    async?: boolean | undefined;
    timeout?: number | undefined;
    output?: string | undefined;
    label: readonly string[];
    local?: string | undefined;
    localRepoRoot?: string | undefined;
    previewChanges?: boolean | undefined;
    assumeYes?: boolean | undefined;
  }>;

/** Renders here what the operation needs to know, and shows it where that is asked for. */
async function render(application: Application, flags: Flags, context: CommandContext): Promise<Rendered> {
  const { local: directory, localRepoRoot: root, label, previewChanges } = flags;
  if (directory === undefined && label.length === 0 && previewChanges !== true) return {};
  const { compareHere } = await import('../../reading/open-comparison.ts');
  const local = directory === undefined ? undefined : { directory, root };
  const compared = await compareHere({ application, revisions: chosenRevisions(application, flags), local }, context);
  const { desired } = compared.comparison;
  if (previewChanges === true) {
    if (!(await printDifferences(compared, context))) context.print('====== No Differences found ======\n');
    if (flags.assumeYes !== true)
      await confirm(
        `Please review changes to application '${application.metadata.name ?? ''}' shown above. Do you want to continue the sync process?`,
        'nothing was synced; answer y, or give --assumeYes',
        context,
      );
  }
  const secrets =
    local === undefined ? [] : desired.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Secret');
  if (secrets.length > 0)
    context.notice(
      `warning: the folder holds ${secrets.length} Secret${secrets.length === 1 ? '' : 's'}; a local sync stores manifests in the ` +
        'Application, where whoever may read it can read them',
    );
  return {
    ...(label.length > 0 && { resources: labelled(desired, label) }),
    ...(local !== undefined && { manifests: localManifests(desired) }),
  };
}

async function syncOne(ref: ApplicationRef, flags: Flags, context: CommandContext): Promise<boolean> {
  const { actor, signal } = context;
  const ports = await context.ports();
  const application = await readApplication({ ...ref, signal }, ports);
  const operation = operationOf(application, flags, await render(application, flags, context));
  await requestSync(actor, { ...ref, operation, signal }, ports);
  return flags.async === true || awaitOperation({ ref, before: application }, flags, context);
}

export const appSync = defineCommand({
  summary: 'Bring applications to their desired state',
  examples: [
    'app sync shop',
    'app sync shop --prune --dry-run',
    'app sync shop --preview-changes',
    'app sync -l team=payments',
    'app sync shop --resource apps:Deployment:shop',
    'app sync shop --local ./k8s',
  ],
  args: {
    applications: positionals('The applications: name or namespace/name'),
    ...revisionArguments('Revision to use instead of the configured one'),
    prune: flag('Delete objects that left the source'),
    dryRun: flag('Show what would be done and change nothing'),
    force: flag('Delete and create again what cannot be updated: it is gone for a moment'),
    replace: flag('Replace objects instead of applying them'),
    serverSide: flag('Apply on the server side'),
    applyOutOfSyncOnly: flag('Leave out what is in sync'),
    resource: options('Only this object, GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; "!" in front leaves it out', {
      value: 'key',
    }),
    label: options('Only objects with this label, name=value; may be repeated', { value: 'pair' }),
    local: option('Folder to sync instead of what is in Git; automated sync must be off', { value: 'path' }),
    localRepoRoot: option('Root of the files that --local may use', { value: 'path' }),
    previewChanges: flag('Show what would change, and ask'),
    strategy: choice('With hooks (default) or without', ['apply', 'hook']),
    info: options('Fact to store with the operation, name=value', { value: 'pair' }),
    retryLimit: integer('Attempts after the first'),
    retryRefresh: flag('Retry with the newest revision'),
    retryBackoffDuration: option('First wait, such as 5s', { value: 'duration' }),
    retryBackoffMaxDuration: option('Longest wait', { value: 'duration' }),
    retryBackoffFactor: integer('Factor of each further wait'),
    async: flag('Do not wait for the end'),
    timeout: seconds('Longest wait (default: a day)'),
    selector: option('Applications with these labels', { short: 'l', value: 'labels' }),
    project: options('Applications of this project; may be repeated', { value: 'name' }),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml', ...treeForms], { short: 'o' }),
    assumeYes: flag('Do not ask', { long: 'assumeYes' }),
    ignoreNormalizerJqExecutionTimeout: option('Ignored: the controller has its own', { hidden: true }),
    serverSideDiffConcurrency: integer('Ignored: the comparison is made here', { hidden: true }),
    serverSideDiffMaxBatchKb: integer('Ignored: the comparison is made here', { hidden: true }),
    appNamespace: option('Namespace of the applications', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { applications: names, selector, project: projects, appNamespace } = args;
    if (args.force === true)
      context.notice('warning: --force deletes and creates again what cannot be updated; it is gone for a moment');
    if (args.label.length > 0 && args.resource.length > 0)
      throw new CodedError('cli/usage', 'give --label or --resource, not both');
    const selection = { names, selector, projects, appNamespace, signal: context.signal };
    const refs = await selectApplications(selection, await context.ports());
    if (args.local !== undefined && refs.length > 1)
      throw new CodedError('cli/usage', `--local is for one application, and ${refs.length} are meant`);
    let failed = 0;
    for (const ref of refs) if (!(await syncOne(ref, args, context))) failed++;
    return failed === 0 ? 0 : 20;
  },
});
