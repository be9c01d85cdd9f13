import {
  type Application,
  type Because,
  isCascading,
  isCoded,
  keyOf,
  type KubeObject,
  messageOf,
  timeText,
} from '@tiphys/api';
import {
  type ClusterWriter,
  type DeletionPhase,
  type LiveView,
  mergeConditions,
  type WriteContext,
  writeContextWithoutPlan,
} from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import { instanceName } from '@tiphys/operations';
import type { Pass } from '../context.ts';
import { decideDeletion, type DeletionStep } from './decide-deletion.ts';
import { runDeletionHooks } from './deletion-hooks.ts';
import type { Destination } from '../watch/destinations.ts';
import { hookFinalizers, isBackground, isOurs } from './finalizers.ts';
import type { Desired } from '../status/persist.ts';
import { writeStatus } from '../status/write-status.ts';

/** How soon a deletion that waits is looked at when no event wakes it. */
const lookAgainMs = 5_000;
const unreachableMs = 15_000;

/** Stores what a pass found; without its last finalizer the application is gone before the answer is read. */
async function store(pass: Pass, desired: Desired): Promise<void> {
  try {
    await writeStatus(pass, desired);
  } catch (error) {
    if (!isCoded(error, 'kube/not-found')) throw error;
  }
}

const without = ({ metadata }: Application, isIt: (finalizer: string) => boolean): string[] =>
  (metadata.finalizers ?? []).filter((finalizer) => !isIt(finalizer));

/** Takes all our finalizers away. What was left undone is told by an event. */
async function letGo(pass: Pass, undone?: string): Promise<Next> {
  const { application, context, stored, key } = pass;
  if (undone !== undefined)
    context.events.record(stored.raw, { type: 'Warning', reason: 'DeletionSkipped', message: undone });
  context.ports.log.info('application deleted', { application: key, undone });
  await store(pass, { finalizers: without(application, isOurs) });
  return {};
}

/**
 * Deletes an application that carries a cascading finalizer: its PreDelete hooks run, its objects go, its PostDelete hooks run, and
 * then the finalizers are taken away. The hooks belong to the cascade: where nothing is deleted none is run.
 */
export async function finalize(pass: Pass): Promise<Next> {
  const { application, context } = pass;
  const finalizers = application.metadata.finalizers ?? [];
  if (!finalizers.some(isOurs)) return {};
  if (!finalizers.some(isCascading))
    return letGo(pass, 'it is deleted without its objects, so its PreDelete and PostDelete hooks are not run');
  if (!context.destinations.isRegistered(application.spec.destination))
    return letGo(pass, 'its cluster is no longer registered: the finalizer is taken away, and nothing is deleted');
  try {
    return await cascade(pass, context.destinations.find(application.spec.destination));
  } catch (error) {
    pass.signal.throwIfAborted();
    if (isCoded(error, 'kube/conflict')) throw error;
    await tell(pass, [messageOf(error)]);
    return { againInMs: unreachableMs };
  }
}

/** Every kind that may hold something of the application: a kind that nobody declares any more is found by the search for marks. */
async function readManaged(pass: Pass, live: LiveView): Promise<readonly KubeObject[]> {
  const { application, context, signal } = pass;
  const resources = application.status?.resources ?? [];
  const results = application.status?.operationState?.syncResult?.resources ?? [];
  await live.ensure(
    [...resources, ...results].map(({ group = '', kind = '' }) => ({ group, kind })),
    signal,
  );
  return live.managed(instanceName(application, context.namespace));
}

async function cascade(pass: Pass, destination: Destination): Promise<Next> {
  const live = await readManaged(pass, destination.live);
  if (!destination.live.complete) return { againInMs: 500 };
  const step = decideDeletion(pass.application, live);
  switch (step.kind) {
    case 'hooks':
      return runHooks(pass, destination, step.phase);
    case 'wait':
      await tell(pass, [], step.for);
      return { againInMs: lookAgainMs };
    case 'release-hooks':
    case 'delete': {
      const failures = await carryOutDeletion(step, destination.writer, deletionContext(pass));
      await tell(pass, failures);
      return { againInMs: failures.length > 0 ? unreachableMs : 200 };
    }
    case 'finish':
      return letGo(pass);
  }
}

function deletionContext({ application, context, signal }: Pass): WriteContext {
  const instance = instanceName(application, context.namespace);
  const revision = application.status?.sync?.revision ?? '';
  return writeContextWithoutPlan(
    { application: instance, revision, initiatedBy: 'deletion', signal },
    isBackground(application.metadata.finalizers ?? []) ? 'Background' : 'Foreground',
  );
}

/** Runs a write for each of some objects; answers what failed. */
async function carryOutDeletion(
  step: Extract<DeletionStep, { kind: 'delete' | 'release-hooks' }>,
  writer: ClusterWriter,
  context: WriteContext,
): Promise<string[]> {
  const outcomes = await Promise.all(
    step.kind === 'delete'
      ? step.objects.map((object) => writer.remove(object, context))
      : step.hooks.map((object) => writer.releaseHook({ key: keyOf(object), object }, context)),
  );
  return outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.message] : []));
}

/** The hooks of a phase. That they have succeeded is stored by taking their finalizer away: from then on none runs again. */
async function runHooks(pass: Pass, destination: Destination, phase: DeletionPhase): Promise<Next> {
  const { context, application, key } = pass;
  const outcome = await runDeletionHooks(pass, destination, phase);
  const now = context.ports.clock.now().getTime();
  switch (outcome.kind) {
    case 'done':
      context.ports.log.info('deletion hooks succeeded', { application: key, phase });
      await store(pass, { finalizers: without(application, (finalizer) => finalizer === hookFinalizers[phase]) });
      return { againInMs: 1 };
    case 'waiting':
      await tell(pass, [], outcome.for);
      return { againInMs: Math.max(1, Math.min(lookAgainMs, (outcome.until?.getTime() ?? Infinity) - now)) };
    case 'failed': {
      const until = outcome.retryAt.toISOString();
      await tell(pass, outcome.messages, [{ code: 'waiting-for-hook-retry', object: phase, until }]);
      return { againInMs: Math.max(1, outcome.retryAt.getTime() - now) };
    }
  }
}

/** Says why the application is still there. */
async function tell(pass: Pass, errors: readonly string[], waitingFor: readonly Because[] = []): Promise<void> {
  const { application, context } = pass;
  const now = context.ports.clock.now();
  const before = application.status ?? {};
  const found = errors.map((message) => ({ type: 'DeletionError' as const, message }));
  const conditions = [...mergeConditions(before.conditions ?? [], found, { types: ['DeletionError'], now })];
  const since = (because: Because): string =>
    before.waitingFor?.find(({ object }) => object === because.object)?.since ?? timeText(now);
  const waits = waitingFor.map((because) => ({ ...because, since: since(because) }));
  const { conditions: _, waitingFor: __, ...kept } = before;
  const health =
    before.health?.status === 'Progressing'
      ? before.health
      : { status: 'Progressing' as const, lastTransitionTime: timeText(now) };
  await store(pass, {
    status: {
      ...kept,
      health,
      ...(conditions.length > 0 && { conditions }),
      ...(waits.length > 0 && { waitingFor: waits }),
    },
  });
}
