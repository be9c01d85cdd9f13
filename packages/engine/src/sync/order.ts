import { isRecord, stringAt } from '@tiphys/api';
import { kindRank } from './kind-rank.ts';
import { type ApplyTask, deletionPhases, syncPhases, type SyncTask } from './types.ts';

/** A moment of an operation: phase, then wave. */
export type Moment = Pick<SyncTask, 'phase' | 'wave'>;

/** Phases of a sync and of a deletion never meet in one plan; each kind has its own order. */
const phases: readonly Moment['phase'][] = [...syncPhases, ...deletionPhases];

export const compareMoments = (a: Moment, b: Moment): number =>
  phases.indexOf(a.phase) - phases.indexOf(b.phase) || a.wave - b.wave;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareTasks = (a: SyncTask, b: SyncTask): number =>
  compareMoments(a, b) ||
  kindRank(a.key.kind) - kindRank(b.key.kind) ||
  compareText(a.key.name, b.key.name) ||
  compareText(a.key.namespace, b.key.namespace) ||
  compareText(a.key.group, b.key.group);

/** Whether a task needs another to have been applied: its namespace, or the definition of its kind. */
function needs(task: SyncTask, provider: ApplyTask): boolean {
  const { key, object } = provider;
  if (key.group === '' && key.kind === 'Namespace') return task.key.namespace === key.name;
  if (key.kind !== 'CustomResourceDefinition') return false;
  const spec = object['spec'];
  return isRecord(spec) && spec['group'] === task.key.group && stringAt(spec, 'names', 'kind') === task.key.kind;
}

const isProvider = (task: SyncTask): task is ApplyTask =>
  task.kind === 'apply' &&
  ((task.key.group === '' && task.key.kind === 'Namespace') || task.key.kind === 'CustomResourceDefinition');

const isSyncPhase = (phase: string): phase is ApplyTask['phase'] => (syncPhases as readonly string[]).includes(phase);

/** A namespace comes no later than what is in it, and a definition no later than its objects, whatever their waves and phases. */
function correct(task: SyncTask, tasks: readonly SyncTask[]): SyncTask {
  if (!isProvider(task)) return task;
  const first = tasks.filter((other) => other.kind !== 'prune' && needs(other, task)).sort(compareMoments)[0];
  return first === undefined || compareMoments(task, first) <= 0 || !isSyncPhase(first.phase)
    ? task
    : { ...task, phase: first.phase, wave: first.wave };
}

/** The tasks in the order in which they run (contract 3.1): phase, wave, kind, name. */
export function orderTasks(tasks: readonly SyncTask[]): readonly SyncTask[] {
  const providers = tasks.some(isProvider);
  return (providers ? tasks.map((task) => correct(task, tasks)) : [...tasks]).sort(compareTasks);
}
