import { CodedError } from '@tiphys/api';
import { holdLease, isProcessGone, type KubeClient, type Lease, processIdentity } from '@tiphys/kube';
import { applicationResource } from '@tiphys/api';
import { controllerLease, describeObstacle, findObstacles, mayWrite } from './installation-guard.ts';
import type { ApplicationPorts, ApplicationSettings } from './ports.ts';

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

/** The right to write: nobody else works here, and the Lease is ours. */
export async function takeOwnership(
  ports: ApplicationPorts,
  settings: ApplicationSettings,
  signal: AbortSignal,
): Promise<Lease> {
  await requireOwnership(ports.client, settings, signal);
  const lease = await holdOwnLease(ports, settings.namespace, signal);
  lease.onLost(() =>
    ports.log.warn('lease lost; nothing is written until it is held again', { lease: controllerLease }),
  );
  return lease;
}
