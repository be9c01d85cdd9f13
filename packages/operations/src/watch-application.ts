import { type Application, applicationResource, CodedError, isCoded } from '@tiphys/api';
import type { ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
import { objectRefOf, typed } from './stored-application.ts';

/**
 * An application as it is and each time it changes, undefined when it is not there. Ends only by the signal, whose reason it
 * throws; a watch that the server ends or lost is taken up again.
 */
export async function* watchApplication(
  request: ApplicationRef & Cancelable,
  ports: OperationPorts,
): AsyncGenerator<Application | undefined, never> {
  const { name, namespace } = objectRefOf(request, ports);
  const scope = { namespace, fieldSelector: `metadata.name=${name}` };
  const { signal } = request;
  for (;;) {
    const { items, resourceVersion } = await ports.kube.list(applicationResource, { ...scope, signal });
    const [found] = items;
    yield found === undefined ? undefined : typed(found);
    try {
      for await (const event of ports.kube.watch(applicationResource, { ...scope, resourceVersion, signal }))
        if (event.type === 'deleted') yield undefined;
        else if (event.type !== 'bookmark') yield typed(event.object);
    } catch (error) {
      if (!isCoded(error, 'kube/expired', 'kube/timeout', 'kube/unreachable') || signal?.aborted === true) throw error;
    }
    signal?.throwIfAborted();
    // A server that ends every watch at once must not be asked without pause.
    await ports.clock.sleep(200, signal);
  }
}

/** How long to wait and for what; `waitingFor` stands in the message when it takes too long. */
export type WaitRequest = ApplicationRef &
  Cancelable &
  Readonly<{
    timeoutMs: number;
    until: (application: Application | undefined) => boolean;
    waitingFor: string;
    /** Sees every state on the way, the last one included. */
    onState?: (application: Application | undefined) => void;
  }>;

/**
 * Waits until an application is as wanted, and gives that state.
 * @throws CodedError operation/timeout
 */
export async function waitForApplication(
  request: WaitRequest,
  ports: OperationPorts,
): Promise<Application | undefined> {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  try {
    for await (const application of watchApplication({ ...request, signal }, ports)) {
      request.onState?.(application);
      if (request.until(application)) return application;
    }
  } catch (error) {
    if (!deadline.aborted || request.signal?.aborted === true) throw error;
  }
  const seconds = Math.round(request.timeoutMs / 1000);
  throw new CodedError(
    'operation/timeout',
    `timed out after ${seconds} s waiting for application ${request.name}: ${request.waitingFor}`,
  );
}
