import type { Because, Clock, KubeObject, Logger, ResourceKey, TrackingSettings } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import type { ApplyTask, HookTask, NamespaceTask, PruneTask, SyncPlan } from '../types.ts';

/** One write that reached, or was refused by, a managed cluster. The ledger is a sink: nothing is decided from it. */
export type DeploymentRecord = Readonly<{
  at: string;
  cluster: string;
  application: string;
  revision: string;
  /** User name, or `automated`. */
  initiatedBy: string;
  action: 'create' | 'update' | 'replace' | 'recreate' | 'apply' | 'delete' | 'create-namespace' | 'release-hook';
  key: ResourceKey;
  outcome: 'done' | 'failed';
  message: string;
  /** resourceVersion after the write. */
  resourceVersion?: string | undefined;
}>;

/** On whose behalf something is written. */
export type WriteContext = Readonly<{
  /** The application's tracking name. */
  application: string;
  revision: string;
  initiatedBy: string;
  /** Objects that the operation deletes in all, for the budget. */
  pruneCount: number;
  propagation: SyncPlan['propagation'];
  /** `group/Kind` of the definitions that the same operation applies: their objects are waited for. */
  definitions: ReadonlySet<string>;
  /** Namespaces that the same operation creates. */
  namespaces: ReadonlySet<string>;
  /** How long what is deleted has to end; undefined: as long as it says itself. */
  gracePeriodSeconds?: number | undefined;
  /** Nothing is changed; the API server checks only. */
  dryRun: boolean;
  signal: AbortSignal;
}>;

/** What became of one write. `object` is what the API server answered; undefined when the object is gone. */
export type Written =
  | Readonly<{ kind: 'done'; message: string; changed: boolean; object: KubeObject | undefined }>
  | Readonly<{ kind: 'failed'; message: string; because: Because }>;

export type WriterPorts = Readonly<{
  client: KubeClient;
  clock: Clock;
  log: Logger;
  record: (record: DeploymentRecord) => void;
  /** Asked before every write: why this process may not write now (its Lease is lost or about to end), if so. */
  mayWrite: () => Because | undefined;
  /** Told of our own writes, so that a comparison right after them sees them. */
  noted?: Readonly<{ written: (object: KubeObject) => void; deleted: (object: KubeObject) => void }> | undefined;
}>;

export type WriterSettings = Readonly<{
  /** Name of the cluster, for the ledger. */
  cluster: string;
  tracking: TrackingSettings;
  /** Nothing is written at all: shadow mode. */
  readOnly: boolean;
  /** Most objects that one operation may delete; undefined: no limit. */
  maxPrune: number | undefined;
}>;

/** A patch as a user wrote it. */
export type NamedPatch = Readonly<{ type: 'merge' | 'json' | 'strategic'; body: unknown }>;

/**
 * All changes to one managed cluster (design decision 16). Errors of single objects come back as `failed`; a write that this
 * process may not make at all throws.
 * @throws CodedError sync/not-owner, sync/read-only
 */
export interface ClusterWriter {
  /** Applies an object of Git, or creates a hook, in the way its options say. */
  apply(task: ApplyTask | HookTask, context: WriteContext): Promise<Written>;
  /** Deletes what left Git, if it still carries the application's mark. */
  prune(task: PruneTask, context: WriteContext): Promise<Written>;
  /** Makes the namespace exist, with the metadata asked for. */
  ensureNamespace(task: NamespaceTask, context: WriteContext): Promise<Written>;
  /** Takes our finalizer off a hook. */
  releaseHook(hook: Pick<HookTask, 'key' | 'object'>, context: WriteContext): Promise<Written>;
  /** Deletes a hook, our finalizer included. A hook of another application is refused. */
  removeHook(hook: HookTask, context: WriteContext): Promise<Written>;
  /** Deletes a live object of an application: one that is being deleted, or somebody names the object. Only if it carries the mark. */
  remove(live: KubeObject, context: WriteContext): Promise<Written>;
  /** Patches a live object that somebody names, if it carries the application's mark. */
  patch(live: KubeObject, patch: NamedPatch, context: WriteContext): Promise<Written>;
}
