import { type Application, isAutomated, type Operation, sourcesOf } from '@tiphys/api';
import { type Actor, type ApplicationRef, type Cancelable, type OperationPorts, refused } from './actor.ts';
import { updateApplication } from './stored-application.ts';

/** What to sync and how; `operation.sync.revision` and the like as in contract 1.4. */
export type SyncRequest = ApplicationRef &
  Cancelable &
  Readonly<{ operation: Pick<Operation, 'sync' | 'retry' | 'info'> }>;

const running = (application: Application): boolean =>
  application.operation !== undefined ||
  ['Running', 'Terminating'].includes(application.status?.operationState?.phase ?? '');

/** The revisions that are asked for in place of the configured ones. */
function otherRevisions(application: Application, { sync }: SyncRequest['operation']): readonly string[] {
  const configured = sourcesOf(application.spec).map(({ targetRevision = '' }) =>
    targetRevision === '' ? 'HEAD' : targetRevision,
  );
  const asked = sync?.revisions ?? (sync?.revision === undefined || sync.revision === '' ? [] : [sync.revision]);
  return asked.filter((revision, index) => revision !== '' && revision !== configured[index]);
}

/** Refuses a second operation, and one on what is being deleted. @throws CodedError operation/refused */
export function requireIdle(application: Application): void {
  const name = application.metadata.name ?? '';
  if (application.metadata.deletionTimestamp !== undefined) throw refused(`application ${name} is being deleted`);
  if (running(application))
    throw refused(`another operation is already in progress for ${name}; wait for it or run: app terminate-op ${name}`);
}

function requireAllowed(application: Application, request: SyncRequest): void {
  const name = application.metadata.name ?? '';
  requireIdle(application);
  if (!isAutomated(application.spec)) return;
  const [other] = otherRevisions(application, request.operation);
  if (other !== undefined)
    throw refused(
      `cannot sync ${name} to ${other}: automated sync would bring it back to the configured revision; switch it off first ` +
        `(app set ${name} --sync-policy none) or change targetRevision`,
    );
  if ((request.operation.sync?.manifests ?? []).length > 0 && request.operation.sync?.dryRun !== true)
    throw refused(
      `cannot sync ${name} to local manifests while automated sync is on; use a dry run, or switch it off first`,
    );
}

/**
 * Asks the controller for a sync by writing `operation`; it is taken away once it starts.
 * @throws CodedError operation/not-found, operation/refused when one runs (SYNC-44), when the application is being deleted, and
 * when it would go to another revision than the configured one under automation (contract 3.8)
 */
export const requestSync = (actor: Actor, request: SyncRequest, ports: OperationPorts): Promise<Application> =>
  updateApplication(request, ports, (application) => {
    requireAllowed(application, request);
    const { sync = {}, retry, info } = request.operation;
    const options = sync.syncOptions ?? application.spec.syncPolicy?.syncOptions;
    const operation: Operation = {
      sync: { ...sync, ...(options !== undefined && { syncOptions: options }) },
      initiatedBy: { username: actor.username },
      ...(info !== undefined && { info }),
      // A sync by hand is tried once unless somebody says otherwise (contract 3.6); the policy of the application is for automation.
      ...(retry !== undefined && { retry }),
    };
    return { operation };
  });
