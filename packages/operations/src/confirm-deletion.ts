import type { Application } from '@tiphys/api';
import type { Actor, ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
import { updateApplication } from './stored-application.ts';

/** Approves, from now on, the deletions that wait for it (`Delete=confirm`, `Prune=confirm`). @throws CodedError operation/not-found */
export const confirmDeletion = (
  actor: Actor,
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
): Promise<Application> =>
  updateApplication(request, ports, () => ({
    metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': ports.clock.now().toISOString() } },
  }));
