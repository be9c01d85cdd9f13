import { type Application, type KubeObject, timeText } from '@tiphys/api';
import type { Actor, Cancelable, OperationPorts } from './actor.ts';

/** Reasons of the events on Applications (contract 3.12). */
export type EventReason =
  | 'StatusRefreshed'
  | 'ResourceCreated'
  | 'ResourceUpdated'
  | 'ResourceDeleted'
  | 'OperationStarted'
  | 'OperationCompleted'
  | 'DeletionSkipped';

export type ApplicationEvent = Readonly<{ type: 'Normal' | 'Warning'; reason: EventReason; message: string }>;

const maxMessageLength = 1024;

/** The Event object that tells something of an application. `serial` tells two of one millisecond apart. */
export function eventObject(
  { apiVersion, kind, metadata }: Readonly<Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>>,
  { type, reason, message }: ApplicationEvent,
  { component, now, serial }: Readonly<{ component: string; now: Date; serial: string }>,
): KubeObject {
  const { name = '', namespace = '', uid, resourceVersion } = metadata;
  const stamp = timeText(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 200)}.${now.getTime().toString(16)}${serial}`, namespace },
    involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
    type,
    reason,
    message: message.slice(0, maxMessageLength),
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
    firstTimestamp: stamp,
    lastTimestamp: stamp,
    count: 1,
  };
}

const component = 'argocd-server';
const patienceMs = 2_000;

/**
 * Leaves an event that tells who did what to an application. Best effort: whoever may change applications need not be allowed to
 * write events, and an intent that was carried out does not fail for it.
 */
export async function tellIntent(
  { username }: Actor,
  told: Cancelable & Readonly<{ application: Application; reason: EventReason; what: string }>,
  { kube, clock }: OperationPorts,
): Promise<void> {
  const { application, reason, what, signal } = told;
  const { apiVersion, kind, metadata } = application;
  const message = `${username === '' ? 'Unknown user' : username} ${what}`;
  const serial = Math.floor(Math.random() * 0x10000).toString(16);
  const event = eventObject(
    { apiVersion, kind, metadata },
    { type: 'Normal', reason, message },
    { component, now: clock.now(), serial },
  );
  await kube.create(event, { signal, timeoutMs: patienceMs }).catch(() => undefined);
}
