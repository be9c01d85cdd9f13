// Known to the vocabulary; here as well, since whoever lists applications asks here first.
export { applicationResource } from '@tiphys/api';
export type { Actor, ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
export { type ApplicationEvent, eventObject, type EventReason } from './application-event.ts';
export { changeResource, type ChangeResourceRequest, type ResourceChange } from './change-resource.ts';
export { configMapData } from './config-map.ts';
export { comparisonRequest, ignoreRules, instanceName, type WantedComparison } from './comparison-request.ts';
export { confirmDeletion } from './confirm-deletion.ts';
export { createApplication, type CreateRequest, type CreateResult } from './create-application.ts';
export { type Cascade, deleteApplication } from './delete-application.ts';
export { orphanRule } from './orphaned-resources.ts';
export { patchApplication, type PatchRequest } from './patch-application.ts';
export { refreshApplication, type RefreshRequest, requestRefresh } from './refresh-application.ts';
export {
  addRepository,
  type AddRepositoryRequest,
  listRepositories,
  readRepository,
  type Repository,
  type RepositoryKey,
} from './repository.ts';
export {
  findCluster,
  isLocal,
  localCluster,
  readCluster,
  type RegisteredCluster,
  requireCluster,
} from './registered-clusters.ts';
export {
  accessOf,
  accessTo,
  certificatesName,
  readRepositoryAccess,
  type Registered,
  type TrustedCertificates,
} from './repository-access.ts';
export { requestSync, type SyncRequest } from './request-sync.ts';
export { rollbackApplication, type RollbackRequest, type RollbackResult } from './rollback.ts';
export { setApplication, type SetRequest } from './set-application.ts';
export { findApplication, readApplication } from './stored-application.ts';
export { terminateOperation } from './terminate-operation.ts';
export { waitForApplication, type WaitRequest, watchApplication } from './watch-application.ts';
export { excludedKinds } from './settings/excluded-kinds.ts';
export { type InstallationSettings, type KindFilter, readSettings, type SettingsInput } from './settings/settings.ts';
