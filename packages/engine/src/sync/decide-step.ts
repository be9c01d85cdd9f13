import { type Because, describeKey, keyText, type KubeObject, type ResourceResult } from '@tiphys/api';
import { hasFinalizer } from './hook-object.ts';
import { kindRank } from './kind-rank.ts';
import { adopted, isOfThisAttempt, observe } from './observe.ts';
import { compareMoments, type Moment } from './order.ts';
import { taskId } from './plan-sync.ts';
import { readResults, resultOf, stateOf, withResults, type Results } from './task-result.ts';
import type {
  ApplyTask,
  HookTask,
  PruneTask,
  SyncDecision,
  SyncObservation,
  SyncPlan,
  SyncStep,
  SyncTask,
} from './types.ts';

const isHook = (task: SyncTask): task is HookTask => task.kind === 'hook';
const sameMoment = (a: Moment, b: Moment): boolean => compareMoments(a, b) === 0;

/** The plan as one attempt sees it: tasks with their state. */
type View = Readonly<{
  plan: SyncPlan;
  seen: SyncObservation;
  /** Everything but SyncFail. */
  main: readonly SyncTask[];
  onFailure: readonly HookTask[];
  results: Results;
}>;

const inState = (tasks: readonly SyncTask[], { results }: View, state: string): readonly SyncTask[] =>
  tasks.filter((task) => stateOf(task, results) === state);

/**
 * Who is waited for: hooks always; everything else when there is more than one wave, except in the last wave when no hook is in
 * it (design section 4).
 */
function awaitedIn(main: readonly SyncTask[]): (task: SyncTask) => boolean {
  const [first, last] = [main[0], main.at(-1)];
  if (first === undefined || last === undefined) return isHook;
  const several = !sameMoment(first, last);
  const hookAtTheEnd = main.some((task) => isHook(task) && sameMoment(task, last));
  return (task) => isHook(task) || (several && (hookAtTheEnd || !sameMoment(task, last)));
}

/**
 * What to do next with an operation (contract 3.2): a function of the plan and of what is seen, so that a process that starts in
 * the middle goes on where the stored results end. Store the results before taking the step.
 */
export function decideStep(plan: SyncPlan, seen: SyncObservation): SyncDecision {
  if (plan.errors.length > 0) return { results: seen.results, step: refuse(plan.errors) };
  const main = plan.tasks.filter(({ phase }) => phase !== 'SyncFail');
  const onFailure = plan.tasks.filter(isHook).filter(({ phase }) => phase === 'SyncFail');
  const awaited = awaitedIn(main);
  const stored = readResults(seen.results);
  const resumed = withResults(seen.results, adopted(plan.tasks.filter(isHook), seen, stored));
  const results = observe(plan.tasks, { ...seen, results: resumed }, awaited);
  const view: View = { plan, seen, main, onFailure, results: readResults(results) };
  return { results, step: chooseStep(view, awaited) };
}

function chooseStep(view: View, awaited: (task: SyncTask) => boolean): SyncStep {
  const { plan, seen, main } = view;
  if (seen.stop !== undefined) return stop(view, seen.stop);
  if (!hasBegun(view)) {
    const first = prepare(view);
    if (first !== undefined) return first;
  }
  if (plan.dryRun) return finish('Succeeded', 'successfully dry-run', { code: 'dry-run' });
  const failed = inState(main, view, 'failed');
  const running = inState(main, view, 'running').filter((task) => (failed.length > 0 ? isHook(task) : awaited(task)));
  // A wait for health is a safe point: a sync that can never become healthy must not keep a newer revision out.
  const pending = inState(main, view, 'pending');
  const unfinished = pending.length > 0 || running.length > 0;
  if (seen.supersededBy !== undefined && unfinished && hasBegun(view) && !running.some(isHook))
    return cleanThen(view, supersede(seen.supersededBy));
  if (running.length > 0) return waitFor(running, view);
  if (failed.length > 0) return fail(view, failed);
  if (pending.length === 0)
    return cleanThen(view, finish('Succeeded', 'successfully synced (all tasks run)', { code: 'synced' }));
  return nextWave(pending, view);
}

/** Whether a task of the plan has a result: the namespace, which comes before the dry run, does not count. */
const hasBegun = ({ plan, results }: View): boolean => plan.tasks.some((task) => results.has(taskId(task)));

/** Before the first write: the namespace, and a dry run of everything (requirement SYNC-45). */
function prepare({ plan, seen }: View): SyncStep | undefined {
  if (plan.namespace !== undefined && !plan.dryRun && !seen.progress.namespaceReady)
    return {
      kind: 'create-namespace',
      namespace: plan.namespace,
      because: {
        code: 'create-namespace',
        object: `Namespace ${plan.namespace.name}`,
        message: `creating the namespace ${plan.namespace.name}`,
      },
    };
  if (seen.progress.preflight === 'passed') return undefined;
  const tasks = plan.tasks.filter((task) => {
    if (task.kind === 'prune') return task.action === 'delete';
    // What is equal is not written, so there is nothing to try.
    return task.kind === 'hook' || task.change !== 'keep' || task.options.apply === 'replace';
  });
  // A single task is its own trial: when it is refused, nothing has changed.
  return tasks.length <= (plan.dryRun ? 0 : 1)
    ? undefined
    : { kind: 'preflight', tasks, because: { code: 'preflight', message: 'trying what is to be applied' } };
}

/** The lowest wave that has not run: old hooks go first, then the pause since the last write, then the wave. */
function nextWave(pending: readonly SyncTask[], view: View): SyncStep {
  const { seen } = view;
  const moment = pending[0];
  if (moment === undefined) return finish('Succeeded', 'successfully synced (no more tasks)', { code: 'synced' });
  const due = (seen.progress.lastWriteAt?.getTime() ?? 0) + seen.waveDelayMs;
  if (seen.progress.lastWriteAt !== undefined && seen.now.getTime() < due) {
    const until = new Date(due);
    return {
      kind: 'wait',
      for: [{ code: 'wave-delay', until: until.toISOString() }],
      until,
      message: 'pausing between waves',
    };
  }
  const tasks = pending.filter((task) => sameMoment(task, moment));
  const blocked = tasks.filter((task): task is PruneTask => task.kind === 'prune' && task.action === 'confirm');
  if (blocked.length > 0) return waitForApproval(blocked);
  return replaceOldHooks(tasks.filter(isHook), view) ?? run(tasks, moment);
}

/** BeforeHookCreation: the hook of an earlier attempt is deleted, and waited for, before the new one comes. */
function replaceOldHooks(hooks: readonly HookTask[], { seen }: View): SyncStep | undefined {
  const old = hooks.filter((hook) => {
    const live = seen.live.get(keyText(hook.key));
    return live !== undefined && hook.deletePolicies.includes('BeforeHookCreation') && !isOfThisAttempt(hook, live);
  });
  if (old.length === 0) return undefined;
  const standing = old.filter((hook) => {
    const live = seen.live.get(keyText(hook.key));
    return live?.metadata.deletionTimestamp === undefined || hasFinalizer(live);
  });
  if (standing.length > 0)
    return {
      kind: 'delete-old-hooks',
      hooks: standing,
      because: {
        code: 'before-hook-creation',
        object: name(standing[0]),
        message: `deleting hook ${listNames(standing)} of an earlier sync`,
      },
    };
  const reasons = old.map((hook): Because => ({ code: 'old-hook-leaving', object: name(hook) }));
  return { kind: 'wait', for: reasons, until: undefined, message: `waiting for deletion of hook ${listNames(old)}` };
}

function run(tasks: readonly SyncTask[], { phase, wave }: Moment): SyncStep {
  const groups = new Map<number, (ApplyTask | HookTask)[]>();
  for (const task of tasks) {
    if (task.kind === 'prune') continue;
    const rank = kindRank(task.key.kind);
    groups.set(rank, [...(groups.get(rank) ?? []), task]);
  }
  return {
    kind: 'run',
    phase,
    wave,
    prunes: tasks.filter((task): task is PruneTask => task.kind === 'prune'),
    groups: [...groups].sort(([a], [b]) => a - b).map(([, group]) => group),
    because: { code: 'wave', message: `${phase} wave ${wave}` },
  };
}

/** A task failed: SyncFail hooks run, what is to be deleted goes, and the operation is over. */
function fail(view: View, failed: readonly SyncTask[]): SyncStep {
  const running = inState(view.onFailure, view, 'running');
  if (running.length > 0) return waitFor(running, view);
  const pending = inState(view.onFailure, view, 'pending');
  if (pending.length > 0) return nextWave(pending, view);
  const reasons = failed.map((task) => {
    const message = view.results.get(taskId(task))?.message ?? '';
    return `${isHook(task) ? 'hook ' : ''}${name(task)}${message === '' ? '' : `: ${message}`}`;
  });
  const also = inState(view.onFailure, view, 'failed').map((task) => `SyncFail hook ${name(task)} failed too`);
  // Tools look for these words: what the API server refused, or what was applied and did not turn out well.
  const isRefused = failed.some((task) => view.results.get(taskId(task))?.status === 'SyncFailed');
  const what = isRefused ? 'objects failed to apply' : 'synchronization tasks completed unsuccessfully';
  const message = `one or more ${what}, reason: ${shorten([...reasons, ...also])}`;
  return cleanThen(view, finish('Failed', message, { code: 'task-failed', object: name(failed[0]) }));
}

/** Terminated or out of time: running hooks are deleted, nothing else is done. */
function stop(view: View, why: 'terminated' | 'timed-out'): SyncStep {
  const hooks = inState([...view.main, ...view.onFailure], view, 'running').filter(isHook);
  if (hooks.length > 0)
    return {
      kind: 'clean-hooks',
      release: hooks,
      remove: hooks,
      because: { code: why, object: name(hooks[0]), message: `deleting hook ${listNames(hooks)}` },
    };
  const message =
    why === 'terminated' ? 'Operation terminated' : 'Operation terminated: it ran longer than the sync timeout';
  return cleanThen(view, finish('Failed', message, { code: why }));
}

const policyHolds = (hook: HookTask, view: View): boolean => {
  const state = stateOf(hook, view.results);
  if (state === 'succeeded') return hook.deletePolicies.includes('HookSucceeded');
  return state === 'failed' && hook.deletePolicies.includes('HookFailed');
};

/** Before the end: our finalizer comes off hooks that are done, and those go whose policy says so. Once each, then the end. */
function cleanThen(view: View, end: SyncStep): SyncStep {
  const { seen, plan } = view;
  const due = plan.tasks.filter(isHook).filter((hook) => {
    const live = seen.live.get(keyText(hook.key));
    if (!isOfThisAttempt(hook, live) || seen.progress.cleaned.includes(taskId(hook))) return false;
    return hasFinalizer(live) || (policyHolds(hook, view) && live?.metadata.deletionTimestamp === undefined);
  });
  if (due.length === 0) return end;
  const remove = due.filter((hook) => policyHolds(hook, view));
  const message = `cleaning up hook ${listNames(due)}`;
  return {
    kind: 'clean-hooks',
    release: due,
    remove,
    because: { code: 'hook-delete-policy', object: name(due[0]), message },
  };
}

function waitFor(tasks: readonly SyncTask[], { results, seen }: View): SyncStep {
  const reasons = tasks.map((task): Because => {
    const live: KubeObject | undefined = seen.live.get(keyText(task.key));
    const health = live === undefined ? undefined : seen.health(live);
    const message = health?.message ?? results.get(taskId(task))?.message ?? '';
    const code =
      task.kind === 'hook' ? 'waiting-for-hook' : task.kind === 'prune' ? 'waiting-for-deletion' : 'waiting-for-health';
    return { code, object: name(task), ...(message !== '' && { message }) };
  });
  const what = isHook(tasks[0] ?? ({ kind: 'apply' } as SyncTask))
    ? 'completion of hook'
    : tasks[0]?.kind === 'prune'
      ? 'deletion of'
      : 'healthy state of';
  return { kind: 'wait', for: reasons, until: undefined, message: `waiting for ${what} ${listNames(tasks)}` };
}

const waitForApproval = (tasks: readonly PruneTask[]): SyncStep => ({
  kind: 'wait',
  for: tasks.map((task): Because => ({ code: 'waiting-for-prune-approval', object: name(task) })),
  until: undefined,
  message: `waiting for approval to prune ${listNames(tasks)}`,
});

const finish = (phase: 'Succeeded' | 'Failed' | 'Error', message: string, because: Because): SyncStep => ({
  kind: 'finish',
  phase,
  message,
  because: { ...because, message },
});

const refuse = (errors: readonly Because[]): SyncStep => {
  const reasons = shorten(errors.map((error) => error.message ?? error.code));
  const shared = errors.every(({ code }) => code === 'shared-resource');
  const message = shared ? reasons : `one or more synchronization tasks are not valid: ${reasons}`;
  return finish('Failed', message, errors[0] ?? { code: 'invalid-task' });
};

/** What an operation ends with that gives way to a newer revision. */
export const supersededBy = (revision: string): string => `superseded by revision ${revision}`;

const supersede = (revision: string): SyncStep => finish('Failed', supersededBy(revision), { code: 'superseded' });

const name = (task: SyncTask | undefined): string => (task === undefined ? '' : describeKey(task.key));

const shown = 3;

/** At most three, and how many more. */
const shorten = (texts: readonly string[]): string =>
  `${texts.slice(0, shown).join('; ')}${texts.length > shown ? `; and ${texts.length - shown} more` : ''}`;

const listNames = (tasks: readonly SyncTask[]): string => {
  const more = tasks.length - 1;
  return `${name(tasks[0])}${more > 0 ? ` and ${more} more ${more === 1 ? 'resource' : 'resources'}` : ''}`;
};

/** The results of hooks that were stopped. */
export const stoppedResults = (hooks: readonly HookTask[]): readonly ResourceResult[] =>
  hooks.map((hook) => resultOf(hook, { status: 'Synced', phase: 'Failed', message: 'terminated' }));
