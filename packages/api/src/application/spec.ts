import { flag, type Infer, int64, list, map, object, optional, required, text } from '../schema/schema.ts';
import { applicationSource, drySource } from './source.ts';

/** Where an application's objects go. */
export const applicationDestination = object('ApplicationDestination', {
  server: optional(1, text, 'API server URL of the cluster; `https://kubernetes.default.svc` is the local one.'),
  namespace: optional(2, text, 'Namespace for objects that name none.'),
  name: optional(3, text, 'Name of the cluster, instead of `server`; `in-cluster` is the local one.'),
});

const backoff = object('Backoff', {
  duration: optional(1, text, 'Wait before the first retry, such as `5s`; a bare number is seconds.'),
  factor: optional(2, int64, 'Factor by which each further wait grows.'),
  maxDuration: optional(3, text, 'Longest wait.'),
});

/** How a failed sync is repeated (contract 3.6). */
export const retryStrategy = object('RetryStrategy', {
  limit: optional(1, int64, 'Attempts after the first; negative: without limit; 0: none.'),
  backoff: optional(2, backoff, 'Waits between attempts.'),
  refresh: optional(3, flag, 'Retry with the newest revision instead of the one that failed.'),
});

const automated = object('SyncPolicyAutomated', {
  prune: optional(1, flag, 'Delete objects that left the source.'),
  selfHeal: optional(2, flag, 'Sync again when live objects drift.'),
  allowEmpty: optional(3, flag, 'Allow a source with no objects to prune everything.'),
  enabled: optional(4, flag, 'false keeps these settings but switches automation off; absent means true.'),
});

/** Labels and annotations for the destination namespace. */
export const managedNamespaceMetadata = object('ManagedNamespaceMetadata', {
  labels: optional(1, map(text), 'Labels.'),
  annotations: optional(2, map(text), 'Annotations.'),
});

const syncPolicy = object('SyncPolicy', {
  automated: optional(1, automated, 'Sync without being asked; its presence switches it on.'),
  syncOptions: optional(2, list(text), 'Options such as `CreateNamespace=true`.'),
  retry: optional(3, retryStrategy, 'How failed syncs are repeated.'),
  managedNamespaceMetadata: optional(
    4,
    managedNamespaceMetadata,
    'Metadata of the destination namespace; needs `CreateNamespace=true`.',
  ),
});

/** Differences that do not count. */
export const resourceIgnoreDifferences = object('ResourceIgnoreDifferences', {
  group: optional(1, text, 'API group, a glob.'),
  kind: required(2, text, 'Kind, a glob.'),
  name: optional(3, text, 'Name; empty: all.'),
  namespace: optional(4, text, 'Namespace; empty: all.'),
  jsonPointers: optional(5, list(text), 'JSON pointers of the ignored fields.'),
  jqPathExpressions: optional(6, list(text), 'jq paths of the ignored fields.'),
  managedFieldsManagers: optional(7, list(text), 'Field managers whose fields are ignored.'),
});

/** A name and a value. */
export const info = object('Info', {
  name: required(1, text, 'Name.'),
  value: required(2, text, 'Value.'),
});

const syncSource = object('SyncSource', {
  targetBranch: required(1, text, 'Branch that is synced.'),
  path: required(2, text, 'Folder of the hydrated manifests.'),
  repoURL: optional(3, text, "Repository; default: the dry source's."),
});

const hydrateTo = object('HydrateTo', {
  targetBranch: required(1, text, 'Branch that hydrated manifests are pushed to.'),
});

/** Rendered manifests are written to a branch, and that branch is synced (contract 12.9). */
export const sourceHydrator = object('SourceHydrator', {
  drySource: required(1, drySource, 'What is rendered.'),
  syncSource: required(2, syncSource, 'What is synced.'),
  hydrateTo: optional(3, hydrateTo, 'Where the rendered manifests go first; default: the sync branch.'),
});

/** What an application should be (contract 1.1). */
export const applicationSpec = object('ApplicationSpec', {
  source: optional(1, applicationSource, 'Where the manifests come from; `sources` and `sourceHydrator` win over it.'),
  destination: required(2, applicationDestination, 'Where the objects go.'),
  project: optional(3, text, 'AppProject that sets the limits; default `default`.'),
  syncPolicy: optional(4, syncPolicy, 'When and how to sync.'),
  ignoreDifferences: optional(5, list(resourceIgnoreDifferences), 'Differences that do not count.'),
  info: optional(6, list(info), 'Facts that the UI shows.'),
  revisionHistoryLimit: optional(7, int64, 'Entries kept in `status.history`; default 10.'),
  sources: optional(8, list(applicationSource), 'Several sources; a later one wins where two give the same object.'),
  sourceHydrator: optional(9, sourceHydrator, 'Hydration; wins over `source` and `sources`.'),
});

export type ApplicationSpec = Infer<typeof applicationSpec>;
export type ApplicationDestination = Infer<typeof applicationDestination>;
export type SyncPolicy = Infer<typeof syncPolicy>;
export type SyncPolicyAutomated = Infer<typeof automated>;
export type RetryStrategy = Infer<typeof retryStrategy>;
export type Backoff = Infer<typeof backoff>;
export type ManagedNamespaceMetadata = Infer<typeof managedNamespaceMetadata>;
export type ResourceIgnoreDifferences = Infer<typeof resourceIgnoreDifferences>;
export type Info = Infer<typeof info>;
export type SourceHydrator = Infer<typeof sourceHydrator>;
