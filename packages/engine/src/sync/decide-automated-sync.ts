import {
  type ApplicationSource,
  type Because,
  canonicalJson,
  type Operation,
  type OperationState,
  type SyncPolicy,
} from '@tiphys/api';
import { isOutOfSync } from '../diff/diff.ts';
import type { Change } from '../diff/change.ts';
import { automatedRetry } from './decide-retry.ts';

/** How long a self-heal waits after the last one; `fixedMs` above 0 wins over the back-off. */
export type SelfHealPauses = Readonly<{ fixedMs: number; firstMs: number; factor: number; capMs: number }>;

/** 2 s × 3^n, at most 5 minutes (contract 3.7). */
export const selfHealDefaults: SelfHealPauses = { fixedMs: 0, firstMs: 2_000, factor: 3, capMs: 300_000 };

/** What the guard looks at: one application right after it was compared. */
export type AutomatedSyncView = Readonly<{
  syncPolicy: SyncPolicy | undefined;
  deleting: boolean;
  /** `operation` is set, or `operationState` is Running or Terminating. */
  operationRunning: boolean;
  syncStatus: 'Synced' | 'OutOfSync' | 'Unknown';
  changes: readonly Change[];
  /** Number of desired objects that are no hooks. */
  desiredCount: number;
  /** The compared revision of each source. */
  revisions: readonly string[];
  sources: readonly ApplicationSource[];
  /** Whether the application uses `sources`; then the operation names `revisions`. */
  multiSource: boolean;
  lastOperation: OperationState | undefined;
  selfHeal: SelfHealPauses;
  /** Whether a sync window forbids it now; the reason then. */
  blockedBy?: Because | undefined;
}>;

export type AutomatedSyncDecision =
  | Readonly<{ kind: 'none'; because: Because }>
  | Readonly<{ kind: 'later'; at: Date; because: Because }>
  /** Nothing is done, and the application says so: a condition of type `SyncError`. */
  | Readonly<{ kind: 'refuse'; message: string; because: Because }>
  | Readonly<{ kind: 'sync'; operation: Operation; because: Because }>;

const none = (code: string, message?: string): AutomatedSyncDecision => ({
  kind: 'none',
  because: { code, ...(message !== undefined && { message }) },
});

const refuse = (code: string, message: string): AutomatedSyncDecision => ({
  kind: 'refuse',
  message,
  because: { code, message },
});

/** After so long beyond the longest pause without a heal the next one is a first one again. */
const healForgottenMs = 30_000;

/** The wait after the n-th self-heal in a row, in milliseconds. */
export const selfHealDelay = (n: number, { fixedMs, firstMs, factor, capMs }: SelfHealPauses): number =>
  fixedMs > 0 ? fixedMs : Math.min(capMs, firstMs * Math.max(1, factor) ** n);

const withoutRevision = (sources: readonly ApplicationSource[]): string =>
  canonicalJson(sources.map((source) => ({ ...source, targetRevision: undefined })));

/**
 * Whether the namespace is to get other metadata than the last sync gave it. No object of the source differs then, but the
 * application is not as its specification says (contract 1.5, `syncResult.managedNamespaceMetadata`).
 */
export function namespaceMetadataDiffers(
  syncPolicy: SyncPolicy | undefined,
  last: OperationState | undefined,
): boolean {
  const wanted = syncPolicy?.managedNamespaceMetadata;
  if (wanted === undefined || last?.syncResult === undefined || last.operation.sync?.dryRun === true) return false;
  return canonicalJson(wanted) !== canonicalJson(last.syncResult.managedNamespaceMetadata ?? {});
}

/** Whether the last operation was about the same revisions of the same sources. */
function alreadyAttempted({ lastOperation, revisions, sources }: AutomatedSyncView): boolean {
  const result = lastOperation?.syncResult;
  if (result === undefined) return false;
  const several = (result.revisions ?? []).length > 0;
  const attempted = several ? (result.revisions ?? []) : [result.revision ?? ''];
  if (canonicalJson(attempted) !== canonicalJson(revisions)) return false;
  const used =
    (result.sources ?? []).length > 0 ? (result.sources ?? []) : result.source === undefined ? [] : [result.source];
  return used.length === 0 || withoutRevision(used) === withoutRevision(sources);
}

/** An extra object on its way out, held by a finalizer: another sync would not hurry it. */
const isLeaving = (change: Change): boolean =>
  change.kind === 'prune' && change.live.metadata.deletionTimestamp !== undefined;

type Automated = NonNullable<SyncPolicy['automated']>;

function operationFor(view: AutomatedSyncView, automated: Automated, heal?: { attempts: number }): Operation {
  const [revision = ''] = view.revisions;
  const options = view.syncPolicy?.syncOptions ?? [];
  return {
    sync: {
      ...(view.multiSource ? { revisions: [...view.revisions] } : { revision }),
      ...(automated.prune === true && { prune: true }),
      ...(options.length > 0 && { syncOptions: [...options] }),
      ...(heal !== undefined && {
        // Without namespaces, as the contract has it.
        resources: view.changes.filter(isOutOfSync).map(({ key: { group, kind, name } }) => ({ group, kind, name })),
        autoHealAttemptsCount: heal.attempts,
      }),
    },
    initiatedBy: { automated: true },
    retry: view.syncPolicy?.retry ?? automatedRetry,
  };
}

/** Live objects drifted from a revision that was synced: heal, or wait for the back-off to pass. */
function decideSelfHeal(view: AutomatedSyncView, automated: Automated, now: Date): AutomatedSyncDecision {
  if (automated.selfHeal !== true) return none('self-heal-off', 'live objects drifted, and self-heal is off');
  const last = view.lastOperation;
  const finished = new Date(last?.finishedAt ?? 0).getTime();
  const counted = last?.operation.sync?.autoHealAttemptsCount ?? 0;
  const attempts = now.getTime() - finished > view.selfHeal.capMs + healForgottenMs ? 0 : counted;
  const at = new Date(finished + selfHealDelay(attempts, view.selfHeal));
  if (now < at) return { kind: 'later', at, because: { code: 'self-heal-backoff', until: at.toISOString() } };
  const operation = operationFor(view, automated, { attempts: attempts + 1 });
  return {
    kind: 'sync',
    operation,
    because: { code: 'self-heal', message: 'live objects drifted from the synced revision' },
  };
}

/** Whether an application that was just compared syncs by itself: the guard rules of contract 3.7, in their order. */
export function decideAutomatedSync(view: AutomatedSyncView, now: Date): AutomatedSyncDecision {
  const automated = view.syncPolicy?.automated;
  if (automated === undefined || automated.enabled === false) return none('not-automated');
  if (view.operationRunning) return none('operation-running');
  if (view.deleting) return none('being-deleted');
  if (view.syncStatus !== 'OutOfSync') return none(view.syncStatus === 'Synced' ? 'in-sync' : 'not-compared');
  const out = view.changes.filter(isOutOfSync).filter((change) => !isLeaving(change));
  const isNamespaceOther = namespaceMetadataDiffers(view.syncPolicy, view.lastOperation);
  if (out.length === 0 && !isNamespaceOther) return none('deletion-under-way', 'what differs is being deleted');
  if (automated.prune !== true && !isNamespaceOther && out.every(({ kind }) => kind === 'prune'))
    return none('only-extra', 'only objects that left the source differ, and prune is off');
  if (view.blockedBy !== undefined) return { kind: 'none', because: view.blockedBy };

  const wipes = automated.prune === true && automated.allowEmpty !== true && out.some(({ kind }) => kind === 'prune');
  if (wipes && view.desiredCount === 0)
    return refuse(
      'would-wipe',
      'auto-sync will wipe out all resources: the source renders to no object; allowEmpty permits it',
    );

  if (isNamespaceOther || !alreadyAttempted(view)) {
    const code = isNamespaceOther ? 'namespace-metadata' : 'new-revision';
    return { kind: 'sync', operation: operationFor(view, automated), because: { code } };
  }
  if (view.lastOperation?.phase === 'Succeeded') return decideSelfHeal(view, automated, now);
  const message = `Failed last sync attempt to ${view.revisions.join(', ')}: ${view.lastOperation?.message ?? ''}`;
  return refuse('last-attempt-failed', message);
}
