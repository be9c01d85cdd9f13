import {
  type Application,
  canonicalJson,
  isAutomated,
  messageOf,
  type OperationState,
  type ResourceResult,
  sourcesOf,
  timeText,
} from '@tiphys/api';
import {
  awaitRetry,
  awaitsRetry,
  type Comparison,
  continueOperation,
  decideRetry,
  finishOperation,
  freezeOperation,
  operationMark,
  retryOperation,
  supersededBy,
  withHistory,
} from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import type { RunningOperation } from '../application-memory.ts';
import { instanceName } from '@tiphys/operations';
import { compareApplication } from '../compare/compare-application.ts';
import { comparedFrom } from '../compare/compared.ts';
import type { Pass } from '../context.ts';
import { type Compared, describeStatus, type StatusFacts } from '../status/describe-status.ts';
import type { Destination } from '../watch/destinations.ts';
import { announceEnd, announceStart } from './announce.ts';
import { operate, type OperateOutcome } from './operate.ts';
import { writeAgainstCurrent, writeStatus } from '../status/write-status.ts';
import { frozenSources, isMultiSource, localManifests, requestedSync } from '../compare/sources.ts';
import { mayPass } from '../compare/source-grace.ts';
import { stopHooks } from './stop-hooks.ts';

type Given = Readonly<{ facts: StatusFacts }>;

/** Works on an operation until it waits or is over, and stores how far it came. */
export async function runOperation(pass: Pass, state: OperationState, given: Given): Promise<Next> {
  const { context } = pass;
  const now = context.ports.clock.now();
  if (awaitsRetry(state) && state.phase !== 'Terminating') {
    const newer = newerWhileItWaits(pass, state, given);
    if (newer !== undefined) return giveWay(pass, { state, given, newer });
    const at = dueAt(state);
    if (at > now) {
      await tellBetweenAttempts(pass, { state, at, given });
      return { againInMs: Math.max(1, at.getTime() - context.ports.clock.now().getTime()) };
    }
    return context.limitOperations(() =>
      attempt(pass, retryOperation(state, state.operation.retry?.refresh === true), given),
    );
  }
  return context.limitOperations(() => attempt(pass, state, given));
}

/**
 * Between two attempts nothing of an automated operation is under way, so a newer revision need not wait for the last of them
 * (design decision 10). With `retry.refresh` the next attempt takes it in any case, and counts it.
 */
function newerWhileItWaits({ application }: Pass, state: OperationState, { facts }: Given): string | undefined {
  if (!isAutomated(application.spec) || state.operation.retry?.refresh === true) return undefined;
  return newerRevision(state, facts);
}

/** Ends an operation for good that waits for its next attempt: the automated sync begins anew with what is newer. */
const giveWay = (pass: Pass, { state, given, newer }: Progress & Readonly<{ newer: string }>): Promise<Next> => {
  const results = state.syncResult?.resources ?? [];
  return end(pass, {
    state,
    outcome: { phase: 'Failed', message: supersededBy(newer), results, superseded: true },
    given,
  });
};

/** Until the next attempt the application is compared like any other: a commit, or a change in the cluster, shows in its status. */
async function tellBetweenAttempts(
  pass: Pass,
  { state, at, given }: Readonly<{ state: OperationState; at: Date; given: Given }>,
): Promise<void> {
  const because = {
    code: 'waiting-for-retry',
    until: at.toISOString(),
    ...(state.message !== undefined && { message: state.message }),
  };
  await writeStatus(pass, {
    status: describeStatus(statusWith(pass, given, { operationState: state, waitingFor: [because] })),
  });
}

/** When the attempt that is waited for begins; `retryCount` already counts it. */
function dueAt(state: OperationState): Date {
  const before: OperationState = { ...state, phase: 'Failed', retryCount: Math.max(0, (state.retryCount ?? 1) - 1) };
  const decision = decideRetry(before, new Date(0));
  return decision.kind === 'retry' ? decision.at : new Date(0);
}

async function attempt(pass: Pass, state: OperationState, given: Given): Promise<Next> {
  // Only a sync is known; to take anything else for one would apply what nobody asked for.
  if (state.operation.sync === undefined) return abandon(pass, state, { given, phase: 'Failed', message: noOperation });
  const prepared = await prepare(pass, state, given);
  if (prepared.kind === 'failed') {
    if (state.phase === 'Terminating') return abandon(pass, state, { given, phase: 'Failed', message: terminated });
    return stall(pass, { state, given, error: prepared.error });
  }
  pass.memory.stalled = undefined;
  const { comparison, destination, frozen } = prepared;
  const { context, memory, signal, application } = pass;
  const mark = operationMark({ startedAt: frozen.startedAt, retryCount: frozen.retryCount ?? 0 });
  const known = memory.operation?.attempt === mark ? memory.operation : undefined;
  if (isNew(state)) announceStart(pass, frozen);
  const outcome = await operate(
    {
      application,
      destination,
      state: frozen,
      comparison,
      settings: context.settings(),
      waveDelayMs: context.waveDelayMs(),
      controlNamespace: context.namespace,
      supersededBy: newerRevision(frozen, given.facts),
    },
    known,
    {
      ports: {
        clock: context.ports.clock,
        concurrency: 10,
        checkpoint: (results, message) => checkpoint(pass, { state: frozen, results, message, given }),
      },
      signal,
    },
  );
  context.ports.log.debug('operation pass', { application: pass.key, outcome: outcome.kind, message: outcome.message });
  if (outcome.kind === 'waiting')
    return wait(pass, {
      state: frozen,
      outcome,
      given,
      attempt: { attempt: mark, comparison, destination, instance: given.facts.instance, ...outcome.memory },
    });
  return end(pass, { state: frozen, outcome, given });
}

/** Whether it has not begun before: neither in another attempt nor in another process. */
const isNew = ({ retryCount = 0, syncResult }: OperationState): boolean => retryCount === 0 && syncResult === undefined;

const terminated = 'Operation terminated';
const noOperation = 'Invalid operation request: no operation specified';

/**
 * Ends an operation whose plan cannot be made any more, for want of its source or of a spec that makes sense: its hooks that still
 * run are taken away, and it is not tried again.
 */
export async function abandon(
  pass: Pass,
  state: OperationState,
  { given, phase, message }: Readonly<{ given: Given; phase: 'Failed' | 'Error'; message: string }>,
): Promise<Next> {
  const results = await stopHooks(pass, state);
  return end(pass, { state, outcome: { phase, message, results, superseded: true }, given });
}

/**
 * An attempt whose source cannot be read. One that had begun waits for a while, as a comparison does (contract 3.7): ended in the
 * middle it would leave half of itself behind, for no reason of its own.
 */
async function stall(
  pass: Pass,
  { state, given, error }: Readonly<{ state: OperationState; given: Given; error: unknown }>,
): Promise<Next> {
  const { context, memory } = pass;
  const nowMs = context.ports.clock.now().getTime();
  const attempt = operationMark({ startedAt: state.startedAt, retryCount: state.retryCount ?? 0 });
  const stalled = memory.stalled?.attempt === attempt ? memory.stalled : { attempt, sinceMs: nowMs };
  memory.stalled = stalled;
  const endMs = stalled.sinceMs + context.settings().repositoryGraceMs;
  const begun = (state.syncResult?.resources ?? []).length > 0;
  if (begun && mayPass(error) && nowMs < endMs) {
    const because = { code: 'source-unreadable', until: timeText(new Date(endMs)), message: messageOf(error) };
    await writeStatus(pass, {
      status: describeStatus(statusWith(pass, given, { operationState: state, waitingFor: [because] })),
    });
    return { againInMs: Math.max(1, Math.min(lookAgainMs, endMs - nowMs)) };
  }
  if (isNew(state)) announceStart(pass, state);
  const results = await stopHooks(pass, state);
  return end(pass, {
    state,
    outcome: { phase: 'Error', message: messageOf(error), results, superseded: false },
    given,
  });
}

type Prepared = Readonly<
  | { kind: 'ready'; comparison: Comparison; destination: Destination; frozen: OperationState }
  | { kind: 'failed'; error: unknown }
>;

/** Finds what is to be synced: the comparison at hand when it is of the right revisions, else one at those. */
async function prepare(pass: Pass, state: OperationState, { facts }: Given): Promise<Prepared> {
  const { context, application, signal, memory } = pass;
  const sources = frozenSources(application, state);
  try {
    const destination = context.destinations.find(application.spec.destination);
    const resumed = memory.operation?.comparison;
    const comparison = fits(facts.compared, state, application)
      ? facts.compared.comparison
      : (resumedComparison(resumed, state) ??
        (await compareApplication(
          { application, destination, sources, freshness: 'latest', manifests: localManifests(state) },
          context.compareParts(),
          signal,
        )));
    if (comparison.errors.length > 0)
      return { kind: 'failed', error: new Error(comparison.errors.map(({ message = '' }) => message).join('; ')) };
    const frozen =
      state.syncResult === undefined
        ? freezeOperation(state, {
            revisions: comparison.revisions,
            sources: sources.map(({ source }) => source),
            multiSource: isMultiSource(application),
            managedNamespaceMetadata: application.spec.syncPolicy?.managedNamespaceMetadata,
          })
        : state;
    return { kind: 'ready', comparison, destination, frozen };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failed', error };
  }
}

/** Whether the comparison of this pass is of what the operation syncs: no revisions or sources of its own, and none frozen that differ. */
function fits(
  compared: Compared,
  state: OperationState,
  application: Application,
): compared is Extract<Compared, { kind: 'compared' }> {
  if (compared.kind === 'failed') return false;
  const sync = requestedSync(state);
  if (sync.source !== undefined || sync.sources !== undefined || localManifests(state) !== undefined) return false;
  const wanted = isMultiSource(application)
    ? (state.syncResult?.revisions ?? sync.revisions ?? [])
    : [state.syncResult?.revision ?? sync.revision ?? ''];
  const configured = sourcesOf(application.spec).map(({ targetRevision = 'HEAD' }) => targetRevision);
  return wanted.every(
    (revision, index) =>
      revision === '' || revision === compared.comparison.revisions[index] || revision === configured[index],
  );
}

const resumedComparison = (
  comparison: Comparison | undefined,
  { syncResult }: OperationState,
): Comparison | undefined => {
  if (comparison === undefined || syncResult === undefined) return undefined;
  const frozen = (syncResult.revisions ?? []).length > 0 ? (syncResult.revisions ?? []) : [syncResult.revision ?? ''];
  return frozen.every((revision, index) => revision === comparison.revisions[index]) ? comparison : undefined;
};

/** The revision that an automated operation should give way to: the one of the newest comparison, when it is another. */
function newerRevision({ operation, syncResult }: OperationState, { compared }: StatusFacts): string | undefined {
  const { sync = {}, initiatedBy } = operation;
  if (initiatedBy?.automated !== true || compared.kind === 'failed') return undefined;
  if (sync.source !== undefined || sync.sources !== undefined) return undefined;
  const { revisions } = compared.comparison;
  const own = (syncResult?.revisions ?? []).length > 0 ? (syncResult?.revisions ?? []) : [syncResult?.revision ?? ''];
  return own.every((revision, index) => revision === revisions[index]) ? undefined : revisions.join(', ');
}

type Progress = Readonly<{ state: OperationState; given: Given }>;

const statusWith = (pass: Pass, { facts }: Given, more: Partial<StatusFacts>): StatusFacts => ({
  ...facts,
  application: pass.application,
  now: pass.context.ports.clock.now(),
  ...more,
});

/** Stores an operation under way, so that a restart finds it and everybody sees it. */
async function checkpoint(
  pass: Pass,
  { state, results, message, given }: Progress & Readonly<{ results: readonly ResourceResult[]; message: string }>,
): Promise<void> {
  const operationState = continueOperation(state, { results, message });
  await writeStatus(pass, {
    status: describeStatus(statusWith(pass, given, { operationState })),
    ...(pass.application.operation === undefined && { operation: state.operation }),
  });
}

type Waiting = Progress &
  Readonly<{ outcome: Extract<OperateOutcome, { kind: 'waiting' }>; attempt: RunningOperation }>;

async function wait(pass: Pass, { state, outcome, given, attempt: running }: Waiting): Promise<Next> {
  const { context, memory } = pass;
  memory.operation = running;
  const operationState = continueOperation(state, { results: outcome.results, message: outcome.message });
  await writeStatus(pass, {
    status: describeStatus(statusWith(pass, given, { operationState, waitingFor: outcome.for })),
    ...(pass.application.operation === undefined && { operation: state.operation }),
  });
  if (isTerminated(pass) && state.phase !== 'Terminating') return { againInMs: 1 };
  const now = context.ports.clock.now().getTime();
  const timeoutMs = context.settings().syncTimeoutMs;
  const deadline = timeoutMs > 0 ? new Date(state.startedAt).getTime() + timeoutMs : Infinity;
  const until = Math.min(outcome.until?.getTime() ?? Infinity, deadline, now + lookAgainMs);
  return { againInMs: Math.max(1, until - now) };
}

/** Whether somebody asked for the end while the pass was at work: its own write came back with that. */
const isTerminated = ({ application }: Pass): boolean => application.status?.operationState?.phase === 'Terminating';

/** A change of a live object wakes the operation; this is for what no watch tells. */
const lookAgainMs = 10_000;

type Ending = Progress &
  Readonly<{
    outcome: Readonly<{
      phase: 'Succeeded' | 'Failed' | 'Error';
      message: string;
      results: readonly ResourceResult[];
      superseded: boolean;
    }>;
  }>;

/** An operation never ends before it began, however quick it was. */
const notBefore = ({ startedAt }: OperationState, now: Date): Date =>
  new Date(Math.max(now.getTime(), new Date(startedAt).getTime()));

/** The attempt is over: the last of it is stored with a fresh comparison, and the operation goes, or waits for its next attempt. */
async function end(pass: Pass, { state, outcome, given }: Ending): Promise<Next> {
  const { context, memory, application } = pass;
  const now = notBefore(state, context.ports.clock.now());
  memory.operation = undefined;
  const after = finishOperation(continueOperation(state, { results: outcome.results }), outcome, now);
  const retry = decideRetry(after, now);
  const compared = await compareAgain(pass, given.facts.compared, after);
  if (retry.kind === 'retry' && !outcome.superseded) {
    const operationState = awaitRetry(after, retry);
    const status = describeStatus(statusWith(pass, given, { compared, operationState, waitingFor: [retry.because] }));
    await writeStatus(pass, { status, ...(application.operation === undefined && { operation: state.operation }) });
    if (isTerminated(pass)) return { againInMs: 1 };
    return { againInMs: Math.max(1, retry.at.getTime() - context.ports.clock.now().getTime()) };
  }
  const final = withRetries(after);
  const sources = frozenSources(application, state).map(({ source }) => source);
  const history = withHistory(
    application.status?.history ?? [],
    { state: final, sources, multiSource: isMultiSource(application), now: timeText(now) },
    application.spec.revisionHistoryLimit,
  );
  const status = describeStatus(
    statusWith(pass, given, { compared, operationState: final, history, syncError: syncErrorOf(final) }),
  );
  // Another request that came in meanwhile stays, and is next.
  await writeAgainstCurrent(pass, ({ operation }) => ({
    status,
    ...(operation !== undefined && canonicalJson(operation) === canonicalJson(state.operation) && { operation: null }),
  }));
  announceEnd(pass, final);
  context.counts.operations += 1;
  // Automation decides anew with the outcome: an automated operation that failed is not repeated, a drift during it is healed.
  memory.automation = { code: 'operation-ended' };
  return { againInMs: 1 };
}

const syncErrorOf = ({ phase, operation, message }: OperationState): string | undefined =>
  phase !== 'Succeeded' && operation.initiatedBy?.automated === true ? message : undefined;

const withRetries = (state: OperationState): OperationState => {
  const retries = state.retryCount ?? 0;
  return retries === 0 || state.phase === 'Succeeded'
    ? state
    : { ...state, message: `${state.message ?? ''} (retried ${retries} times).` };
};

/** What the cluster looks like after our writes: rendered objects are at hand, so this costs a look at the live cache. */
async function compareAgain(pass: Pass, before: Compared, ended: OperationState): Promise<Compared> {
  const { context, application, signal, memory } = pass;
  if (before.kind === 'failed') return before;
  try {
    const destination = context.destinations.find(application.spec.destination);
    const sources = before.sources.map((one, index) => ({
      ...one,
      revision: before.comparison.revisions[index] ?? one.revision,
    }));
    // It sees all that has happened until now, our own writes included, whether the watch has shown them yet or not.
    memory.marks = { ...memory.marks, live: undefined };
    const written = destination.live.recentWrites.pendingOf(instanceName(application, context.namespace));
    const comparison = await compareApplication(
      { application, destination, sources, freshness: 'cached' },
      context.compareParts(),
      signal,
    );
    const compared = comparedFrom(pass, { comparison, destination, sources: before.sources }, ended);
    memory.compared = compared;
    memory.seenWrites = written;
    return compared;
  } catch (error) {
    signal.throwIfAborted();
    memory.compared = undefined;
    context.ports.log.warn('application could not be compared after its sync', {
      application: pass.key,
      error: messageOf(error),
    });
    return before;
  }
}
