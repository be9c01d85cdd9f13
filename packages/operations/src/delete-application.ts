import { type Application, cascadeFinalizers as finalizers, isCascading } from '@tiphys/api';
import type { Actor, ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { objectRefOf, updateApplication } from './stored-application.ts';

/** What becomes of the application's objects. `as-is`: what the finalizers on it say. */
export type Cascade = 'foreground' | 'background' | 'none' | 'as-is';

function finalizersFor({ metadata }: Application, cascade: Exclude<Cascade, 'as-is'>): readonly string[] | undefined {
  const present = metadata.finalizers ?? [];
  const others = present.filter((finalizer) => !isCascading(finalizer));
  if (cascade === 'none') return others.length === present.length ? undefined : others;
  const already =
    present.includes(finalizers[cascade]) ||
    (cascade === 'foreground' && present.includes(`${finalizers.foreground}/foreground`));
  return already ? undefined : [...others, finalizers[cascade]];
}

/**
 * Deletes an application: with `foreground` or `background` the controller first deletes its objects, with `none` they stay.
 * Resolves once the deletion is asked for. @throws CodedError operation/not-found
 */
export async function deleteApplication(
  actor: Actor,
  request: ApplicationRef & Cancelable & Readonly<{ cascade: Cascade }>,
  ports: OperationPorts,
): Promise<Application> {
  const { cascade } = request;
  const application = await updateApplication(request, ports, (stored) => {
    // Finalizers of an object that is being deleted can only be taken away.
    if (cascade === 'as-is' || (stored.metadata.deletionTimestamp !== undefined && cascade !== 'none'))
      return undefined;
    const wanted = finalizersFor(stored, cascade);
    return wanted === undefined ? undefined : { metadata: { finalizers: wanted } };
  });
  await ports.kube.delete(objectRefOf(request, ports), {
    signal: request.signal,
    preconditions: { uid: application.metadata.uid },
  });
  await tellIntent(
    actor,
    { application, reason: 'ResourceDeleted', what: 'deleted application', signal: request.signal },
    ports,
  );
  return application;
}
