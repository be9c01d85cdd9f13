import { type Clock, type KubeObject, type Logger, messageOf } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import { type ApplicationEvent, eventObject } from '@tiphys/operations';

/** Writes events in the background. Best effort: a full queue or a refused event costs a log line, never a reconcile. */
export interface EventRecorder {
  record(application: KubeObject, event: ApplicationEvent): void;
  /** Resolves when all that was recorded so far is written or given up. */
  flush(): Promise<void>;
}

const component = 'argocd-application-controller';
const limits = { queued: 2000, inFlight: 2 };

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
    record: (application, event) => {
      if (queue.length >= limits.queued) {
        ports.log.warn('event dropped', { reason: event.reason, queued: queue.length });
        return;
      }
      serial += 1;
      const how = { component, now: ports.clock.now(), serial: serial.toString(16) };
      queue.push(eventObject(application, event, how));
      if (writing.size >= limits.inFlight) return;
      const run = drain().finally(() => writing.delete(run));
      writing.add(run);
    },
    flush: async () => {
      await Promise.all(writing);
    },
  };
}
