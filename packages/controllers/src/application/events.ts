import { type Clock, type KubeObject, type Logger, messageOf } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

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

/** Writes events in the background. Best effort: a full queue or a refused event costs a log line, never a reconcile. */
export interface EventRecorder {
  record(application: KubeObject, event: ApplicationEvent): void;
  /** Resolves when all that was recorded so far is written or given up. */
  flush(): Promise<void>;
}

const component = 'argocd-application-controller';
const limits = { queued: 2000, messageLength: 1024, inFlight: 2 };

export function openEventRecorder(ports: Readonly<{ client: KubeClient; clock: Clock; log: Logger }>): EventRecorder {
  const queue: KubeObject[] = [];
  let serial = 0;
  const writing = new Set<Promise<void>>();

  const drain = async (): Promise<void> => {
    for (let event = queue.shift(); event !== undefined; event = queue.shift())
      try {
        await ports.client.create(event, { timeoutMs: 10_000 });
      } catch (error) {
        ports.log.debug('event not written', { reason: event.reason, error: messageOf(error) });
      }
  };

  return {
    record: (application, { type, reason, message }) => {
      if (queue.length >= limits.queued) {
        ports.log.warn('event dropped', { reason, queued: queue.length });
        return;
      }
      const { name = '', namespace = '', uid, resourceVersion } = application.metadata;
      const now = ports.clock.now().toISOString();
      serial += 1;
      queue.push({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: `${name.slice(0, 200)}.${ports.clock.now().getTime().toString(16)}${serial.toString(16)}`,
          namespace,
        },
        involvedObject: {
          apiVersion: application.apiVersion,
          kind: application.kind,
          name,
          namespace,
          uid,
          resourceVersion,
        },
        type,
        reason,
        message: message.slice(0, limits.messageLength),
        source: { component },
        reportingComponent: component,
        reportingInstance: component,
        firstTimestamp: now.replace(/\.\d+Z$/, 'Z'),
        lastTimestamp: now.replace(/\.\d+Z$/, 'Z'),
        count: 1,
      });
      if (writing.size >= limits.inFlight) return;
      const run = drain().finally(() => writing.delete(run));
      writing.add(run);
    },
    flush: async () => {
      await Promise.all(writing);
    },
  };
}
