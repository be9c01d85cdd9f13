import {
  type Application,
  type Because,
  type GroupVersionKind,
  gvkOf,
  isCoded,
  keyOf,
  keyText,
  type KubeObject,
  type OperationState,
  type ResourceResult,
} from '@tiphys/api';
import {
  assess,
  carryOut,
  type Comparison,
  decideStep,
  initialProgress,
  type LiveObjects,
  type LiveView,
  planSync,
  type Running,
  type SyncPlan,
  type SyncProgress,
  type SyncRequest,
  type SyncTask,
  withApproval,
  writeContext,
} from '@tiphys/engine';
import { ignoreRules, type InstallationSettings, instanceName } from '@tiphys/operations';
import type { Discovery } from '@tiphys/kube';
import type { Destination } from '../watch/destinations.ts';
import type { ApplicationPorts } from '../ports.ts';

/** One attempt of an operation, ready to run: what it is to do, and how far the stored state says it is. */
export type Attempt = Readonly<{
  application: Application;
  destination: Destination;
  state: OperationState;
  comparison: Comparison;
  settings: InstallationSettings;
  waveDelayMs: number;
  controlNamespace: string;
  /** A newer revision that takes over at the next safe point. */
  supersededBy: string | undefined;
}>;

/** What this process remembers of an attempt between two passes. */
export type AttemptMemory = Readonly<{
  plan: SyncPlan;
  progress: SyncProgress;
  /** All of them: what is stored may leave out those that say little. */
  results: readonly ResourceResult[];
}>;

/** How an attempt stands after a pass. */
export type OperateOutcome = Readonly<
  | {
      kind: 'waiting';
      results: readonly ResourceResult[];
      message: string;
      for: readonly Because[];
      until: Date | undefined;
      memory: AttemptMemory;
    }
  | {
      kind: 'ended';
      results: readonly ResourceResult[];
      phase: 'Succeeded' | 'Failed' | 'Error';
      message: string;
      /** A newer revision takes over: this one is not tried again. */
      superseded: boolean;
    }
>;

export type OperatePorts = Pick<ApplicationPorts, 'clock'> &
  Readonly<{
    /** Stores the results before a step whose repetition would show: hooks, and anything that follows a wait. */
    checkpoint: (results: readonly ResourceResult[], message: string) => Promise<void>;
    /** Objects applied side by side. */
    concurrency: number;
  }>;

/** What an operation asks of the planner. */
export function syncRequest({
  application,
  state,
  settings,
  comparison,
  controlNamespace,
}: Omit<Attempt, 'destination' | 'waveDelayMs' | 'supersededBy'>): SyncRequest {
  const sync = state.operation.sync ?? {};
  const policy = application.spec.syncPolicy ?? {};
  const strategy = sync.syncStrategy?.apply !== undefined ? 'apply' : 'hook';
  return {
    application: instanceName(application, controlNamespace),
    tracking: settings.tracking,
    ignore: ignoreRules(application, settings),
    destinationNamespace: application.spec.destination.namespace ?? '',
    syncOptions: [...(policy.syncOptions ?? []), ...(sync.syncOptions ?? [])],
    managedNamespaceMetadata: policy.managedNamespaceMetadata,
    prune: sync.prune === true,
    dryRun: sync.dryRun === true,
    force: (sync.syncStrategy?.apply?.force ?? sync.syncStrategy?.hook?.force) === true,
    strategy,
    resources: sync.resources ?? [],
    revision: comparison.revisions[0] ?? '',
    startedAt: state.startedAt,
    retryCount: state.retryCount ?? 0,
    deletionApproved: application.metadata.annotations?.['argocd.argoproj.io/deletion-approved'],
  };
}

/** A kind that comes with this very sync has no objects yet; any other failed read is no proof that an object is gone. */
function absentKind(error: unknown): undefined {
  if (!isCoded(error, 'kube/kind-not-found')) throw error;
}

/** The version in which an object can be read: what is to be pruned may have been seen in one that is not served any more. */
function readableIn(task: SyncTask, { find, byGroupKind }: Discovery): GroupVersionKind {
  if (task.kind !== 'prune') return gvkOf(task.object);
  const seen = gvkOf(task.live);
  const { version } = find(seen) ?? byGroupKind(seen) ?? seen;
  return { ...seen, version };
}

/** Live objects at the places of a plan's tasks, with our own writes laid over what the watch has brought. */
export async function observeLive(
  plan: SyncPlan,
  { live, instance }: Readonly<{ live: LiveView; instance: string }>,
  signal: AbortSignal,
): Promise<LiveObjects> {
  const found = new Map<string, KubeObject>();
  const discovery = await live.discovery(signal);
  const managed = new Map(live.managed(instance).map((object) => [keyText(keyOf(object)), object]));
  await Promise.all(
    plan.tasks.map(async (task) => {
      const id = keyText(task.key);
      const gvk = readableIn(task, discovery);
      const known = managed.get(id) ?? (await live.get(gvk, task.key, signal).catch(absentKind));
      if (known !== undefined) found.set(id, known);
    }),
  );
  return found;
}

const manyMoments = ({ tasks }: SyncPlan): boolean =>
  tasks.some((task) => task.kind === 'hook') || new Set(tasks.map(({ phase, wave }) => `${phase} ${wave}`)).size > 1;

/** Hooks that wait for what this very operation brings only later: a wait that nothing else would explain (SYNC-20). */
const lateInputs = ({ warnings }: SyncPlan): readonly Because[] =>
  warnings.filter(({ code }) => code === 'hook-input-later');

const withInputs = (message: string, plan: SyncPlan): string =>
  [message, ...lateInputs(plan).map((because) => because.message ?? because.code)].join('; ');

type StopReason = 'terminated' | 'timed-out' | undefined;

function stopReason({ state, settings }: Attempt, now: Date): StopReason {
  if (state.phase === 'Terminating') return 'terminated';
  const ageMs = now.getTime() - new Date(state.startedAt).getTime();
  return settings.syncTimeoutMs > 0 && ageMs > settings.syncTimeoutMs ? 'timed-out' : undefined;
}

const resultId = ({ syncPhase = '', group = '', kind, namespace = '', name }: ResourceResult): string =>
  [syncPhase, group, kind, namespace, name].join('/');

/** The results as they are stored, and those that were too many to be. */
function withRemembered(
  stored: readonly ResourceResult[],
  remembered: readonly ResourceResult[],
): readonly ResourceResult[] {
  if (remembered.length <= stored.length) return stored;
  const results = new Map(remembered.map((result) => [resultId(result), result]));
  for (const result of stored) results.set(resultId(result), result);
  return [...results.values()];
}

/**
 * Runs an attempt as far as it goes without waiting: decide a step, store, take it, again. A wait is no blocked worker: the next
 * pass, after a change or a deadline, goes on from what is stored (design decision 10).
 */
export async function operate(
  attempt: Attempt,
  memory: AttemptMemory | undefined,
  { ports, signal }: Readonly<{ ports: OperatePorts; signal: AbortSignal }>,
): Promise<OperateOutcome> {
  const { destination, state, comparison } = attempt;
  const request = syncRequest(attempt);
  const { desired, changes, live: compared } = comparison;
  // The plan stays the same to the end of the attempt; only what waits for approval may get it meanwhile.
  const plan = withApproval(memory?.plan ?? planSync({ desired, changes, live: compared }, request), request);
  const context = writeContext(plan, {
    application: request.application,
    revision: request.revision,
    initiatedBy:
      state.operation.initiatedBy?.automated === true ? 'automated' : (state.operation.initiatedBy?.username ?? ''),
    signal,
  });
  let running: Running = {
    plan,
    results: withRemembered(state.syncResult?.resources ?? [], memory?.results ?? []),
    progress: memory?.progress ?? initialProgress,
    context,
  };
  const stepwise = manyMoments(plan);
  for (;;) {
    const now = ports.clock.now();
    const live = await observeLive(plan, { live: destination.live, instance: request.application }, signal);
    const { results, step } = decideStep(plan, {
      results: running.results,
      live,
      health: assess,
      progress: running.progress,
      stop: stopReason(attempt, now),
      supersededBy: attempt.supersededBy,
      waveDelayMs: attempt.waveDelayMs,
      now,
    });
    running = { ...running, results };
    if (step.kind === 'wait')
      return {
        kind: 'waiting',
        results,
        message: withInputs(step.message, plan),
        for: [...step.for, ...lateInputs(plan)],
        until: step.until,
        memory: { plan, progress: running.progress, results },
      };
    if (step.kind === 'finish') {
      const superseded = step.because.code === 'superseded';
      return { kind: 'ended', results, phase: step.phase, message: step.message, superseded };
    }
    if (stepwise && step.kind !== 'preflight') await ports.checkpoint(results, step.because.message);
    const outcome = await carryOut(step, running, {
      writer: destination.writer,
      health: assess,
      now: () => ports.clock.now(),
      concurrency: ports.concurrency,
    });
    running = { ...running, results: outcome.results, progress: outcome.progress };
    if (outcome.finish !== undefined)
      return { kind: 'ended', results: running.results, ...outcome.finish, superseded: false };
    // Objects of a plan may be of kinds that came with this very sync.
    await destination.live.ensure(
      plan.tasks.map(({ key }) => key),
      signal,
    );
  }
}
