import type { Because, KubeObject, ResourceKey, ResourceResult, TrackingSettings } from '@tiphys/api';
import type { Change, LiveObjects } from '../diff/change.ts';
import type { IgnoreRule } from '../diff/ignore.ts';
import type { Health } from '../health/health.ts';

/** The phases of an operation in the order they run; SyncFail only after a failure. */
export const syncPhases = ['PreSync', 'Sync', 'PostSync', 'SyncFail'] as const;
export type SyncPhase = (typeof syncPhases)[number];

/** The phases around the cascade of a deletion (contract 3.10). They hold hooks only. */
export const deletionPhases = ['PreDelete', 'PostDelete'] as const;
export type DeletionPhase = (typeof deletionPhases)[number];

export const hookTypes = [...syncPhases, 'Skip', ...deletionPhases] as const;
export type HookType = (typeof hookTypes)[number];

export const hookDeletePolicies = ['BeforeHookCreation', 'HookSucceeded', 'HookFailed'] as const;
export type HookDeletePolicy = (typeof hookDeletePolicies)[number];

/** How one object is written: its own annotations first, then the application's options. */
export type TaskOptions = Readonly<{
  apply: 'client-side' | 'server-side' | 'replace';
  force: boolean;
  validate: boolean;
  prune: 'allow' | 'never' | 'confirm';
  pruneLast: boolean;
  skipDryRunOnMissingResource: boolean;
  /** Field manager whose client-side ownership a first server-side apply takes over; undefined: none is taken over. */
  migrateFrom: string | undefined;
}>;

/** An object of Git that is applied. */
export type ApplyTask = Readonly<{
  kind: 'apply';
  key: ResourceKey;
  phase: SyncPhase;
  wave: number;
  object: KubeObject;
  /** `keep`: nothing differs. */
  change: 'create' | 'update' | 'keep';
  /** The live object as it was compared; undefined for `create`. */
  live: KubeObject | undefined;
  options: TaskOptions;
}>;

/** A hook that is run. `object` has its final name and the mark of this operation. */
export type HookTask = Readonly<{
  kind: 'hook';
  key: ResourceKey;
  phase: SyncPhase | DeletionPhase;
  wave: number;
  object: KubeObject;
  hookType: HookType;
  deletePolicies: readonly HookDeletePolicy[];
  options: TaskOptions;
}>;

/** An object of the cluster that is deleted, or skipped for the reason given. */
export type PruneTask = Readonly<{
  kind: 'prune';
  key: ResourceKey;
  phase: 'Sync';
  wave: number;
  live: KubeObject;
  /** `delete`; or the result's message when it is left alone; `confirm` waits for the approval. */
  action: 'delete' | 'skip-not-requested' | 'skip-never' | 'confirm';
  options: TaskOptions;
}>;

/** One unit of a plan. */
export type SyncTask = ApplyTask | HookTask | PruneTask;

/** The namespace that `CreateNamespace=true` asks for; comes before the preflight. */
export type NamespaceTask = Readonly<{
  name: string;
  /** Labels and annotations to hold there (`managedNamespaceMetadata`); undefined: only that it exists matters. */
  metadata:
    Readonly<{ labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> }> | undefined;
}>;

/** All that one operation does, in order. A pure function of what is desired, what is live, and the request. */
export type SyncPlan = Readonly<{
  tasks: readonly SyncTask[];
  namespace: NamespaceTask | undefined;
  /** Unknown options, bad waves: shown, no reason to stop. */
  warnings: readonly Because[];
  /** Why nothing may be applied: misspelt hook, shared resource under FailOnSharedResource. Not empty: the operation fails at once. */
  errors: readonly Because[];
  propagation: 'Foreground' | 'Background' | 'Orphan';
  /** A dry run ends after the preflight. */
  dryRun: boolean;
  /** How many objects the plan deletes. */
  pruneCount: number;
}>;

/** One line of `operation.sync.resources`; wildcards and exclusions are resolved by whoever fills the operation. */
export type ResourceSelector = Readonly<{ group?: string; kind: string; name: string; namespace?: string }>;

/** What the operation and the application ask for. */
export type SyncRequest = Readonly<{
  /** The application's tracking name. */
  application: string;
  tracking: TrackingSettings;
  destinationNamespace: string;
  /** `spec.syncPolicy.syncOptions` and then the operation's own; of two that set the same option the later wins. */
  syncOptions: readonly string[];
  managedNamespaceMetadata?:
    Readonly<{ labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> }> | undefined;
  prune: boolean;
  dryRun: boolean;
  force: boolean;
  strategy: 'hook' | 'apply';
  /** Selective sync; empty: everything. */
  resources: readonly ResourceSelector[];
  /** Resolved revision; its first seven characters name generated hooks. */
  revision: string;
  /** `operationState.startedAt` (RFC 3339): names generated hooks, and tells this operation's hooks from earlier ones. */
  startedAt: string;
  /** `operationState.retryCount`: a retry runs its hooks anew. */
  retryCount: number;
  /** `spec.ignoreDifferences`, for `RespectIgnoreDifferences=true`. */
  ignore: readonly IgnoreRule[];
  /** Value of `argocd.argoproj.io/deletion-approved` on the Application. */
  deletionApproved?: string | undefined;
}>;

/** What a plan is made from. `desired` holds hooks too, already normalised and tracked. */
export type SyncSubject = Readonly<{
  desired: readonly KubeObject[];
  changes: readonly Change[];
  live: LiveObjects;
}>;

/**
 * What this process knows of an operation beyond its stored results. After a restart it begins empty: then the namespace is looked
 * at again, the dry run is made again when nothing has been applied, and no pause is due.
 */
export type SyncProgress = Readonly<{
  namespaceReady: boolean;
  preflight: 'pending' | 'passed';
  /** When the last wave that changed something was applied. */
  lastWriteAt: Date | undefined;
  /** taskId of the hooks that were cleaned up. */
  cleaned: readonly string[];
  /** What the API server answered to our writes, by taskId: an older form that a watch still shows says nothing. */
  written: ReadonlyMap<string, WrittenForm>;
}>;

/** Which form of an object a write left. */
export type WrittenForm = Readonly<{ uid: string | undefined; generation: number | undefined }>;

/** What is seen of a running operation. */
export type SyncObservation = Readonly<{
  /** `operationState.syncResult.resources` as stored. */
  results: readonly ResourceResult[];
  /** Live objects, with our own recent writes laid over them. */
  live: LiveObjects;
  health: (live: KubeObject) => Health | undefined;
  progress: SyncProgress;
  /** `operationState.phase` is Terminating, or the deadline has passed. */
  stop: undefined | 'terminated' | 'timed-out';
  /** A newer revision that should take over at the next safe point. */
  supersededBy?: string | undefined;
  waveDelayMs: number;
  now: Date;
}>;

/** Why something is done; the message is what people read of a running operation. */
type Reason = Because & Readonly<{ message: string }>;

/** What to do next with an operation. */
export type SyncStep =
  | Readonly<{ kind: 'create-namespace'; namespace: NamespaceTask; because: Reason }>
  /** Dry-run all of these; one failure fails the operation with nothing applied. */
  | Readonly<{ kind: 'preflight'; tasks: readonly SyncTask[]; because: Reason }>
  /** Delete what an earlier run left of these hooks (BeforeHookCreation), and wait for it to go. */
  | Readonly<{ kind: 'delete-old-hooks'; hooks: readonly HookTask[]; because: Reason }>
  /** One wave: prunes first, then each group of applies in order, the members of a group side by side. */
  | Readonly<{
      kind: 'run';
      phase: SyncPhase | DeletionPhase;
      wave: number;
      prunes: readonly PruneTask[];
      groups: readonly (readonly (ApplyTask | HookTask)[])[];
      because: Reason;
    }>
  /** Take the finalizer off hooks that are done, and delete those whose policy says so. */
  | Readonly<{ kind: 'clean-hooks'; release: readonly HookTask[]; remove: readonly HookTask[]; because: Reason }>
  /** Nothing to do before `until` or the next change of a live object. */
  | Readonly<{ kind: 'wait'; for: readonly Because[]; until: Date | undefined; message: string }>
  /** The operation is over. */
  | Readonly<{ kind: 'finish'; phase: 'Succeeded' | 'Failed' | 'Error'; message: string; because: Because }>;

/** A step, and the results brought up to date with what is seen. Store the results before taking the step. */
export type SyncDecision = Readonly<{ results: readonly ResourceResult[]; step: SyncStep }>;
