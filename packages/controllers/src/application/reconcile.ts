import {
  type Application,
  type Because,
  describeFinding,
  describeKey,
  isAutomated,
  messageOf,
  type Operation,
  type OperationState,
  projectOf,
  sourcesOf,
} from '@tiphys/api';
import {
  type Change,
  decideAutomatedSync,
  isHook,
  isOutOfSync,
  isRunning,
  RenderError,
  startOperation,
} from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import { instanceName } from '@tiphys/operations';
import { compareApplication } from './compare/compare-application.ts';
import { comparedFrom } from './compare/compared.ts';
import type { Context, Pass } from './context.ts';
import { decideRefresh, type Freshness } from './compare/decide-refresh.ts';
import { type Compared, describeStatus, type StatusFacts } from './status/describe-status.ts';
import type { Destination } from './watch/destinations.ts';
import { finalize } from './delete/finalize.ts';
import { wantedFinalizers } from './delete/finalizers.ts';
import { releaseHooks } from './operate/release-hooks.ts';
import { isSettled, settle } from './compare/settled.ts';
import { tellVerdict, writeAgainstCurrent } from './status/write-status.ts';
import { abandon, runOperation } from './operate/run-operation.ts';
import { toleratedUntil } from './compare/source-grace.ts';
import { isMultiSource, specSources } from './compare/sources.ts';

const refreshAnnotation = 'argocd.argoproj.io/refresh';
const refreshStamp = 'argocd.argoproj.io/refresh-timestamp';
const skipAnnotation = 'argocd.argoproj.io/skip-reconcile';

/** How soon something is tried again that failed for a passing reason. */
const retryMs = 10_000;

/** One pass over one application: read, decide, act. Safe to run again at any moment. */
export async function reconcile(key: string, context: Context, signal: AbortSignal): Promise<Next> {
  const stored = context.store.get(key);
  if (stored === undefined) {
    await releaseHooks(context.memories.of(key), context, signal);
    context.forget(key);
    return {};
  }
  const { raw, application } = stored;
  if (raw.metadata.annotations?.[skipAnnotation] === 'true') return {};
  const pass: Pass = { key, stored, application, memory: context.memories.of(key), told: {}, context, signal };
  if (raw.metadata.deletionTimestamp !== undefined) return finalize(pass);
  if (stored.problems.length > 0) return reportInvalid(pass, stored.problems.map(describeFinding));
  try {
    const next = await refreshAndOperate(pass);
    pass.memory.visited = true;
    return next;
  } catch (error) {
    // What was found may not have been stored: the next try does not take it for told.
    pass.memory.last = undefined;
    throw error;
  }
}

/** The spec cannot be acted on: the application says so, and everything else stays as it is. */
async function reportInvalid(pass: Pass, problems: readonly string[]): Promise<Next> {
  const facts: StatusFacts = {
    ...factsOf(pass),
    compared: { kind: 'failed', type: 'InvalidSpecError', messages: problems },
  };
  await writeAnswer(pass, facts, requestOf(facts.application));
  const { application, context } = pass;
  if (!isBusy(application)) return {};
  const state = resumed(application, context.ports.clock.now());
  const outcome =
    state.phase === 'Terminating'
      ? { phase: 'Failed' as const, message: 'Operation terminated' }
      : { phase: 'Error' as const, message: problems.join('; ') };
  return abandon(pass, state, { given: { facts }, ...outcome });
}

/**
 * Stores what a pass found, and takes off the annotation that asked for it. A request that came while the comparison was made is
 * not answered by it: it stays, and is next.
 */
function writeAnswer(pass: Pass, facts: StatusFacts, request: string | undefined): Promise<void> {
  return writeAgainstCurrent(pass, (current) => ({
    status: describeStatus({
      ...facts,
      application: { ...facts.application, ...(current.status !== undefined && { status: current.status }) },
    }),
    dropAnnotations: request !== undefined && requestOf(current) === request ? [refreshAnnotation] : [],
  }));
}

/** What tells one request for a refresh from another; undefined without one. */
function requestOf({ metadata: { annotations = {} } }: Application): string | undefined {
  const kind = annotations[refreshAnnotation];
  return kind === undefined ? undefined : `${kind} ${annotations[refreshStamp] ?? ''}`;
}

/** Whether an operation is asked for or under way. */
const isBusy = ({ operation, status }: Application): boolean =>
  operation !== undefined || isRunning(status?.operationState);

const factsOf = ({ application, stored, context }: Pass): Omit<StatusFacts, 'compared'> => ({
  application,
  instance: instanceName(application, context.namespace),
  warnings: stored.warnings.map(describeFinding),
  settings: context.settings(),
  controllerNamespace: context.namespace,
  now: context.ports.clock.now(),
});

function requestedRefresh({ metadata }: Application): 'normal' | 'hard' | undefined {
  const value = metadata.annotations?.[refreshAnnotation];
  return value === undefined ? undefined : value === 'hard' ? 'hard' : 'normal';
}

async function refreshAndOperate(pass: Pass): Promise<Next> {
  const { memory, context, application } = pass;
  const settings = context.settings();
  const now = context.ports.clock.now();
  const requested = requestedRefresh(application);
  const decision = decideRefresh(
    {
      requested,
      operationAsked: application.operation !== undefined && !isRunning(application.status?.operationState),
      inputs: context.inputs(application),
      last: memory.last,
      marks: memory.marks,
    },
    { intervalMs: context.intervalMs(pass.key), retryMs, hardIntervalMs: settings.hardRefreshIntervalMs },
    now.getTime(),
  );
  const busy = isBusy(application);
  const calm = !busy && memory.automation === undefined;
  if (decision.kind === 'wait' && calm) return { againInMs: decision.forMs };
  if (calm && decision.kind === 'refresh' && decision.because.code === 'interval' && (await rests(pass)))
    return nextPass(pass);

  let compared = memory.compared;
  if (decision.kind === 'refresh' || compared === undefined) {
    const { freshness, because } =
      decision.kind === 'refresh' ? decision : { freshness: 'recent' as const, because: { code: 'operation' } };
    compared = await refresh(pass, freshness, { because, asked: requested !== undefined });
    await keepFinalizers(pass, compared);
  }
  return actOn(pass, { facts: { ...factsOf(pass), compared }, request: requestOf(application), busy });
}

/** PreDelete and PostDelete hooks hold their application, from the moment they are desired: a deletion may come at any time. */
async function keepFinalizers(pass: Pass, compared: Compared): Promise<void> {
  if (compared.kind === 'failed') return;
  const { desired } = compared.comparison;
  await writeAgainstCurrent(pass, ({ metadata }) => {
    const finalizers =
      metadata.deletionTimestamp === undefined ? wantedFinalizers(metadata.finalizers ?? [], desired) : undefined;
    return finalizers === undefined ? {} : { finalizers };
  });
}

/** `request`: that for a refresh, as it was before the comparison. */
type Plan = Readonly<{ facts: StatusFacts; request: string | undefined; busy: boolean }>;

/** Runs the operation that is under way, asked for, or due by automation; otherwise the status is all there is to write. */
async function actOn(pass: Pass, { facts, request, busy }: Plan): Promise<Next> {
  const { application, memory, context } = pass;
  if (busy) {
    // What the operation waits for is for the operation to say.
    const waitingFor = application.status?.waitingFor ?? [];
    if (request !== undefined) await writeAnswer(pass, { ...facts, waitingFor }, request);
    return runOperation(pass, resumed(application, context.ports.clock.now()), { facts });
  }
  const automated = automation(pass, facts);
  memory.automation = undefined;
  switch (automated.kind) {
    case 'sync': {
      // Stored only with the outcome: a sync that ends at once is one write.
      tellVerdict(pass, 'sync', 'OutOfSync');
      context.ports.log.info('automated sync', { application: pass.key, because: automated.because.code });
      if (request !== undefined) await writeAnswer(pass, facts, request);
      return runOperation(
        pass,
        startOperation(automated.operation, startTime(application, context.ports.clock.now())),
        { facts },
      );
    }
    case 'refuse': {
      await writeAnswer(pass, { ...facts, syncError: automated.message }, request);
      return nextPass(pass);
    }
    case 'later': {
      memory.automation = automated.because;
      await writeAnswer(pass, { ...facts, waitingFor: [automated.because] }, request);
      return { againInMs: Math.max(1, automated.at.getTime() - context.ports.clock.now().getTime()) };
    }
    case 'none':
      await writeAnswer(pass, facts, request);
      memory.settled = await settle(pass, facts.compared);
      return nextPass(pass);
  }
}

/** At an interval that brought nothing new there is nothing to compare (docs/adr/0012). */
async function rests(pass: Pass): Promise<boolean> {
  const { memory, context } = pass;
  const { settled, last } = memory;
  if (settled === undefined || last === undefined || !(await isSettled(pass, settled))) return false;
  memory.settled = { ...settled, intervals: settled.intervals + 1 };
  memory.last = { ...last, atMs: context.ports.clock.now().getTime() };
  return true;
}

/**
 * When an operation begins. Stored times have whole seconds, and the start tells one operation's hooks from another's: two that
 * begin within a second get different ones.
 */
function startTime({ status }: Application, now: Date): Date {
  const last = new Date(status?.operationState?.startedAt ?? 0).getTime();
  return new Date(Math.max(now.getTime(), last + 1000));
}

/** The state to go on with: the stored one when it belongs to the operation that is asked for, else a new one. */
function resumed(application: Application, now: Date): OperationState {
  const state = application.status?.operationState;
  if (state !== undefined && isRunning(state)) return state;
  const operation: Operation = application.operation ?? {};
  return startOperation(operation, startTime(application, now));
}

function automation(pass: Pass, { compared }: StatusFacts): ReturnType<typeof decideAutomatedSync> {
  const { application, context } = pass;
  const settings = context.settings();
  if (!isAutomated(application.spec) || compared.kind === 'failed')
    return { kind: 'none', because: { code: 'not-automated' } };
  const { comparison, status } = compared;
  if (comparison.errors.length > 0) return { kind: 'none', because: { code: 'not-placed' } };
  return decideAutomatedSync(
    {
      syncPolicy: application.spec.syncPolicy,
      deleting: false,
      operationRunning: false,
      syncStatus: status,
      changes: comparison.changes,
      desiredCount: comparison.desired.filter((object) => !isHook(object)).length,
      revisions: comparison.revisions,
      sources: sourcesOf(application.spec),
      multiSource: isMultiSource(application),
      lastOperation: application.status?.operationState,
      selfHeal: settings.selfHeal,
    },
    context.ports.clock.now(),
  );
}

const namedDifferences = 3;

/** The first objects that differ, and where; paths only, never values. */
const firstDifferences = (changes: readonly Change[]): string[] =>
  changes
    .filter(isOutOfSync)
    .slice(0, namedDifferences)
    .map((change) => {
      const paths =
        change.kind === 'update' ? change.differences.slice(0, namedDifferences).map(({ path }) => path) : [];
      return [change.kind, describeKey(change.key), ...paths].join(' ');
    });

type Why = Readonly<{ because: Because; asked: boolean }>;

/** Why a comparison is made that could say nothing for sure before. */
export const clusterSearched = 'its cluster has been searched';

/** Compares, and remembers what was found. A failure is a finding, not an exception: the status tells it. */
async function refresh(pass: Pass, freshness: Freshness, { because, asked }: Why): Promise<Compared> {
  const { application, memory, context, key } = pass;
  const { clock, log } = context.ports;
  const startedMs = clock.now().getTime();
  // What changes from here on is for the next comparison.
  memory.marks = {};
  memory.settled = undefined;
  // Settings that change while it compares are not what it compared with.
  const inputs = context.inputs(application);
  const compared = await compareNow(pass, freshness, asked);
  const nowMs = clock.now().getTime();
  const failed = compared.kind === 'failed';
  // Nothing is called Synced before its cluster has been searched; the search may have ended a moment ago, after the verdict.
  const unsure = !failed && compared.status === 'Unknown';
  const isComplete = context.isComplete(application);
  if (unsure && isComplete) memory.marks = { ...memory.marks, live: clusterSearched };
  memory.last = {
    atMs: nowMs,
    hardAtMs: freshness === 'hard' ? nowMs : (memory.last?.hardAtMs ?? nowMs),
    inputs,
    failed: failed || unsure || !isComplete,
  };
  memory.compared = compared;
  log.info('application compared', {
    application: key,
    because: because.code,
    result: failed ? compared.messages[0] : compared.status,
    ...(!failed && compared.status === 'OutOfSync' && { differs: firstDifferences(compared.comparison.changes) }),
    durationMs: nowMs - startedMs,
  });
  context.counts.compared += 1;
  return compared;
}

const freshnessOfRefs = { recent: 'cached', latest: 'latest', hard: 'anew' } as const;

async function compareNow(pass: Pass, freshness: Freshness, asked: boolean): Promise<Compared> {
  const { application, context, key, signal } = pass;
  const sources = specSources(application);
  const project = projectOf(application.spec);
  if (!context.hasProject(project)) {
    const message = `spec.project: there is no AppProject "${project}"; create it, or name one that exists`;
    return { kind: 'failed', type: 'InvalidSpecError', messages: [message] };
  }
  let destination: Destination;
  try {
    destination = context.destinations.find(application.spec.destination);
  } catch (error) {
    return { kind: 'failed', type: 'InvalidSpecError', messages: [messageOf(error)] };
  }
  try {
    const comparison = await compareApplication(
      { application, destination, sources, freshness: freshnessOfRefs[freshness] },
      context.compareParts(),
      signal,
    );
    context.follow(key, { sources, readSets: comparison.rendered.readSet, commits: comparison.revisions });
    pass.memory.sourceFailedAtMs = undefined;
    return comparedFrom(pass, { comparison, destination, sources });
  } catch (error) {
    signal.throwIfAborted();
    // A change to anything that the failed render read is a reason to try again.
    context.follow(key, { sources, readSets: error instanceof RenderError ? error.readSet : undefined, commits: [] });
    const nowMs = context.ports.clock.now().getTime();
    const sinceMs = (pass.memory.sourceFailedAtMs ??= nowMs);
    const grace = { graceMs: context.settings().repositoryGraceMs, nowMs };
    const tolerated = toleratedUntil(application, { error, asked: asked || freshness === 'hard', sinceMs }, grace);
    return { kind: 'failed', type: 'ComparisonError', messages: [messageOf(error)], tolerated };
  }
}

/** When nothing happens: at the interval, or sooner when the last comparison failed. */
function nextPass(pass: Pass): Next {
  const { memory, context, key } = pass;
  const interval = context.intervalMs(key);
  return { againInMs: memory.last?.failed === true ? Math.min(interval, retryMs) : interval };
}
