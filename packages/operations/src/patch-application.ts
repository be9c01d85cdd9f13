import { type Application, parseApplication } from '@tiphys/api';
import type { Actor, ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { requireNoProblems } from './create-application.ts';
import { objectRefOf, readApplication, typed } from './stored-application.ts';

/** A patch as the user wrote it. */
export type PatchRequest = ApplicationRef & Cancelable & Readonly<{ type: 'merge' | 'json'; body: unknown }>;

/**
 * Patches an application. What would come of it is asked first (dry run), so that an invalid one is refused with its faults.
 * @throws CodedError operation/not-found, api/invalid-object
 */
export async function patchApplication(
  actor: Actor,
  request: PatchRequest,
  ports: OperationPorts,
): Promise<Application> {
  await readApplication(request, ports);
  const ref = objectRefOf(request, ports);
  const patch = { type: request.type, body: request.body } as const;
  const options = { signal: request.signal, fieldManager: 'tiphys' };
  const outcome = await ports.kube.patch(ref, patch, { ...options, dryRun: true });
  requireNoProblems(`application ${request.name}`, parseApplication(outcome, { mode: 'read' }).problems);
  const application = typed(await ports.kube.patch(ref, patch, options));
  await tellIntent(
    actor,
    { application, reason: 'ResourceUpdated', what: 'patched application', signal: request.signal },
    ports,
  );
  return application;
}
