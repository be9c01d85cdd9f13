import { type Application, CodedError, isCoded, isRecord, type KubeObject, parseApplication } from '@tiphys/api';
import type { ObjectRef } from '@tiphys/kube';
import type { ApplicationRef, Cancelable, OperationPorts } from './actor.ts';

const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' } as const;

/** Where an application is stored. */
export const objectRefOf = ({ name, namespace }: ApplicationRef, ports: OperationPorts): ObjectRef => ({
  gvk,
  name,
  namespace: namespace ?? ports.namespace,
});

/** What is stored, with its type; faults in it are the controller's to tell. */
export const typed = (object: KubeObject): Application => parseApplication(object, { mode: 'read' }).value;

const notFound = (ref: ObjectRef): CodedError =>
  new CodedError('operation/not-found', `application ${ref.namespace ?? ''}/${ref.name} not found`);

/** The application, or undefined when it is not there. */
export async function findApplication(
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
): Promise<Application | undefined> {
  const found = await ports.kube.get(objectRefOf(request, ports), { signal: request.signal });
  return found === undefined ? undefined : typed(found);
}

/** The application. @throws CodedError operation/not-found */
export async function readApplication(
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
): Promise<Application> {
  const found = await findApplication(request, ports);
  if (found === undefined) throw notFound(objectRefOf(request, ports));
  return found;
}

const maxAttempts = 6;

/**
 * Changes an application optimistically: `decide` sees what is stored and gives a merge patch (undefined: nothing to do); when
 * somebody else was faster it is asked again. `decide` throws to refuse.
 * @throws CodedError operation/not-found, kube/conflict after six lost races
 */
export async function updateApplication(
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
  decide: (application: Application) => unknown,
): Promise<Application> {
  for (let attempt = 1; ; attempt++) {
    const application = await readApplication(request, ports);
    const body = decide(application);
    if (!isRecord(body)) return application;
    try {
      return await patchOnce(request, ports, guarded(body, application));
    } catch (error) {
      if (!isCoded(error, 'kube/conflict') || attempt === maxAttempts) throw error;
      await ports.clock.sleep(2 ** attempt * 5 * (0.5 + Math.random()), request.signal);
    }
  }
}

/** The resourceVersion makes the API server refuse the patch when the object is no longer what was decided on. */
function guarded(body: Record<string, unknown>, { metadata }: Application): Record<string, unknown> {
  const changed = isRecord(body['metadata']) ? body['metadata'] : {};
  return { ...body, metadata: { ...changed, resourceVersion: metadata.resourceVersion } };
}

async function patchOnce(
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
  body: unknown,
): Promise<Application> {
  const patched = await ports.kube.patch(
    objectRefOf(request, ports),
    { type: 'merge', body },
    { signal: request.signal, fieldManager: 'tiphys' },
  );
  return typed(patched);
}
