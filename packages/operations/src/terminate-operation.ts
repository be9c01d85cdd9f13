import type { Application } from '@tiphys/api';
import { type Actor, type ApplicationRef, type Cancelable, type OperationPorts, refused } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { updateApplication } from './stored-application.ts';

/**
 * Ends the running operation; the controller removes its hooks and ends it as Failed. One that has not begun is taken back.
 * @throws CodedError operation/not-found, operation/refused when nothing runs
 */
export async function terminateOperation(
  actor: Actor,
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
): Promise<Application> {
  const application = await updateApplication(request, ports, (stored) => {
    const phase = stored.status?.operationState?.phase;
    if (phase === 'Terminating') return undefined;
    if (phase === 'Running') return { status: { operationState: { phase: 'Terminating' } } };
    if (stored.operation !== undefined) return { operation: null };
    throw refused(`application ${request.name}: no operation is in progress`);
  });
  await tellIntent(
    actor,
    { application, reason: 'ResourceUpdated', what: 'terminated running operation', signal: request.signal },
    ports,
  );
  return application;
}
