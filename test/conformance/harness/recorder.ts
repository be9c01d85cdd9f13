import type { GroupVersionKind, KubeObject } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

export type Recorded = Readonly<{ at: bigint; type: 'created' | 'deleted'; id: string; object: KubeObject }>;

/**
 * What is created and deleted in a namespace, in the order in which the API server did it: one counter numbers the
 * changes of all kinds, so two watches can be merged by it.
 */
export class Recorder {
  readonly #events: Recorded[] = [];
  readonly #stop = new AbortController();

  static async start(client: KubeClient, namespace: string, kinds: readonly GroupVersionKind[]): Promise<Recorder> {
    const recorder = new Recorder();
    for (const kind of kinds) {
      const resource = await client.resourceFor(kind);
      const { resourceVersion } = await client.list(resource, { namespace });
      void recorder.#follow(client.watch(resource, { namespace, resourceVersion, signal: recorder.#stop.signal }));
    }
    return recorder;
  }

  async #follow(events: ReturnType<KubeClient['watch']>): Promise<void> {
    try {
      for await (const event of events) {
        if (event.type === 'bookmark' || event.type === 'modified') continue;
        const { object } = event;
        const type = event.type === 'added' ? 'created' : 'deleted';
        const id = `${object.kind}/${object.metadata.name ?? ''}`;
        this.#events.push({ at: BigInt(event.resourceVersion), type, id, object });
      }
    } catch {
      // The test has ended, or misses what it waits for and says so.
    }
  }

  get events(): readonly Recorded[] {
    return this.#events.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  }

  /** `Kind/name` of what was created, in order. */
  get created(): string[] {
    return this.events.filter(({ type }) => type === 'created').map(({ id }) => id);
  }

  get deleted(): string[] {
    return this.events.filter(({ type }) => type === 'deleted').map(({ id }) => id);
  }

  stop(): void {
    this.#stop.abort();
  }
}
