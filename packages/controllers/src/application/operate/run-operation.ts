import { isAutomated, messageOf, type OperationState, timeText } from '@tiphys/api';
import {
  awaitsRetry,
  continueOperation,
  decideRetry,
  operationMark,
  retryOperation,
  supersededBy,
} from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import type { RunningOperation } from '../application-memory.ts';
import type { Pass } from '../context.ts';
import { announceStart } from './announce.ts';
import { operate, type OperateOutcome } from './operate.ts';
import { mayPass } from '../compare/source-grace.ts';
import { stopHooks } from './stop-hooks.ts';
import { type Given, isTerminated, type Progress, storeProgress, tellWaiting } from './progress.ts';
import { newerRevision, prepareAttempt } from './prepare-attempt.ts';
import { endAttempt } from './end-attempt.ts';

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
  return endAttempt(pass, {
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
  await tellWaiting(pass, { state, given }, because);
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
  const prepared = await prepareAttempt(pass, state, given);
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
        checkpoint: (results, message) =>
          storeProgress(
            pass,
            { state: frozen, given },
            { operationState: continueOperation(frozen, { results, message }) },
          ),
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
  return endAttempt(pass, { state: frozen, outcome, given });
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
  return endAttempt(pass, { state, outcome: { phase, message, results, superseded: true }, given });
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
    await tellWaiting(pass, { state, given }, because);
    return { againInMs: Math.max(1, Math.min(lookAgainMs, endMs - nowMs)) };
  }
  if (isNew(state)) announceStart(pass, state);
  const results = await stopHooks(pass, state);
  return endAttempt(pass, {
    state,
    outcome: { phase: 'Error', message: messageOf(error), results, superseded: false },
    given,
  });
}

type Waiting = Progress &
  Readonly<{ outcome: Extract<OperateOutcome, { kind: 'waiting' }>; attempt: RunningOperation }>;

async function wait(pass: Pass, { state, outcome, given, attempt: running }: Waiting): Promise<Next> {
  const { context, memory } = pass;
  memory.operation = running;
  const operationState = continueOperation(state, { results: outcome.results, message: outcome.message });
  await storeProgress(pass, { state, given }, { operationState, waitingFor: outcome.for });
  if (isTerminated(pass) && state.phase !== 'Terminating') return { againInMs: 1 };
  const now = context.ports.clock.now().getTime();
  const timeoutMs = context.settings().syncTimeoutMs;
  const deadline = timeoutMs > 0 ? new Date(state.startedAt).getTime() + timeoutMs : Infinity;
  const until = Math.min(outcome.until?.getTime() ?? Infinity, deadline, now + lookAgainMs);
  return { againInMs: Math.max(1, until - now) };
}

/** A change of a live object wakes the operation; this is for what no watch tells. */
const lookAgainMs = 10_000;
