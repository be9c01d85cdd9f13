import type { GroupVersionKind, KubeObject } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

export type Recorded = Readonly<{
  at: bigint;
  type: 'created' | 'changed' | 'deleted';
  id: string;
  object: KubeObject;
}>;

const types = { added: 'created', modified: 'changed', deleted: 'deleted' } as const;

/**
 * What is created and deleted in a namespace, in the order in which the API server did it: one counter numbers the
 * changes of all kinds, so two watches can be merged by it.
 */
export class Recorder {
  readonly #history: Recorded[] = [];
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
        if (event.type === 'bookmark') continue;
        const { object } = event;
        const id = `${object.kind}/${object.metadata.name ?? ''}`;
        this.#history.push({ at: BigInt(event.resourceVersion), type: types[event.type], id, object });
      }
    } catch {
      // The test has ended, or misses what it waits for and says so.
    }
  }

  /** Everything, in the order of the API server: what an object was made, became, and that it went. */
  get history(): readonly Recorded[] {
    return this.#history.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  }

  /** What was created and deleted. */
  get events(): readonly Recorded[] {
    return this.history.filter(({ type }) => type !== 'changed');
  }

  /** When an object first was so; undefined when it never was. */
  first(id: string, isSo: (object: KubeObject) => boolean = () => true): bigint | undefined {
    return this.history.find((one) => one.id === id && one.type !== 'deleted' && isSo(one.object))?.at;
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
