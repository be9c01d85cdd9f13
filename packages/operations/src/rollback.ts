import { type Application, CodedError, isAutomated, type Operation, type RevisionHistory } from '@tiphys/api';
import { type Actor, type ApplicationRef, type Cancelable, type OperationPorts, refused } from './actor.ts';
import { requireIdle } from './request-sync.ts';
import { updateApplication } from './stored-application.ts';

/**
 * Which entry of the history to go back to; without `id` the one before the last. `automation`: what becomes of automated sync,
 * which would go forward again at once: `refuse` to go back while it is on, or `hold` it (`automated.enabled: false`).
 */
export type RollbackRequest = ApplicationRef &
  Cancelable &
  Readonly<{ id?: number | undefined; prune: boolean; automation: 'refuse' | 'hold' }>;

export type RollbackResult = Readonly<{
  /** Before the operation begins. */
  application: Application;
  entry: RevisionHistory;
  /** Automated sync was on and is off now. */
  held: boolean;
}>;

function entryOf(application: Application, id: number | undefined): RevisionHistory {
  const history = application.status?.history ?? [];
  const name = application.metadata.name ?? '';
  const entry = id === undefined ? history.at(-2) : history.find((one) => one.id === id);
  if (entry !== undefined) return entry;
  if (id === undefined)
    throw new CodedError('operation/not-found', `application ${name} was deployed only once: there is no entry before`);
  const ids = history.map((one) => one.id).join(', ');
  throw new CodedError(
    'operation/not-found',
    `application ${name} has no entry ${id} in its history; ${ids === '' ? 'it has none at all' : `there is ${ids}`}`,
  );
}

/** What was deployed then, with the sync options of now, and without hooks (contract 3.8). */
function operationOf(
  { spec }: Application,
  { revision, revisions, source, sources }: RevisionHistory,
  { prune, username }: Readonly<{ prune: boolean; username: string }>,
): Operation {
  const syncOptions = spec.syncPolicy?.syncOptions;
  return {
    sync: {
      ...(revision !== undefined && { revision }),
      ...(revisions !== undefined && { revisions }),
      ...(source !== undefined && { source }),
      ...(sources !== undefined && { sources }),
      ...(prune && { prune }),
      ...(syncOptions !== undefined && { syncOptions }),
      syncStrategy: { apply: {} },
    },
    initiatedBy: { username },
  };
}

/**
 * Asks the controller to sync what an entry of the history says; Git is left as it is.
 * @throws CodedError operation/not-found, operation/refused when another operation runs, when the application is being deleted,
 * and when automated sync is on and is not to be held
 */
export async function rollbackApplication(
  actor: Actor,
  request: RollbackRequest,
  ports: OperationPorts,
): Promise<RollbackResult> {
  let result: RollbackResult | undefined;
  await updateApplication(request, ports, (application) => {
    const name = application.metadata.name ?? '';
    const entry = entryOf(application, request.id);
    requireIdle(application);
    const held = isAutomated(application.spec);
    if (held && request.automation === 'refuse')
      throw refused(
        `cannot roll ${name} back while automated sync is on: it would go forward again. Revert the commit in Git, ` +
          `or hold automated sync: --hold (app set ${name} --sync-policy none switches it off)`,
      );
    result = { application, entry, held };
    const operation = operationOf(application, entry, { prune: request.prune, username: actor.username });
    return { operation, ...(held && { spec: { syncPolicy: { automated: { enabled: false } } } }) };
  });
  if (result === undefined) throw refused(`application ${request.name} was not rolled back`);
  return result;
}
