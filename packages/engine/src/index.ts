export { desiredOf, liveOf, type Change, type Difference, type LiveObjects } from './diff/change.ts';
export { healthOrder, isWorse, type Assess, type Health, type HealthStatus } from './health/health.ts';
export type * from './sync/types.ts';
export { deletionPhases, hookDeletePolicies, hookTypes, syncPhases } from './sync/types.ts';
export { aggregateHealth, type Assessed } from './health/aggregate.ts';
export { assess, hasHealthCheck } from './health/built-in.ts';
export { hookFinalizer, marks } from './sync/marks.ts';
export { compareObject, type Compared, type CompareSettings } from './diff/compare-object.ts';
export { diff, isOutOfSync, repeatedResources, sharedMessage, sharedResources, type DiffPolicy } from './diff/diff.ts';
export { diffHeader, diffText, predictChange, predictLive, unifiedDiff, type Predicted } from './diff/display.ts';
export type { IgnoreRule } from './diff/ignore.ts';
export { lineDiff } from './diff/line-diff.ts';
export { isSecret, maskSecrets } from './diff/mask.ts';
export { openCompareMemory, type CompareMemory } from './diff/memory.ts';
export { defaultCompareOptions, type CompareOptions } from './diff/normalise.ts';
export { normaliseDesired, type DesiredTarget, type NormalisedDesired } from './diff/normalise-desired.ts';
export { reveal, type Reveal, type RevealPorts } from './diff/reveal.ts';
export { isHook, readHook, waveOf, type HookReading } from './sync/hooks.ts';
export type { CommitMetadata } from './git/read/commit-metadata.ts';
export { type GitSettings, gitDefaults } from './git/read/git-settings.ts';
export { type GitStore, openGitStore, type ResolvedRevision, type RevisionQuestion } from './git/read/git-store.ts';
export type { Refs } from './git/read/refs.ts';
export type { RepositoryAccess, RepositoryCredentials } from './git/read/repository-access.ts';
export type { Tree, TreeEntry } from './git/read/tree.ts';
export { type LiveCluster, type LiveClusterSettings, openLiveCluster } from './diff/live/live-cluster.ts';
export type { ClusterFacts, LiveChange, LiveView } from './diff/live/live-view.ts';
export type { OwnWrite } from './diff/live/recent-writes.ts';
export { openDesiredMemory, type DesiredMemory } from './diff/desired-memory.ts';
export {
  carryOut,
  initialProgress,
  writeContext,
  writeContextWithoutPlan,
  type ActiveStep,
  type CarryOutPorts,
  type Running,
  type StepOutcome,
} from './sync/carry-out.ts';
export { objectsGoingWith } from './sync/cascade.ts';
export { openClusterWriter } from './sync/write/cluster-writer.ts';
export {
  decideAutomatedSync,
  namespaceMetadataDiffers,
  selfHealDefaults,
  selfHealDelay,
  type AutomatedSyncDecision,
  type AutomatedSyncView,
  type SelfHealPauses,
} from './sync/decide-automated-sync.ts';
export { automatedRetry, decideRetry, retryDelay, type RetryDecision } from './sync/decide-retry.ts';
export { decideStep, supersededBy } from './sync/decide-step.ts';
export { confirmsDelete, keepsOnDelete, readOptions, type OptionValues } from './sync/options.ts';
export { planSync, taskId, withApproval } from './sync/plan-sync.ts';
export { imagesOf } from './sync/task-result.ts';
export type * from './sync/write/types.ts';
export { openRenderer, type Renderer, type RendererPorts } from './render/renderer.ts';
export { rendererDefaults, type RendererSettings } from './render/renderer-settings.ts';
export type { Isolation } from './render/sandbox/sandbox.ts';
export type { ToolCommand } from './render/tool.ts';
export {
  type ReadSet,
  renderDefaults,
  type Rendered,
  RenderError,
  type RenderRequest,
  type RenderSettings,
  type RenderSource,
  type RenderWarning,
  type SourceType,
} from './render/types.ts';
export {
  asConditions,
  conditionTypes,
  mergeConditions,
  type ConditionType,
  type FoundCondition,
} from './status/conditions.ts';
export { healthField } from './status/health-status.ts';
export { defaultHistoryLimit, withHistory, type Deployed } from './status/history.ts';
export {
  awaitRetry,
  awaitsRetry,
  continueOperation,
  finishOperation,
  freezeOperation,
  isRunning,
  retryOperation,
  startOperation,
  type Frozen,
} from './status/operation.ts';
export {
  applicationHealth,
  assessChanges,
  resourceStatuses,
  syncStatusCode,
  type AssessedChange,
} from './status/resources.ts';
export { summaryOf } from './status/summary.ts';
export { compare, type CompareRequest, type Comparison, type ReadPorts, type WantedSource } from './pipeline.ts';
export { operationMark } from './sync/hook-object.ts';
export {
  attemptOf,
  deletePoliciesOf,
  deletionPhasesOf,
  isOfDeletion,
  planDeletionHooks,
  type DeletionRequest,
} from './sync/plan-deletion.ts';
export { openSeenVersions, type SeenVersions } from './diff/live/seen-versions.ts';
