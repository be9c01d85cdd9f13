import type { ApplicationSource, OperationInitiator, OperationState, RevisionHistory } from '@tiphys/api';

/** Entries that are kept when the application says nothing. */
export const defaultHistoryLimit = 10;

/** What was deployed, for the history. */
export type Deployed = Readonly<{
  state: OperationState;
  /** The source or sources of the application that were synced. */
  sources: readonly ApplicationSource[];
  multiSource: boolean;
  now: string;
}>;

/**
 * The history with an entry for a successful sync, oldest first, trimmed to the limit (0 keeps none). Selective syncs, dry runs and
 * syncs of local manifests, which no commit could bring back, leave none (contract 3.2, step 8; 3.5). Ids grow and are never used again.
 */
export function withHistory(
  history: readonly RevisionHistory[],
  deployed: Deployed,
  limit: number = defaultHistoryLimit,
): readonly RevisionHistory[] {
  const { state, sources, multiSource, now } = deployed;
  const { sync } = state.operation;
  if (state.phase !== 'Succeeded' || (sync?.resources ?? []).length > 0 || sync?.dryRun === true) return history;
  if ((sync?.manifests ?? []).length > 0) return history;
  const initiatedBy: OperationInitiator = state.operation.initiatedBy ?? {};
  const [source] = sources;
  const entry: RevisionHistory = {
    id: Math.max(-1, ...history.map(({ id }) => id)) + 1,
    deployedAt: now,
    deployStartedAt: state.startedAt,
    ...(multiSource
      ? { sources: [...sources], revisions: [...(state.syncResult?.revisions ?? [])] }
      : { ...(source !== undefined && { source }), revision: state.syncResult?.revision ?? '' }),
    initiatedBy,
  };
  return limit <= 0 ? [] : [...history, entry].slice(-limit);
}
