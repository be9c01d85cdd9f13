import {
  type Application,
  type ApplicationSource,
  type OperationState,
  sourcesOf,
  type SyncOperation,
} from '@tiphys/api';
import type { WantedSource } from '@tiphys/engine';

const configured = ({ targetRevision = '' }: ApplicationSource): string =>
  targetRevision === '' ? 'HEAD' : targetRevision;

/** The sources as the spec has them. */
export const specSources = (application: Application): readonly WantedSource[] =>
  sourcesOf(application.spec).map((source) => ({ source, revision: configured(source) }));

const isMulti = (application: Application): boolean => (application.spec.sources ?? []).length > 0;

/** Whether the application uses `sources`, and with it `revisions` in status and operation. */
export const isMultiSource = isMulti;

/** The sources of an operation: its own ones (rollback) or those of the spec, at the revisions that it names. */
export function operationSources(application: Application, sync: SyncOperation): readonly WantedSource[] {
  const own = sync.sources ?? (sync.source === undefined ? [] : [sync.source]);
  const sources = own.length > 0 ? own : sourcesOf(application.spec);
  const revisions = sync.revisions ?? [];
  return sources.map((source, index) => {
    const named = revisions[index] ?? (index === 0 ? sync.revision : undefined) ?? '';
    return { source, revision: named === '' ? configured(source) : named };
  });
}

/**
 * What an attempt is asked to sync. An automated operation names the commit that was seen when it began; an attempt that is to take
 * the newest (`retry.refresh`, contract 3.6) has no use for that one.
 */
export function requestedSync({ operation, retryCount = 0, syncResult }: OperationState): SyncOperation {
  const { sync = {}, retry, initiatedBy } = operation;
  const takesNewest = retry?.refresh === true && retryCount > 0 && syncResult === undefined;
  if (!takesNewest || initiatedBy?.automated !== true) return sync;
  const { revision: _, revisions: __, ...rest } = sync;
  return rest;
}

/** The sources of an operation that has begun: at the revisions that were frozen when it did (contract 3.2). */
export function frozenSources(application: Application, state: OperationState): readonly WantedSource[] {
  const wanted = operationSources(application, requestedSync(state));
  const { revision, revisions = [] } = state.syncResult ?? {};
  return wanted.map((one, index) => {
    const frozen = revisions[index] ?? (index === 0 ? revision : undefined) ?? '';
    return frozen === '' ? one : { ...one, revision: frozen };
  });
}

/** `revision`, or `revisions` with several sources: the two are never both set (contract 1.5). */
export const revisionFields = (
  application: Application,
  revisions: readonly string[],
): { revision?: string; revisions?: string[] } =>
  isMulti(application) ? { revisions: [...revisions] } : { revision: revisions[0] ?? '' };

/** `source`, or `sources`. */
export function sourceFields(
  application: Application,
  wanted: readonly WantedSource[],
): { source?: ApplicationSource; sources?: ApplicationSource[] } {
  const sources = wanted.map(({ source }) => source);
  const [source] = sources;
  return isMulti(application) || source === undefined ? { sources } : { source };
}

/** Manifests that the operation brings along; undefined when it syncs what the sources say. */
export const localManifests = ({ operation }: OperationState): readonly string[] | undefined =>
  (operation.sync?.manifests ?? []).length > 0 ? operation.sync?.manifests : undefined;
