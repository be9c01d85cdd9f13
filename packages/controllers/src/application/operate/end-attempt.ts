import { canonicalJson, messageOf, type OperationState, type ResourceResult, timeText } from '@tiphys/api';
import { awaitRetry, continueOperation, decideRetry, finishOperation, withHistory } from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import { instanceName } from '@tiphys/operations';
import { compareApplication } from '../compare/compare-application.ts';
import { comparedFrom } from '../compare/compared.ts';
import type { Pass } from '../context.ts';
import { type Compared, describeStatus } from '../status/describe-status.ts';
import { announceEnd } from './announce.ts';
import { writeAgainstCurrent } from '../status/write-status.ts';
import { frozenSources, isMultiSource } from '../compare/sources.ts';
import { isTerminated, type Progress, statusWith, storeProgress } from './progress.ts';

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
export async function endAttempt(pass: Pass, { state, outcome, given }: Ending): Promise<Next> {
  const { context, memory, application } = pass;
  const now = notBefore(state, context.ports.clock.now());
  memory.operation = undefined;
  const after = finishOperation(continueOperation(state, { results: outcome.results }), outcome, now);
  const retry = decideRetry(after, now);
  const compared = await compareAgain(pass, given.facts.compared, after);
  if (retry.kind === 'retry' && !outcome.superseded) {
    const operationState = awaitRetry(after, retry);
    await storeProgress(pass, { state, given }, { compared, operationState, waitingFor: [retry.because] });
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
