import { type Application, type OperationState, sourcesOf } from '@tiphys/api';
import { type Comparison, freezeOperation } from '@tiphys/engine';
import { compareApplication } from '../compare/compare-application.ts';
import type { Pass } from '../context.ts';
import type { Compared, StatusFacts } from '../status/describe-status.ts';
import type { Destination } from '../watch/destinations.ts';
import { frozenSources, isMultiSource, localManifests, requestedSync } from '../compare/sources.ts';
import type { Given } from './progress.ts';

type Prepared = Readonly<
  | { kind: 'ready'; comparison: Comparison; destination: Destination; frozen: OperationState }
  | { kind: 'failed'; error: unknown }
>;

type FrozenTo = Readonly<{ revision?: string | undefined; revisions?: readonly string[] | undefined }>;

/** Finds what is to be synced: the comparison at hand when it is of the right revisions, else one at those. */
export async function prepareAttempt(pass: Pass, state: OperationState, { facts }: Given): Promise<Prepared> {
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

/** Whether a comparison is of the revisions that an operation is frozen to. */
function isAtFrozen({ revisions }: Comparison, { revision = '', revisions: several = [] }: FrozenTo): boolean {
  const frozen = several.length > 0 ? several : [revision];
  return frozen.every((one, index) => one === revisions[index]);
}

const resumedComparison = (
  comparison: Comparison | undefined,
  { syncResult }: OperationState,
): Comparison | undefined =>
  comparison !== undefined && syncResult !== undefined && isAtFrozen(comparison, syncResult) ? comparison : undefined;

/** The revision that an automated operation should give way to: the one of the newest comparison, when it is another. */
export function newerRevision(
  { operation, syncResult }: OperationState,
  { compared }: StatusFacts,
): string | undefined {
  const { sync = {}, initiatedBy } = operation;
  if (initiatedBy?.automated !== true || compared.kind === 'failed') return undefined;
  if (sync.source !== undefined || sync.sources !== undefined) return undefined;
  const { comparison } = compared;
  return isAtFrozen(comparison, syncResult ?? {}) ? undefined : comparison.revisions.join(', ');
}
