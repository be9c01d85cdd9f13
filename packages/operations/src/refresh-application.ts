import type { Application } from '@tiphys/api';
import { type Actor, type ApplicationRef, type Cancelable, type OperationPorts, refused } from './actor.ts';
import { updateApplication } from './stored-application.ts';
import { waitForApplication } from './watch-application.ts';

const annotation = 'argocd.argoproj.io/refresh';
const stamp = 'argocd.argoproj.io/refresh-timestamp';

/** `hard` also sets the render cache aside. */
export type RefreshRequest = ApplicationRef & Cancelable & Readonly<{ kind: 'normal' | 'hard' }>;

/**
 * Asks the controller to compare again, and does not wait for it.
 * A waiting hard refresh is not made a normal one. @throws CodedError operation/not-found
 */
export const requestRefresh = (actor: Actor, request: RefreshRequest, ports: OperationPorts): Promise<Application> =>
  updateApplication(request, ports, ({ metadata }) => {
    const kind = metadata.annotations?.[annotation] === 'hard' ? 'hard' : request.kind;
    return { metadata: { annotations: { [annotation]: kind, [stamp]: ports.clock.now().toISOString() } } };
  });

/**
 * Asks the controller to compare again, and waits until it did.
 * @throws CodedError operation/timeout when no controller answers in time
 */
export async function refreshApplication(
  actor: Actor,
  request: RefreshRequest & Readonly<{ timeoutMs: number }>,
  ports: OperationPorts,
): Promise<Application> {
  await requestRefresh(actor, request, ports);
  const fresh = await waitForApplication(
    {
      ...request,
      waitingFor: 'the refresh; is a controller running?',
      until: (application) => application?.metadata.annotations?.[annotation] === undefined,
    },
    ports,
  );
  if (fresh === undefined) throw refused(`application ${request.name} was deleted meanwhile`);
  return fresh;
}
