import { keyText, type KubeObject, type ResourceResult } from '@tiphys/api';
import { hasFinalizer } from './hook-object.ts';
import { marks } from './marks.ts';
import { taskId } from './plan-sync.ts';
import { readResults, resultOf, stateOf, withResults, type Outcome, type Results } from './task-result.ts';
import type { HookTask, SyncObservation, SyncTask, WrittenForm } from './types.ts';

/** What a look at the cluster says of a running task; undefined: nothing new. */
function look(task: SyncTask, seen: SyncObservation, result: ResourceResult): Outcome | undefined {
  const live = seen.live.get(keyText(task.key));
  if (task.kind === 'prune')
    return live === undefined ? { status: 'Pruned', phase: 'Succeeded', message: result.message ?? '' } : undefined;
  const status = result.status ?? 'Synced';
  if (live === undefined)
    return task.kind === 'hook' && hasFinalizer(task.object)
      ? { status, phase: 'Failed', message: 'the hook was deleted before it ended' }
      : undefined;
  // Between our write and its event the watch shows the object as it was: its health is not that of what was applied.
  if (isOlder(live, seen.progress.written.get(taskId(task)))) return undefined;
  const health = seen.health(live);
  if (health === undefined) return { status, phase: 'Succeeded', message: result.message ?? '' };
  const message = health.message ?? '';
  const ends = health.status === 'Healthy' || health.status === 'Degraded' || health.status === 'Unknown';
  // Our finalizer keeps it to be seen, but whoever runs it has stopped: it will not end by itself.
  if (!ends && task.kind === 'hook' && hasFinalizer(task.object) && live.metadata.deletionTimestamp !== undefined)
    return { status, phase: 'Failed', message: 'the hook was deleted before it ended' };
  switch (health.status) {
    case 'Healthy':
      return {
        status,
        phase: 'Succeeded',
        message: task.kind === 'hook' && message !== '' ? message : (result.message ?? ''),
      };
    case 'Degraded':
    case 'Unknown':
      return { status, phase: 'Failed', message: message === '' ? `health is ${health.status}` : message };
    case 'Progressing':
    case 'Suspended':
    case 'Missing':
      return undefined;
  }
}

const isOlder = ({ metadata }: KubeObject, written: WrittenForm | undefined): boolean =>
  written !== undefined &&
  ((written.uid !== undefined && metadata.uid !== written.uid) ||
    (written.generation !== undefined && (metadata.generation ?? 0) < written.generation));

/**
 * The results brought up to date: running tasks that the cluster shows to have succeeded or failed. A task that nobody waits for
 * may succeed here but never fails: the operation does not vouch for it (contract 3.2, step 6).
 */
export function observe(
  tasks: readonly SyncTask[],
  seen: SyncObservation,
  awaited: (task: SyncTask) => boolean,
): readonly ResourceResult[] {
  const results = readResults(seen.results);
  const fresh = tasks.flatMap((task) => {
    const result = results.get(taskId(task));
    if (result === undefined || stateOf(task, results) !== 'running') return [];
    const outcome = look(task, seen, result);
    if (outcome === undefined || (outcome.phase === 'Failed' && !awaited(task))) return [];
    return [resultOf(task, outcome)];
  });
  return withResults(seen.results, fresh);
}

/** Hooks of this very attempt that stand in the cluster without a result: the process ended between creating and storing. */
export function adopted(
  hooks: readonly HookTask[],
  seen: SyncObservation,
  results: Results,
): readonly ResourceResult[] {
  return hooks
    .filter((hook) => stateOf(hook, results) === 'pending' && isOfThisAttempt(hook, seen.live.get(keyText(hook.key))))
    .map((hook) => resultOf(hook, { status: 'Synced', phase: 'Running', message: 'taken up again after a restart' }));
}

/** Whether a live object was made by the attempt that the hook belongs to. */
export const isOfThisAttempt = (hook: HookTask, live: KubeObject | undefined): boolean =>
  live !== undefined &&
  live.metadata.annotations?.[marks.operation] === hook.object.metadata.annotations?.[marks.operation];
