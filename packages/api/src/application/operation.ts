import { choice, flag, type Infer, int64, list, object, optional, required, text, time } from '../schema/schema.ts';
import { applicationSource } from './source.ts';
import { info, managedNamespaceMetadata, retryStrategy } from './spec.ts';

/** Who asked for an operation. */
export const operationInitiator = object('OperationInitiator', {
  username: optional(1, text, 'User who asked.'),
  automated: optional(2, flag, 'The controller asked.'),
});

const syncOperationResource = object('SyncOperationResource', {
  group: optional(1, text, 'API group.'),
  kind: required(2, text, 'Kind.'),
  name: required(3, text, 'Name.'),
  namespace: optional(4, text, 'Namespace; empty: any.'),
});

const syncStrategyApply = object('SyncStrategyApply', {
  force: optional(1, flag, 'Delete and create again where an update is refused.'),
});

const syncStrategyHook = object('SyncStrategyHook', {
  force: optional(undefined, flag, 'Delete and create again where an update is refused.'),
});

const syncStrategy = object('SyncStrategy', {
  apply: optional(1, syncStrategyApply, 'Apply without running hooks.'),
  hook: optional(2, syncStrategyHook, 'Apply and run hooks; the default.'),
});

/** One sync as it was asked for (contract 1.4). */
export const syncOperation = object('SyncOperation', {
  revision: optional(1, text, 'Revision to sync to; default: the configured one.'),
  prune: optional(2, flag, 'Delete objects that left the source.'),
  dryRun: optional(3, flag, 'Change nothing.'),
  syncStrategy: optional(4, syncStrategy, 'With hooks (default) or without.'),
  resources: optional(6, list(syncOperationResource), 'Only these objects.'),
  source: optional(7, applicationSource, 'Source to use instead of the configured one (rollback).'),
  manifests: optional(8, list(text), 'Manifests to use instead of the source (local sync).'),
  syncOptions: optional(9, list(text), 'Sync options for this run.'),
  sources: optional(10, list(applicationSource), 'Sources to use instead of the configured ones.'),
  revisions: optional(11, list(text), 'Revisions to sync to, one for each source.'),
  autoHealAttemptsCount: optional(12, int64, 'How often self-heal has tried in a row.'),
});

/** What the controller is asked to do; it takes the field away when it starts. */
export const operation = object('Operation', {
  sync: optional(1, syncOperation, 'The sync.'),
  initiatedBy: optional(2, operationInitiator, 'Who asked.'),
  info: optional(3, list(info), 'Facts to show with the operation.'),
  retry: optional(4, retryStrategy, 'How it is repeated when it fails.'),
});

const operationPhase = choice('Running', 'Terminating', 'Failed', 'Error', 'Succeeded');

/** What happened to one object in a sync. */
export const resourceResult = object('ResourceResult', {
  group: optional(1, text, 'API group.'),
  version: optional(2, text, 'API version.'),
  kind: required(3, text, 'Kind.'),
  namespace: optional(4, text, 'Namespace.'),
  name: required(5, text, 'Name.'),
  status: optional(6, choice('Synced', 'SyncFailed', 'Pruned', 'PruneSkipped'), 'What was done.'),
  message: optional(7, text, 'Why, or the answer of the API server.'),
  hookType: optional(8, text, 'Phase of a hook.'),
  hookPhase: optional(9, operationPhase, 'How a hook fares.'),
  syncPhase: optional(10, text, 'Phase in which the object was handled.'),
  images: optional(11, list(text), 'Images of the object.'),
});

/** What a sync did. */
export const syncOperationResult = object('SyncOperationResult', {
  resources: optional(1, list(resourceResult), 'What happened to each object.'),
  revision: optional(2, text, 'Revision that was synced.'),
  source: optional(3, applicationSource, 'Source that was synced.'),
  sources: optional(4, list(applicationSource), 'Sources that were synced.'),
  revisions: optional(5, list(text), 'Revisions that were synced, one for each source.'),
  managedNamespaceMetadata: optional(6, managedNamespaceMetadata, 'Metadata given to the namespace.'),
});

/** The running or last operation; it survives restarts here. */
export const operationState = object('OperationState', {
  operation: required(1, operation, 'What was asked for.'),
  phase: required(2, operationPhase, 'How far it is.'),
  message: optional(3, text, 'One sentence about it.'),
  syncResult: optional(4, syncOperationResult, 'What it did so far.'),
  startedAt: required(6, time, 'When it began.'),
  finishedAt: optional(7, time, 'When it ended.'),
  retryCount: optional(8, int64, 'Attempts after the first.'),
});

export type Operation = Infer<typeof operation>;
export type OperationInitiator = Infer<typeof operationInitiator>;
export type SyncOperation = Infer<typeof syncOperation>;
export type SyncOperationResource = Infer<typeof syncOperationResource>;
export type SyncStrategy = Infer<typeof syncStrategy>;
export type OperationState = Infer<typeof operationState>;
export type OperationPhase = Infer<typeof operationPhase>;
export type SyncOperationResult = Infer<typeof syncOperationResult>;
export type ResourceResult = Infer<typeof resourceResult>;
