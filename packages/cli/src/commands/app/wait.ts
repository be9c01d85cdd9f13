import { type Application, CodedError, sourcesOf } from '@tiphys/api';
import { type ApplicationRef, readApplication, requestRefresh, waitForApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, dayMs, defineCommand, flag, option, options, positionals, seconds } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { withLiveHealth } from '../../reading/live-health.ts';
import { describeSummary, resourceHeader, resourceRows } from './describe.ts';
import { openFollower } from './follow.ts';
import { isSelected, type ResourceFilter, resourceFilter, selectApplications } from './select.ts';

/** What has to hold. Several kinds of health are alternatives; everything else must hold together. */
export type WaitConditions = Readonly<{
  sync: boolean;
  operation: boolean;
  deleted: boolean;
  /** The manifests are written to their branch; holds where nothing is to be written. */
  hydrated?: boolean;
  health: readonly string[];
  revision?: string | undefined;
  resources: readonly ResourceFilter[];
}>;

const operationEnded = ({ operation, status }: Application): boolean =>
  operation === undefined && !['Running', 'Terminating'].includes(status?.operationState?.phase ?? '');

const isHydrated = ({ spec, status }: Application): boolean =>
  spec.sourceHydrator === undefined || status?.sourceHydrator?.currentOperation?.phase === 'Hydrated';

function revisionReached({ spec, status }: Application, revision: string): boolean {
  const compared = status?.sync?.revisions ?? [status?.sync?.revision ?? ''];
  const chosen = sourcesOf(spec).some(({ targetRevision }) => targetRevision === revision);
  // A branch name says nothing about the commit behind it; only where it is what the application follows, its comparison counts.
  return (
    compared.some((sha) => sha !== '' && (sha === revision || (revision.length >= 7 && sha.startsWith(revision)))) ||
    chosen
  );
}

/** What is not yet as it should be; empty when all is. */
export function missing(application: Application | undefined, wanted: WaitConditions): readonly string[] {
  if (wanted.deleted) return application === undefined ? [] : ['deletion'];
  if (application === undefined) return ['the application to exist'];
  const { status } = application;
  const resources = (status?.resources ?? []).filter((resource) => isSelected(wanted.resources, resource));
  const single = wanted.resources.length > 0;
  const healths = single
    ? resources.flatMap(({ health }) => health?.status ?? [])
    : [status?.health?.status ?? 'Unknown'];
  const syncs = single ? resources.map(({ status: code }) => code ?? 'Unknown') : [status?.sync?.status ?? 'Unknown'];
  return [
    ...(single && resources.length === 0 ? ['the objects to exist'] : []),
    ...(wanted.sync && syncs.some((code) => code !== 'Synced')
      ? [`sync (now ${syncs.find((code) => code !== 'Synced') ?? ''})`]
      : []),
    ...(wanted.health.length > 0 && healths.some((code) => !wanted.health.includes(code))
      ? [`health ${wanted.health.join(' or ')} (now ${healths.find((code) => !wanted.health.includes(code)) ?? ''})`]
      : []),
    ...(wanted.operation && !operationEnded(application) ? ['the operation to end'] : []),
    ...(wanted.hydrated === true && !isHydrated(application) ? ['hydration'] : []),
    ...(wanted.revision !== undefined && !revisionReached(application, wanted.revision)
      ? [`revision ${wanted.revision} (now ${status?.sync?.revision ?? 'none'})`]
      : []),
  ];
}

async function waitForOne(
  ref: ApplicationRef,
  { wanted, timeoutMs, output }: Readonly<{ wanted: WaitConditions; timeoutMs: number; output: string | undefined }>,
  context: CommandContext,
): Promise<void> {
  const { actor, signal, style, print } = context;
  const ports = await context.ports();
  const refreshAnnotation = 'argocd.argoproj.io/refresh';
  // A state from before the last push would satisfy at once; the controller is asked to look again first (DISC-60).
  if (!wanted.deleted) await requestRefresh(actor, { ...ref, kind: 'normal', signal }, ports);
  const follower = openFollower(context, output === undefined || output === 'wide' ? 'rows' : 'quiet');
  let lacking: readonly string[] = [];
  // The status does not hold the health of single objects, so no change of it tells when they are as wanted.
  const looksAtObjects = wanted.resources.length > 0 && wanted.health.length > 0 && !wanted.deleted;
  const first: WaitConditions = looksAtObjects ? { ...wanted, health: [] } : wanted;
  const startedMs = ports.clock.now().getTime();
  const until = (application: Application | undefined): boolean => {
    lacking =
      application?.metadata.annotations?.[refreshAnnotation] === undefined || wanted.deleted
        ? missing(application, first)
        : ['the refresh; is a controller running?'];
    return lacking.length === 0;
  };
  const request = {
    ...ref,
    signal,
    timeoutMs,
    until,
    onState: follower.see,
    get waitingFor() {
      return lacking.join(', ');
    },
  };
  const seen = await waitForApplication(request, ports).finally(follower.end);
  if (seen === undefined) return;
  const leftMs = timeoutMs - (ports.clock.now().getTime() - startedMs);
  const reached = looksAtObjects
    ? await waitForObjects(ref, { wanted, leftMs }, context)
    : await withLiveHealth(seen, context);
  if (output === 'json' || output === 'yaml') print(await formatValue(withoutManagedFields(reached), output));
  else print(`\n${describeSummary(reached, style)}\n${formatTable([resourceHeader, ...resourceRows(reached, style)])}`);
}

const pollMs = 1000;

/** Waits until the live objects that are meant are as wanted. @throws CodedError operation/timeout */
async function waitForObjects(
  ref: ApplicationRef,
  { wanted, leftMs }: Readonly<{ wanted: WaitConditions; leftMs: number }>,
  context: CommandContext,
): Promise<Application> {
  const { signal, io } = context;
  const ports = await context.ports();
  const untilMs = io.clock.now().getTime() + leftMs;
  for (;;) {
    const application = await withLiveHealth(await readApplication({ ...ref, signal }, ports), context);
    const lacking = missing(application, wanted);
    if (lacking.length === 0) return application;
    if (io.clock.now().getTime() + pollMs > untilMs)
      throw new CodedError('operation/timeout', `timed out waiting for application ${ref.name}: ${lacking.join(', ')}`);
    await io.clock.sleep(pollMs, signal);
  }
}

export const appWait = defineCommand({
  summary: 'Wait until applications are as wanted',
  description:
    'Wait until applications are as wanted; without a condition: synced, healthy, and with no operation running.',
  examples: [
    'app wait shop',
    'app wait shop --health --timeout 300',
    'app wait shop --sync --revision 1f8a67b',
    'app wait shop --health --resource apps:Deployment:web',
  ],
  args: {
    applications: positionals('The applications: name or namespace/name'),
    sync: flag('Wait for sync'),
    health: flag('Wait for health'),
    operation: flag('Wait for the running operation'),
    suspended: flag('Wait for suspension'),
    degraded: flag('Wait for degradation'),
    delete: flag('Wait for deletion'),
    hydrated: flag('Wait until rendered manifests are in their branch'),
    revision: option('Wait for this commit'),
    resource: options('Only these objects, GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; "!" in front leaves one out', {
      value: 'key',
    }),
    timeout: seconds('Longest wait (default: a day)'),
    selector: option('Applications with these labels', { short: 'l', value: 'labels' }),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml'], { short: 'o' }),
    appNamespace: option('Namespace of the applications', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { sync, health, operation, suspended, degraded, delete: deletion, hydrated } = args;
    const named = [sync, health, operation, suspended, degraded, deletion, hydrated].includes(true);
    const all = !named && args.revision === undefined;
    const wanted: WaitConditions = {
      sync: args.sync === true || all,
      operation: args.operation === true || all,
      deleted: args.delete === true,
      hydrated: args.hydrated === true,
      health: [
        ...(args.health === true || all ? ['Healthy'] : []),
        ...(args.suspended === true ? ['Suspended'] : []),
        ...(args.degraded === true ? ['Degraded'] : []),
      ],
      revision: args.revision,
      resources: args.resource.map(resourceFilter),
    };
    const ports = await context.ports();
    const { applications: names, selector, appNamespace } = args;
    const refs = await selectApplications({ names, selector, appNamespace, signal: context.signal }, ports);
    const timeoutMs = args.timeout ?? dayMs;
    await Promise.all(refs.map((ref) => waitForOne(ref, { wanted, timeoutMs, output: args.output }, context)));
    return 0;
  },
});
