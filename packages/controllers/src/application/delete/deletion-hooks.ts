import { type Because, CodedError, describeKey, isCoded, keyOf, keyText, messageOf } from '@tiphys/api';
import {
  assess,
  attemptOf,
  carryOut,
  type Comparison,
  decideStep,
  type DeletionPhase,
  initialProgress,
  isOfDeletion,
  planDeletionHooks,
  retryDelay,
  type Running,
  type SyncPlan,
  taskId,
  type WantedSource,
  writeContext,
} from '@tiphys/engine';
import { instanceName } from '@tiphys/operations';
import { compareApplication } from '../compare/compare-application.ts';
import type { Pass } from '../context.ts';
import type { Destination } from '../watch/destinations.ts';
import { hookFinalizers } from './finalizers.ts';
import { observeLive } from '../operate/operate.ts';
import { specSources } from '../compare/sources.ts';

/** How the hooks of a phase stand after a pass. */
export type HooksOutcome = Readonly<
  | { kind: 'done' }
  | { kind: 'waiting'; for: readonly Because[]; until: Date | undefined }
  | { kind: 'failed'; messages: readonly string[]; retryAt: Date }
>;

type Run = Readonly<{ pass: Pass; destination: Destination; phase: DeletionPhase; isRetry: boolean }>;

/**
 * Runs the hooks of a phase of a deletion as far as they go without waiting. What stands in the cluster says which of them have run:
 * each carries the mark of this deletion, so a process that starts in the middle runs none a second time. A hook that failed runs
 * again after a while that grows (contract 3.10).
 * @throws CodedError when the source cannot be rendered
 */
export async function runDeletionHooks(
  pass: Pass,
  destination: Destination,
  phase: DeletionPhase,
): Promise<HooksOutcome> {
  const { memory, context } = pass;
  const known = memory.deletion?.phase === phase ? memory.deletion : undefined;
  const nowMs = context.ports.clock.now().getTime();
  const { retryAtMs, messages = [] } = known ?? {};
  if (retryAtMs !== undefined && nowMs < retryAtMs) return { kind: 'failed', messages, retryAt: new Date(retryAtMs) };
  const isRetry = retryAtMs !== undefined;
  const failures = known?.failures ?? 0;
  const instance = instanceName(pass.application, context.namespace);
  const own = { phase, destination, instance, uid: pass.application.metadata.uid ?? '' };
  memory.deletion = { ...own, failures, progress: known?.progress ?? passedProgress };

  const outcome = await proceed({ pass, destination, phase, isRetry });
  if (outcome.kind !== 'failed') return outcome;
  const retryAt = new Date(context.ports.clock.now().getTime() + retryDelay({}, failures));
  memory.deletion = {
    ...own,
    failures: failures + 1,
    progress: passedProgress,
    retryAtMs: retryAt.getTime(),
    messages: outcome.messages,
  };
  return { kind: 'failed', messages: outcome.messages, retryAt };
}

/** Nothing is tried beforehand: there is no sync that a refused hook could leave half done. */
const passedProgress: Running['progress'] = { ...initialProgress, preflight: 'passed' };

type Proceeded = Exclude<HooksOutcome, { kind: 'failed' }> | Readonly<{ kind: 'failed'; messages: readonly string[] }>;

async function proceed(run: Run): Promise<Proceeded> {
  const { pass, destination, phase } = run;
  const { context, memory, signal } = pass;
  const plan = await planHooks(run);
  const { application, revision } = identityOf(pass);
  const who = { application, revision, initiatedBy: 'deletion', signal };
  let running: Running = {
    plan,
    results: [],
    // What is to be deleted goes at the end of the deletion, when it is stored that the hooks have succeeded.
    progress: { ...(memory.deletion?.progress ?? passedProgress), cleaned: plan.tasks.map(taskId) },
    context: writeContext(plan, who),
  };
  for (;;) {
    const live = await observeLive(plan, { live: destination.live, instance: application }, signal);
    const { results, step } = decideStep(plan, {
      results: running.results,
      live,
      health: assess,
      progress: running.progress,
      stop: undefined,
      waveDelayMs: context.waveDelayMs(),
      now: context.ports.clock.now(),
    });
    if (step.kind === 'wait') {
      if (memory.deletion !== undefined) memory.deletion = { ...memory.deletion, progress: running.progress };
      return { kind: 'waiting', for: step.for, until: step.until };
    }
    if (step.kind === 'finish') {
      if (step.phase === 'Succeeded') return { kind: 'done' };
      const failed = results.filter(({ hookPhase }) => hookPhase === 'Failed');
      return {
        kind: 'failed',
        messages: failed.map(
          ({ group = '', kind, namespace = '', name, message = '' }) =>
            `${phase} hook ${describeKey({ group, kind, namespace, name })} failed: ${message}`,
        ),
      };
    }
    context.ports.log.info('deletion hooks', { application: pass.key, phase, step: step.kind });
    const outcome = await carryOut(
      step,
      { ...running, results },
      { writer: destination.writer, health: assess, now: () => context.ports.clock.now(), concurrency: 10 },
    );
    running = { ...running, results: outcome.results, progress: outcome.progress };
    await destination.live.ensure(
      plan.tasks.map(({ key }) => key),
      signal,
    );
  }
}

/** A deletion goes under the revision that was compared last, so that generated names stay the same to its end. */
const identityOf = ({ application, context }: Pass): Readonly<{ application: string; revision: string }> => ({
  application: instanceName(application, context.namespace),
  revision: application.status?.sync?.revision ?? application.status?.sync?.revisions?.[0] ?? '',
});

async function planHooks(run: Run): Promise<SyncPlan> {
  const { pass, destination, phase, isRetry } = run;
  const { application, context } = pass;
  const { metadata, spec } = application;
  const { uid = '', deletionTimestamp = '' } = metadata;
  const { desired } = await renderHooks(run);
  const live = new Map(
    destination.live
      .managed(instanceName(application, context.namespace))
      .filter((object) => isOfDeletion(object, uid))
      .map((object) => [keyText(keyOf(object)), object]),
  );
  return planDeletionHooks(desired, {
    ...identityOf(pass),
    tracking: context.settings().tracking,
    startedAt: deletionTimestamp,
    phase,
    uid,
    syncOptions: spec.syncPolicy?.syncOptions ?? [],
    propagation: 'Background',
    attemptOf: (key) => {
      const last = live.get(keyText(key));
      const attempt = attemptOf(last, uid, phase) ?? 0;
      const failed = last !== undefined && assess(last)?.status === 'Degraded';
      // One that is on its way out makes room for the next, also when another process sent it there.
      const leaves = last?.metadata.deletionTimestamp !== undefined;
      return failed && (isRetry || leaves) ? attempt + 1 : attempt;
    },
  });
}

/** The sources at the revisions that were compared last, for which the repositories need not be asked. */
function comparedSources({ application }: Pass): readonly WantedSource[] {
  const { revision = '', revisions = [] } = application.status?.sync ?? {};
  return specSources(application).map((one, index) => {
    const known = revisions[index] ?? (index === 0 ? revision : '');
    return known === '' ? one : { ...one, revision: known };
  });
}

/**
 * The desired objects, among them the hooks: those of the comparison that set the finalizers, and after a failure those of the
 * newest revision, so that a commit can mend a hook.
 * @throws CodedError naming the finalizer that can be taken away when the source is lost for good
 */
async function renderHooks({ pass, destination, phase, isRetry }: Run): Promise<Comparison> {
  const { application, context, signal, memory } = pass;
  const sources = specSources(application);
  const tries = [
    ...(isRetry || memory.marks.revision !== undefined
      ? []
      : [{ sources: comparedSources(pass), freshness: 'cached' as const }]),
    { sources, freshness: 'latest' as const },
  ];
  let last: unknown;
  for (const one of tries)
    try {
      return await compareApplication({ application, destination, ...one }, context.compareParts(), signal);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  throw new CodedError(
    isCoded(last) ? last.code : 'render/failed',
    `the ${phase} hooks cannot be rendered, and the deletion waits for them: ${messageOf(last)}; take the finalizer ${hookFinalizers[phase]} away to go on without them`,
    { cause: last },
  );
}
