import {
  type ApplicationSource,
  type Operation,
  type OperationState,
  type ResourceResult,
  type SyncPolicy,
  timeText,
} from '@tiphys/api';
import { withoutKeys } from '../diff/without-keys.ts';
import type { RetryDecision } from '../sync/decide-retry.ts';

/** What an operation is frozen to (contract 3.2, step 3). */
export type Frozen = Readonly<{
  revisions: readonly string[];
  sources: readonly ApplicationSource[];
  multiSource: boolean;
  /** What the namespace is given, when the application asks for that. */
  managedNamespaceMetadata?: SyncPolicy['managedNamespaceMetadata'];
}>;

const syncResult = (
  frozen: Frozen,
  resources: readonly ResourceResult[],
): NonNullable<OperationState['syncResult']> => {
  const [source] = frozen.sources;
  return {
    // Readers of the contract take `revision` for granted, also beside `revisions`.
    revision: frozen.multiSource ? '' : (frozen.revisions[0] ?? ''),
    ...(frozen.multiSource
      ? { revisions: [...frozen.revisions], sources: [...frozen.sources] }
      : source !== undefined && { source }),
    ...(frozen.managedNamespaceMetadata !== undefined && {
      managedNamespaceMetadata: frozen.managedNamespaceMetadata,
    }),
    ...(resources.length > 0 && { resources: [...resources] }),
  };
};

/** A new operation, before its revision is resolved. */
export const startOperation = (operation: Operation, now: Date): OperationState => ({
  operation,
  phase: 'Running',
  message: 'waiting to start',
  startedAt: timeText(now),
});

/** The operation with its revision, which it keeps to its end. */
export const freezeOperation = (state: OperationState, frozen: Frozen): OperationState => ({
  ...state,
  syncResult: syncResult(frozen, state.syncResult?.resources ?? []),
});

/** The operation with what was done, and a sentence about what it waits for. */
export const continueOperation = (
  state: OperationState,
  { results, message }: Readonly<{ results: readonly ResourceResult[]; message?: string }>,
): OperationState => ({
  ...state,
  ...(message !== undefined && { message }),
  ...(results.length > 0 && { syncResult: { ...(state.syncResult ?? { revision: '' }), resources: [...results] } }),
});

/** The operation at its end, or at the end of one attempt. */
export const finishOperation = (
  state: OperationState,
  end: Readonly<{ phase: 'Succeeded' | 'Failed' | 'Error'; message: string }>,
  now: Date,
): OperationState => ({ ...state, phase: end.phase, message: end.message, finishedAt: timeText(now) });

/** Between two attempts: Running, with the end of the last one and the number of the next (contract 3.6). */
export const awaitRetry = (
  ended: OperationState,
  retry: Extract<RetryDecision, { kind: 'retry' }>,
): OperationState => ({
  ...ended,
  phase: 'Running',
  message: retry.message,
  retryCount: retry.retryCount,
});

/** The next attempt: the same revision (unless it is refreshed), no results, its hooks run anew. */
export function retryOperation(state: OperationState, refresh: boolean): OperationState {
  const rest = withoutKeys(state, 'finishedAt', 'syncResult');
  if (refresh || state.syncResult === undefined) return { ...rest, phase: 'Running' };
  return { ...rest, phase: 'Running', syncResult: withoutKeys(state.syncResult, 'resources') };
}

/** Whether an operation is under way: running, being stopped, or waiting for its next attempt. */
export const isRunning = (state: OperationState | undefined): boolean =>
  state?.phase === 'Running' || state?.phase === 'Terminating';

/** Whether it waits for its next attempt. */
export const awaitsRetry = (state: OperationState): boolean =>
  state.phase === 'Running' && state.finishedAt !== undefined;
