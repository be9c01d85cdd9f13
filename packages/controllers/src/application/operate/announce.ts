import type { Application, OperationState } from '@tiphys/api';
import { frozenSources, localManifests, operationSources, requestedSync } from '../compare/sources.ts';
import type { Pass } from '../context.ts';

const revisionsOf = ({ syncResult }: OperationState): string =>
  syncResult?.revisions?.join(', ') ?? syncResult?.revision ?? '';

/** What was asked for, and the commits behind it where they are known: `main (1f8a...)`. */
const namedRevisions = (application: Application, state: OperationState): string => {
  const commits = frozenSources(application, state).map(({ revision }) => revision);
  return operationSources(application, requestedSync(state))
    .map(({ revision }, index) =>
      state.syncResult === undefined || commits[index] === revision
        ? revision
        : `${revision} (${commits[index] ?? ''})`,
    )
    .join(',');
};

/** As people and their dashboards know it: who began, and to which commits. */
export function announceStart({ context, stored, application }: Pass, state: OperationState): void {
  const { initiatedBy, sync = {} } = state.operation;
  const who = initiatedBy?.username ?? 'Unknown user';
  const what = (sync.resources ?? []).length > 0 ? 'partial sync' : 'sync';
  const where = localManifests(state) === undefined ? `to ${namedRevisions(application, state)}` : 'locally';
  const message =
    initiatedBy?.automated === true
      ? `Initiated automated sync to '${revisionsOf(state)}'`
      : `${who} initiated ${what} ${where}`;
  context.events.record(stored.raw, { type: 'Normal', reason: 'OperationStarted', message });
}

/** As people and their dashboards know it: how it ended. Also a line of the log. */
export function announceEnd({ context, stored, key }: Pass, state: OperationState): void {
  const { phase, message = '', startedAt, finishedAt = startedAt, operation } = state;
  const durationMs = new Date(finishedAt).getTime() - new Date(startedAt).getTime();
  context.ports.log.info('operation finished', {
    application: key,
    phase,
    message,
    durationMs,
    automated: operation.initiatedBy?.automated === true,
  });
  const what = (operation.sync?.resources ?? []).length > 0 ? 'Partial sync operation' : 'Sync operation';
  const where = state.syncResult === undefined ? '' : ` to ${revisionsOf(state)}`;
  const how = phase === 'Succeeded' ? 'succeeded' : `failed: ${message}`;
  context.events.record(stored.raw, {
    type: phase === 'Succeeded' ? 'Normal' : 'Warning',
    reason: 'OperationCompleted',
    message: `${what}${where} ${how}`,
  });
}
