import {
  gvkOf,
  isRecord,
  listAt,
  stringAt,
  type KubeObject,
  type OperationPhase,
  type ResourceResult,
} from '@tiphys/api';
import { taskId } from './plan-sync.ts';
import type { SyncTask } from './types.ts';

type ResultCode = NonNullable<ResourceResult['status']>;

/** How far a task is, read from its result: a task without one has not begun. */
export type TaskState = 'pending' | 'running' | 'succeeded' | 'failed';

/** Results of an operation by task. */
export type Results = ReadonlyMap<string, ResourceResult>;

const resultId = ({ group = '', kind, namespace = '', name, syncPhase = 'Sync' }: ResourceResult): string =>
  `${syncPhase} ${group}/${kind}/${namespace}/${name}`;

export const readResults = (results: readonly ResourceResult[]): Results =>
  new Map(results.map((result) => [resultId(result), result]));

export function stateOf(task: SyncTask, results: Results): TaskState {
  const result = results.get(taskId(task));
  if (result === undefined) return 'pending';
  if (result.status === 'SyncFailed') return 'failed';
  switch (result.hookPhase) {
    case 'Succeeded':
      return 'succeeded';
    case 'Failed':
    case 'Error':
      return 'failed';
    default:
      return 'running';
  }
}

/** The images of a workload's pods, in order, each once. */
export function imagesOf(object: KubeObject): readonly string[] {
  const found = new Set<string>();
  const visit = (spec: unknown): void => {
    for (const field of ['initContainers', 'containers'])
      for (const container of listAt(spec, field)) {
        const image = stringAt(container, 'image');
        if (image !== undefined) found.add(image);
      }
  };
  const spec = object['spec'];
  if (object.kind === 'Pod') visit(spec);
  else if (isRecord(spec)) {
    const job = spec['jobTemplate'];
    const template = isRecord(job) && isRecord(job['spec']) ? job['spec']['template'] : spec['template'];
    if (isRecord(template)) visit(template['spec']);
  }
  return [...found];
}

export type Outcome = Readonly<{ status: ResultCode; phase: OperationPhase; message: string }>;

/** The row of a task in `syncResult.resources` (contract 1.5). */
export function resultOf(task: SyncTask, { status, phase, message }: Outcome): ResourceResult {
  const object = task.kind === 'prune' ? task.live : task.object;
  const images = task.kind === 'prune' ? [] : imagesOf(object);
  return {
    group: task.key.group,
    version: gvkOf(object).version,
    kind: task.key.kind,
    namespace: task.key.namespace,
    name: task.key.name,
    status,
    ...(message !== '' && { message }),
    ...(task.kind === 'hook' && { hookType: task.hookType }),
    hookPhase: phase,
    syncPhase: task.phase,
    ...(images.length > 0 && { images: [...images] }),
  };
}

/** The results with some of them replaced or added, in the order in which they first came. */
export function withResults(
  results: readonly ResourceResult[],
  fresh: readonly ResourceResult[],
): readonly ResourceResult[] {
  if (fresh.length === 0) return results;
  const all = new Map(results.map((result) => [resultId(result), result]));
  for (const result of fresh) all.set(resultId(result), result);
  return [...all.values()];
}
