import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';

export type ResourceView = Readonly<{
  /** `Kind/name` */
  id: string;
  namespace: string;
  status: string;
  health: string;
  requiresPruning: boolean;
  hook: boolean;
}>;

export type ResultView = Readonly<{
  id: string;
  namespace: string;
  status: string;
  message: string;
  hookPhase: string;
  syncPhase: string;
}>;

/** What a test reads of an Application; absent texts are empty. */
export type ApplicationView = Readonly<{
  object: KubeObject;
  sync: string;
  revision: string;
  health: string;
  healthMessage: string;
  /** Phase of the running or last operation. */
  phase: string;
  message: string;
  /** Revision of the running or last operation. */
  syncedRevision: string;
  retryCount: number;
  automated: boolean;
  startedAt: string;
  finishedAt: string;
  /** An operation is asked for and not taken up yet. */
  requested: boolean;
  conditions: readonly Readonly<{ type: string; message: string }>[];
  resources: readonly ResourceView[];
  results: readonly ResultView[];
  history: readonly Readonly<{ id: number; revision: string }>[];
  waitingFor: string;
}>;

const text = (value: unknown, ...path: string[]): string => stringAt(value, ...path) ?? '';
const idOf = (value: unknown): string => `${text(value, 'kind')}/${text(value, 'name')}`;

export function viewOf(object: KubeObject): ApplicationView {
  const state = at(object, 'status', 'operationState');
  return {
    object,
    sync: text(object, 'status', 'sync', 'status'),
    revision: text(object, 'status', 'sync', 'revision'),
    health: text(object, 'status', 'health', 'status'),
    healthMessage: text(object, 'status', 'health', 'message'),
    phase: text(state, 'phase'),
    message: text(state, 'message'),
    syncedRevision: text(state, 'syncResult', 'revision'),
    retryCount: numberAt(state, 'retryCount') ?? 0,
    automated: at(state, 'operation', 'initiatedBy', 'automated') === true,
    startedAt: text(state, 'startedAt'),
    finishedAt: text(state, 'finishedAt'),
    requested: isRecord(at(object, 'operation')),
    conditions: listAt(object, 'status', 'conditions').map((condition) => ({
      type: text(condition, 'type'),
      message: text(condition, 'message'),
    })),
    resources: listAt(object, 'status', 'resources').map((resource) => ({
      id: idOf(resource),
      namespace: text(resource, 'namespace'),
      status: text(resource, 'status'),
      health: text(resource, 'health', 'status'),
      requiresPruning: at(resource, 'requiresPruning') === true,
      hook: at(resource, 'hook') === true,
    })),
    results: listAt(state, 'syncResult', 'resources').map((result) => ({
      id: idOf(result),
      namespace: text(result, 'namespace'),
      status: text(result, 'status'),
      message: text(result, 'message'),
      hookPhase: text(result, 'hookPhase'),
      syncPhase: text(result, 'syncPhase'),
    })),
    history: listAt(object, 'status', 'history').map((entry) => ({
      id: numberAt(entry, 'id') ?? -1,
      revision: text(entry, 'revision'),
    })),
    waitingFor: listAt(object, 'status', 'waitingFor')
      .map((entry) => [text(entry, 'code'), text(entry, 'object'), text(entry, 'message')].join(' '))
      .join('; '),
  };
}

/** What an application says of itself: message, what it waits for, conditions. Results name every object anyhow. */
export const toldOf = (view: ApplicationView): string =>
  [...view.conditions.map(({ type, message }) => `${type}: ${message}`), view.message, view.waitingFor].join('\n');

/** The same, and what became of each object. */
export const saysOf = (view: ApplicationView): string =>
  [toldOf(view), ...view.results.map(({ id, message }) => `${id}: ${message}`)].join('\n');

/** For the text of a failure. */
export function describeView(view: ApplicationView): string {
  const { sync, health, revision, phase, message, retryCount, conditions, waitingFor } = view;
  const lines = [
    `sync=${sync}@${revision.slice(0, 7)} health=${health} phase=${phase}@${view.syncedRevision.slice(0, 7)} retries=${retryCount} requested=${view.requested}`,
    `message: ${message}`,
    ...conditions.map(({ type, message: what }) => `condition ${type}: ${what}`),
    ...view.resources.map(
      (r) => `resource ${r.namespace}/${r.id} ${r.status} ${r.health}${r.requiresPruning ? ' prune' : ''}`,
    ),
    ...view.results.map((r) => `result ${r.id} ${r.syncPhase} ${r.status} ${r.hookPhase} ${r.message}`),
    ...(waitingFor === '' ? [] : [`waiting for ${waitingFor}`]),
  ];
  return lines.join('\n  ');
}
