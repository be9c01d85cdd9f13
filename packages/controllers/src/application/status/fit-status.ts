import {
  type ApplicationStatus,
  canonicalJson,
  type OperationState,
  type ResourceResult,
  type ResourceStatus,
} from '@tiphys/api';
import { mergeConditions } from '@tiphys/engine';

/** Characters that it takes up when it is stored, about. */
export const sizeOf = (value: unknown): number => (value === undefined ? 0 : canonicalJson(value).length);

type Results = readonly ResourceResult[];

/** An object that was applied and that nothing more is to be said of. Hooks are kept: they must not run twice. */
const isPlain = ({ status, hookType, hookPhase }: ResourceResult): boolean =>
  status === 'Synced' && (hookType ?? '') === '' && hookPhase !== 'Failed' && hookPhase !== 'Error';

const resultsOf = (status: ApplicationStatus): Results => status.operationState?.syncResult?.resources ?? [];

function withResults(status: ApplicationStatus, results: Results, note?: string): ApplicationStatus {
  const { operationState: state } = status;
  if (state?.syncResult === undefined) return status;
  const { message = '' } = state;
  const operationState: OperationState = {
    ...state,
    ...(note !== undefined && { message: message === '' ? note : `${message}; ${note}` }),
    syncResult: { ...state.syncResult, resources: [...results] },
  };
  return { ...status, operationState };
}

/** Messages such as `configmap/a created`. */
const withoutPlainMessages = (status: ApplicationStatus): ApplicationStatus =>
  withResults(
    status,
    resultsOf(status).map((result) => {
      const { message: _, ...rest } = result;
      return isPlain(result) ? rest : result;
    }),
  );

function withoutPlainResults(status: ApplicationStatus): ApplicationStatus {
  const results = resultsOf(status);
  const kept = results.filter((result) => !isPlain(result));
  const gone = results.length - kept.length;
  return gone === 0
    ? status
    : withResults(status, kept, `the results of ${gone} applied objects are too many to be stored`);
}

/** The old entries go first, and the last one stays. */
function withLessHistory(status: ApplicationStatus, excess: number): ApplicationStatus {
  const { history = [] } = status;
  let from = 0;
  for (let left = excess; left > 0 && from < history.length - 1; from += 1) left -= sizeOf(history[from]) + 1;
  return from === 0 ? status : { ...status, history: history.slice(from) };
}

/** As many as fit, those that differ before those that do not. */
function fitting<T>(rows: readonly T[], differs: (row: T) => boolean, maxSize: number): T[] {
  let left = maxSize;
  const kept = new Set<T>();
  for (const row of [...rows.filter(differs), ...rows.filter((one) => !differs(one))]) {
    left -= sizeOf(row) + 1;
    if (left < 0) break;
    kept.add(row);
  }
  return rows.filter((row) => kept.has(row));
}

const differs = ({ status }: ResourceStatus): boolean => status !== 'Synced';

function withFewerRows(status: ApplicationStatus, { maxSize, now }: Limits): ApplicationStatus {
  const { resources = [], conditions = [] } = status;
  const results = resultsOf(status);
  const rest = sizeOf(withResults({ ...status, resources: [] }, []));
  const room = Math.max(0, maxSize - rest - messageSize);
  const keptResults = fitting(results, ({ hookType }) => (hookType ?? '') !== '', room / 2);
  const kept = fitting(resources, differs, room - sizeOf(keptResults));
  const message = `the status is too large to be stored: it names ${kept.length} of ${resources.length} objects and ${keptResults.length} of ${results.length} results`;
  const look = { types: ['UnknownError'], now } as const;
  return {
    ...withResults(status, keptResults),
    resources: kept,
    conditions: [...mergeConditions(conditions, [{ type: 'UnknownError', message }], look)],
  };
}

/** Left for the condition that tells of it. */
const messageSize = 500;

type Limits = Readonly<{ maxSize: number; now: Date }>;

/**
 * The status, made small enough to be stored (contract 3.11). What says least goes first: messages about objects that were applied,
 * then these results, then old entries of the history, then rows of objects, with an `UnknownError` that counts them.
 */
export function fitStatus(status: ApplicationStatus, limits: Limits): ApplicationStatus {
  const steps: readonly ((status: ApplicationStatus) => ApplicationStatus)[] = [
    withoutPlainMessages,
    withoutPlainResults,
    (before) => withLessHistory(before, sizeOf(before) - limits.maxSize),
    (before) => withFewerRows(before, limits),
  ];
  let fitted = status;
  for (const step of steps) {
    if (sizeOf(fitted) <= limits.maxSize) return fitted;
    fitted = step(fitted);
  }
  return fitted;
}
