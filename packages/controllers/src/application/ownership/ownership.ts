import { applicationResource, type Because, CodedError } from '@tiphys/api';
import { holdLease, isProcessGone, type KubeClient, type Lease, processIdentity } from '@tiphys/kube';
import type { ApplicationPorts, ApplicationSettings } from '../ports.ts';
import { controllerLease, describeObstacle, findObstacles, mayWrite } from './installation-guard.ts';
import { watchRivals } from './rivals.ts';

/** The right to write, which may go and come back. */
export interface Ownership extends AsyncDisposable {
  /** Why nothing may be written now, neither to a cluster nor to an Application; undefined while it may. */
  refusal(): Because | undefined;
  /** The right is there again. */
  onRegained(listener: () => void): void;
}

/** Starts only where nobody else works on the same objects. @throws CodedError operation/refused naming what was found */
async function requireOwnership(client: KubeClient, settings: ApplicationSettings, signal: AbortSignal): Promise<void> {
  const { namespace, takeOver } = settings;
  const { items: applications } = await client.list(applicationResource, { namespace, signal });
  const obstacles = await findObstacles(client, { namespace, applications }, signal);
  if (!mayWrite(obstacles, takeOver))
    throw new CodedError('operation/refused', `not started: ${obstacles.map(describeObstacle).join('; ')}`);
}

/** Waits for the Lease: of several controllers one works, the others stand by. A dead one of this machine is not waited for. */
async function holdOwnLease(ports: ApplicationPorts, namespace: string, signal: AbortSignal): Promise<Lease> {
  const identity = await processIdentity();
  const lease = holdLease(
    { client: ports.client, namespace, name: controllerLease, identity, isGone: isProcessGone },
    ports,
  );
  const { promise: held, resolve, reject } = Promise.withResolvers<void>();
  const late = (): void =>
    reject(
      new CodedError(
        'operation/conflict',
        `the Lease ${namespace}/${controllerLease} is held by ${lease.holder ?? 'another controller'}; it takes over when that one ends`,
      ),
    );
  const forget = lease.onHeld(() => resolve());
  signal.addEventListener('abort', late, { once: true });
  if (lease.held()) resolve();
  try {
    await held;
    return lease;
  } catch (error) {
    await lease.release();
    throw error;
  } finally {
    forget();
    signal.removeEventListener('abort', late);
  }
}

/** Waits for the right to write: nobody else works here, and the Lease is ours. @throws CodedError operation/refused, operation/conflict */
export async function takeOwnership(
  ports: ApplicationPorts,
  settings: ApplicationSettings,
  signal: AbortSignal,
): Promise<Ownership> {
  await requireOwnership(ports.client, settings, signal);
  await using undo = new AsyncDisposableStack();
  const lease = await holdOwnLease(ports, settings.namespace, signal);
  undo.defer(() => lease.release());
  const rivals = undo.use(await watchRivals(ports, signal));
  const lost = { code: 'lease-lost', message: `this process does not hold the Lease ${controllerLease}` };
  const refusal = (): Because | undefined => {
    if (!lease.held()) return lost;
    const [rival] = rivals.running();
    return rival === undefined ? undefined : { code: 'controller-running', message: describeObstacle(rival) };
  };
  const listeners: (() => void)[] = [];
  const tell = (): void => {
    const because = refusal();
    if (because === undefined) for (const listener of listeners) listener();
    else ports.log.warn('nothing is written for now', { because: because.code, message: because.message });
  };
  lease.onLost(tell);
  lease.onHeld(tell);
  rivals.onChange(tell);
  const held = undo.move();
  return {
    refusal,
    onRegained: (listener) => {
      listeners.push(listener);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
