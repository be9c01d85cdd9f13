import { choice, flag, type Infer, int64, list, object, optional, required, text, time } from '../schema/schema.ts';
import { operationInitiator, operationState } from './operation.ts';
import { applicationSource } from './source.ts';
import { applicationDestination, resourceIgnoreDifferences, sourceHydrator } from './spec.ts';

const syncStatusCode = choice('Unknown', 'Synced', 'OutOfSync');
const healthStatusCode = choice('Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown');

/** Health of an application or an object (contract 5). */
export const healthStatus = object('HealthStatus', {
  status: optional(1, healthStatusCode, 'The verdict.'),
  message: optional(2, text, 'Why.'),
  lastTransitionTime: optional(3, time, 'When the verdict last changed.'),
});

const comparedTo = object('ComparedTo', {
  source: optional(1, applicationSource, 'Source.'),
  destination: optional(2, applicationDestination, 'Destination.'),
  sources: optional(3, list(applicationSource), 'Sources.'),
  ignoreDifferences: optional(4, list(resourceIgnoreDifferences), 'Ignore rules.'),
});

/** Whether live is as desired. */
export const syncStatus = object('SyncStatus', {
  status: required(1, syncStatusCode, 'The verdict.'),
  comparedTo: optional(2, comparedTo, 'The specification that was compared.'),
  revision: optional(3, text, 'The revision that was compared.'),
  revisions: optional(4, list(text), 'The revisions that were compared, one for each source.'),
});

/** One managed object. */
export const resourceStatus = object('ResourceStatus', {
  group: optional(1, text, 'API group.'),
  version: optional(2, text, 'API version.'),
  kind: optional(3, text, 'Kind.'),
  namespace: optional(4, text, 'Namespace.'),
  name: optional(5, text, 'Name.'),
  status: optional(6, syncStatusCode, 'Whether it is as desired; absent for hooks.'),
  health: optional(7, healthStatus, 'Its health; absent for kinds without a check.'),
  hook: optional(8, flag, 'It is a hook.'),
  requiresPruning: optional(9, flag, 'It is no longer in the source.'),
  syncWave: optional(10, int64, 'Its wave.'),
  requiresDeletionConfirmation: optional(11, flag, 'Its deletion waits for approval.'),
});

/** One successful sync. */
export const revisionHistory = object('RevisionHistory', {
  revision: optional(2, text, 'Revision that was deployed.'),
  deployedAt: required(4, time, 'When the sync ended.'),
  id: required(5, int64, 'Number of the entry; grows.'),
  source: optional(6, applicationSource, 'Source that was deployed.'),
  deployStartedAt: optional(7, time, 'When the sync began.'),
  sources: optional(8, list(applicationSource), 'Sources that were deployed.'),
  revisions: optional(9, list(text), 'Revisions that were deployed, one for each source.'),
  initiatedBy: optional(10, operationInitiator, 'Who asked.'),
});

/** Something to know about an application; a type that ends in Error or Warning says how grave it is. */
export const applicationCondition = object('ApplicationCondition', {
  type: required(1, text, 'Such as `ComparisonError`.'),
  message: required(2, text, 'What is the matter.'),
  lastTransitionTime: optional(3, time, 'Since when.'),
});

const applicationSummary = object('ApplicationSummary', {
  externalURLs: optional(1, list(text), 'URLs under which it can be reached.'),
  images: optional(2, list(text), 'Images that run.'),
  isAppOfApps: optional(3, flag, 'It manages other applications.'),
});

const hydrateOperation = object('HydrateOperation', {
  startedAt: optional(1, time, 'When it began.'),
  finishedAt: optional(2, time, 'When it ended.'),
  phase: optional(3, choice('Hydrating', 'Failed', 'Hydrated'), 'How far it is.'),
  message: optional(4, text, 'One sentence about it.'),
  drySHA: optional(5, text, 'Commit that was rendered.'),
  hydratedSHA: optional(6, text, 'Commit that was pushed.'),
  sourceHydrator: optional(7, sourceHydrator, 'The settings that were used.'),
});

const successfulHydrateOperation = object('SuccessfulHydrateOperation', {
  drySHA: optional(5, text, 'Commit that was rendered.'),
  hydratedSHA: optional(6, text, 'Commit that was pushed.'),
  sourceHydrator: optional(7, sourceHydrator, 'The settings that were used.'),
});

const sourceHydratorStatus = object('SourceHydratorStatus', {
  lastSuccessfulOperation: optional(1, successfulHydrateOperation, 'The last that succeeded.'),
  currentOperation: optional(2, hydrateOperation, 'The running or last one.'),
  lastComparedDryRevision: optional(3, text, 'Commit that was compared last.'),
});

/** What an application waits for, and why: read by `explain`, UI and notifications alike. */
export const waitingFor = object('WaitingFor', {
  code: required(undefined, text, 'Constant reason, such as `waiting-for-health`.'),
  object: optional(undefined, text, 'Object that is waited for: `group/Kind namespace/name`.'),
  message: optional(undefined, text, 'One sentence for people.'),
  since: optional(undefined, time, 'Since when.'),
  until: optional(undefined, time, 'Deadline, where there is one.'),
});

/** What the controller found (contract 1.5). */
export const applicationStatus = object('ApplicationStatus', {
  resources: optional(1, list(resourceStatus), 'The managed objects.'),
  sync: optional(2, syncStatus, 'Whether live is as desired.'),
  health: optional(3, healthStatus, 'Health of the whole.'),
  history: optional(4, list(revisionHistory), 'Successful syncs, oldest first.'),
  conditions: optional(5, list(applicationCondition), 'Errors and warnings.'),
  reconciledAt: optional(6, time, 'When it was last compared.'),
  operationState: optional(7, operationState, 'The running or last operation.'),
  observedAt: optional(8, time, 'Deprecated.'),
  sourceType: optional(9, text, '`Helm`, `Kustomize`, `Directory` or `Plugin`.'),
  summary: optional(10, applicationSummary, 'Links and images.'),
  resourceHealthSource: optional(11, text, '`appTree`: health of objects is not stored in `resources`.'),
  sourceTypes: optional(12, list(text), 'The same as `sourceType`, one for each source.'),
  controllerNamespace: optional(13, text, 'Namespace of the controller that owns the application.'),
  sourceHydrator: optional(14, sourceHydratorStatus, 'Hydration.'),
  waitingFor: optional(undefined, list(waitingFor), 'What the application waits for.'),
});

export type SyncStatusCode = Infer<typeof syncStatusCode>;
export type HealthStatusCode = Infer<typeof healthStatusCode>;
export type HealthStatus = Infer<typeof healthStatus>;
export type ComparedTo = Infer<typeof comparedTo>;
export type SyncStatus = Infer<typeof syncStatus>;
export type ResourceStatus = Infer<typeof resourceStatus>;
export type RevisionHistory = Infer<typeof revisionHistory>;
export type ApplicationCondition = Infer<typeof applicationCondition>;
export type ApplicationSummary = Infer<typeof applicationSummary>;
export type WaitingFor = Infer<typeof waitingFor>;
export type ApplicationStatus = Infer<typeof applicationStatus>;
