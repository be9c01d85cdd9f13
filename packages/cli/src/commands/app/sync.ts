import { type Application, CodedError, type Operation, type SyncOperationResource } from '@tiphys/api';
import { type ApplicationRef, readApplication, requestSync, waitForApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, flag, integer, option, options, positionals, seconds } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { withLiveHealth } from '../../reading/live-health.ts';
import { describeOperation, describeSummary, resourceHeader, resourceRows } from './describe.ts';
import { pairOf } from './flag-values.ts';
import { openFollower } from './follow.ts';
import { isSelected, resourceFilter, selectApplications } from './select.ts';
import { formatTable } from '../../output/table.ts';

type SyncFlags = Readonly<{
  revision?: string | undefined;
  revisions: readonly string[];
  sourcePositions: readonly string[];
  prune?: boolean | undefined;
  dryRun?: boolean | undefined;
  force?: boolean | undefined;
  replace?: boolean | undefined;
  serverSide?: boolean | undefined;
  applyOutOfSyncOnly?: boolean | undefined;
  resource: readonly string[];
  strategy?: 'apply' | 'hook' | undefined;
  info: readonly string[];
  retryLimit?: number | undefined;
  retryRefresh?: boolean | undefined;
  retryBackoffDuration?: string | undefined;
  retryBackoffMaxDuration?: string | undefined;
  retryBackoffFactor?: number | undefined;
}>;

function resourcesOf({ status }: Application, texts: readonly string[]): readonly SyncOperationResource[] | undefined {
  if (texts.length === 0) return undefined;
  const filters = texts.map(resourceFilter);
  const chosen = (status?.resources ?? []).filter((resource) => isSelected(filters, resource));
  if (chosen.length === 0)
    throw new CodedError('operation/not-found', `no object of the application matches ${texts.join(', ')}`);
  return chosen.map(({ group = '', kind = '', namespace = '', name = '' }) => ({
    group,
    kind,
    name,
    ...(namespace !== '' && { namespace }),
  }));
}

function revisionsOf({ spec }: Application, { revisions, sourcePositions }: SyncFlags): readonly string[] | undefined {
  if (revisions.length === 0) return undefined;
  const { sources = [] } = spec;
  if (revisions.length !== sourcePositions.length)
    throw new CodedError(
      'cli/usage',
      '--revisions and --source-positions come in pairs: give each as often as the other',
    );
  const positions = sourcePositions.map((text) => {
    const position = Number(text);
    if (!Number.isInteger(position) || position < 1 || position > sources.length)
      throw new CodedError('cli/usage', `--source-positions: the application has sources 1 to ${sources.length}`);
    return position;
  });
  return sources.map(({ targetRevision = '' }, index) => revisions[positions.indexOf(index + 1)] ?? targetRevision);
}

function optionsOf({ spec }: Application, flags: SyncFlags): readonly string[] | undefined {
  const asked = [
    flags.applyOutOfSyncOnly === true ? 'ApplyOutOfSyncOnly=true' : '',
    flags.replace === true ? 'Replace=true' : '',
    flags.serverSide === true ? 'ServerSideApply=true' : '',
  ].filter((text) => text !== '');
  return asked.length === 0 ? undefined : [...(spec.syncPolicy?.syncOptions ?? []), ...asked];
}

function retryOf(flags: SyncFlags): Operation['retry'] {
  const {
    retryLimit,
    retryRefresh,
    retryBackoffDuration: duration,
    retryBackoffMaxDuration: maxDuration,
    retryBackoffFactor: factor,
  } = flags;
  if (retryLimit === undefined) return undefined;
  const backoff = {
    ...(duration !== undefined && { duration }),
    ...(maxDuration !== undefined && { maxDuration }),
    ...(factor !== undefined && { factor }),
  };
  return {
    limit: retryLimit,
    ...(retryRefresh === true && { refresh: true }),
    ...(Object.keys(backoff).length > 0 && { backoff }),
  };
}

/** The operation that the flags describe, for one application. */
export function operationOf(application: Application, flags: SyncFlags): Pick<Operation, 'sync' | 'retry' | 'info'> {
  const force = flags.force === true ? { force: true } : {};
  const resources = resourcesOf(application, flags.resource);
  const revisions = revisionsOf(application, flags);
  const syncOptions = optionsOf(application, flags);
  const retry = retryOf(flags);
  const info = flags.info.map((text) => pairOf(text, 'info')).map(([name, value]) => ({ name, value }));
  return {
    sync: {
      ...(flags.revision !== undefined && { revision: flags.revision }),
      ...(revisions !== undefined && { revisions }),
      ...(flags.prune === true && { prune: true }),
      ...(flags.dryRun === true && { dryRun: true }),
      syncStrategy: flags.strategy === 'apply' ? { apply: force } : { hook: force },
      ...(resources !== undefined && { resources }),
      ...(syncOptions !== undefined && { syncOptions }),
    },
    ...(retry !== undefined && { retry }),
    ...(info.length > 0 && { info }),
  };
}

/** Whether the operation that was asked for at `requested` has ended: the request is taken, and what ended began after it. */
const isDone =
  (before: string | undefined) =>
  (application: Application | undefined): boolean => {
    const state = application?.status?.operationState;
    if (application === undefined) return true;
    return (
      application.operation === undefined &&
      state?.finishedAt !== undefined &&
      !['Running', 'Terminating'].includes(state.phase) &&
      identityOf(application) !== before
    );
  };

const identityOf = ({ status }: Application): string =>
  `${status?.operationState?.startedAt ?? ''}/${status?.operationState?.finishedAt ?? ''}/${status?.operationState?.retryCount ?? 0}`;

async function syncOne(
  ref: ApplicationRef,
  flags: SyncFlags &
    Readonly<{ async?: boolean | undefined; timeout?: number | undefined; output?: string | undefined }>,
  context: CommandContext,
): Promise<boolean> {
  const { actor, signal } = context;
  const ports = await context.ports();
  const application = await readApplication({ ...ref, signal }, ports);
  await requestSync(actor, { ...ref, operation: operationOf(application, flags), signal }, ports);
  if (flags.async === true) return true;
  const before = identityOf(application);
  const follower = openFollower(context, flags.output === undefined || flags.output === 'wide' ? 'rows' : 'quiet');
  const wait = {
    ...ref,
    signal,
    timeoutMs: flags.timeout ?? 24 * 3_600_000,
    waitingFor: 'the operation to end',
    // What the last operation left in the status is not news.
    onState: (state: Application | undefined) =>
      state !== undefined && identityOf(state) === before ? follower.glance(state) : follower.see(state),
  };
  const ended = await waitForApplication({ ...wait, until: isDone(before) }, ports).finally(follower.end);
  if (ended === undefined) throw new CodedError('operation/not-found', `application ${ref.name} was deleted meanwhile`);
  await printOutcome(ended, flags.output, context);
  const state = ended.status?.operationState;
  if (state?.phase === 'Succeeded') return true;
  context.notice(`error: the operation of ${ref.name} ended as ${state?.phase ?? 'unknown'}: ${state?.message ?? ''}`);
  return false;
}

async function printOutcome(ended: Application, output: string | undefined, context: CommandContext): Promise<void> {
  const { style, print, io } = context;
  if (output === 'json' || output === 'yaml') {
    print(await formatValue(withoutManagedFields(ended), output));
    return;
  }
  const application = await withLiveHealth(ended, context);
  print(
    `\n${describeSummary(application, style)}\n${describeOperation(application, style, io.clock.now())}\n` +
      formatTable([resourceHeader, ...resourceRows(application, style)]),
  );
}

export const appSync = defineCommand({
  summary: 'Bring applications to their desired state',
  examples: [
    'app sync shop',
    'app sync shop --prune --dry-run',
    'app sync -l team=payments',
    'app sync shop --resource apps:Deployment:shop',
  ],
  args: {
    applications: positionals('The applications: name or namespace/name'),
    revision: option('Revision to use instead of the configured one'),
    revisions: options('Revision of one of several sources; with --source-positions'),
    sourcePositions: options('Source that a --revisions is for, from 1', { value: 'int' }),
    prune: flag('Delete objects that left the source'),
    dryRun: flag('Show what would be done and change nothing'),
    force: flag('Delete and create again what cannot be updated: it is gone for a moment'),
    replace: flag('Replace objects instead of applying them'),
    serverSide: flag('Apply on the server side'),
    applyOutOfSyncOnly: flag('Leave out what is in sync'),
    resource: options('Only this object, GROUP:KIND:NAME; may be repeated', { value: 'key' }),
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
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml'], { short: 'o' }),
    assumeYes: flag('Ignored: nothing is asked', { hidden: true }),
    appNamespace: option('Namespace of the applications', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { applications: names, selector, project: projects, appNamespace } = args;
    if (args.force === true)
      context.notice('warning: --force deletes and creates again what cannot be updated; it is gone for a moment');
    const selection = { names, selector, projects, appNamespace, signal: context.signal };
    const refs = await selectApplications(selection, await context.ports());
    let failed = 0;
    for (const ref of refs) if (!(await syncOne(ref, args, context))) failed++;
    return failed === 0 ? 0 : 20;
  },
});
