import {
  type Application,
  describeKey,
  keyOf,
  type KubeObject,
  silentLogger,
  type TrackingSettings,
} from '@tiphys/api';
import type { WriteContext } from '@tiphys/engine';
import type { KubeClient } from '@tiphys/kube';
import { type Actor, type Cancelable, type OperationPorts, refused } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { instanceName } from './comparison-request.ts';

/** What is to become of one live object. `manner`: with what it owns, without it, or at once, whatever it was about to finish. */
export type ResourceChange = Readonly<
  | { kind: 'delete'; manner: 'with-owned' | 'without-owned' | 'at-once' }
  | { kind: 'patch'; type: 'merge' | 'json' | 'strategic'; body: unknown }
>;

export type ChangeResourceRequest = Cancelable &
  Readonly<{
    application: Application;
    live: KubeObject;
    change: ResourceChange;
    /** Of the application's cluster, with the rights of whoever asks. */
    client: KubeClient;
    tracking: TrackingSettings;
  }>;

type Manner = Extract<ResourceChange, { kind: 'delete' }>['manner'];

const manners: Readonly<Record<Manner, Pick<WriteContext, 'propagation' | 'gracePeriodSeconds'>>> = {
  'with-owned': { propagation: 'Foreground' },
  'without-owned': { propagation: 'Orphan' },
  'at-once': { propagation: 'Background', gracePeriodSeconds: 0 },
};

const toldAs = {
  delete: { reason: 'ResourceDeleted', what: 'deleted resource' },
  patch: { reason: 'ResourceUpdated', what: 'patched resource' },
} as const;

/**
 * Deletes or patches a live object of an application for a person. It goes through the one writer as every change of a managed
 * cluster does: only what carries the application's mark is touched. Automated sync may bring back what was changed.
 * @throws CodedError operation/refused with the API server's words
 */
export async function changeResource(
  actor: Actor,
  request: ChangeResourceRequest,
  ports: OperationPorts,
): Promise<void> {
  const { application, live, change, client, tracking, signal = new AbortController().signal } = request;
  // Loaded here only: most commands never write to a managed cluster.
  const { openClusterWriter, writeContextWithoutPlan } = await import('@tiphys/engine');
  const writer = openClusterWriter(
    // No Lease fences a person's own write: what they may do is what their credentials say.
    { client, clock: ports.clock, log: silentLogger, record: () => undefined, mayWrite: () => undefined },
    { cluster: client.server, tracking, readOnly: false, maxPrune: undefined },
  );
  const who = {
    application: instanceName(application, ports.namespace),
    revision: '',
    initiatedBy: actor.username,
    signal,
  };
  const context = writeContextWithoutPlan(who);
  const written =
    change.kind === 'delete'
      ? await writer.remove(live, { ...context, ...manners[change.manner] })
      : await writer.patch(live, { type: change.type, body: change.body }, context);
  if (written.kind === 'failed') throw refused(written.message);
  const { reason, what } = toldAs[change.kind];
  await tellIntent(actor, { application, reason, what: `${what} ${describeKey(keyOf(live))}`, signal }, ports);
}
