import type { GroupVersionKind, KubeObject } from '@tiphys/api';
import type { ApiResource, KubeClient } from '@tiphys/kube';
import { until } from './until.ts';

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
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #resources: ApiResource[] = [];
  readonly #history: Recorded[] = [];
  /** The newest version of each object that is there, by its uid. */
  readonly #present = new Map<string, bigint>();
  readonly #stop = new AbortController();

  private constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  static async start(client: KubeClient, namespace: string, kinds: readonly GroupVersionKind[]): Promise<Recorder> {
    const recorder = new Recorder(client, namespace);
    for (const kind of kinds) {
      const resource = await client.resourceFor(kind);
      const { items, resourceVersion } = await client.list(resource, { namespace });
      recorder.#resources.push(resource);
      for (const { metadata } of items)
        recorder.#present.set(metadata.uid ?? '', BigInt(metadata.resourceVersion ?? 0));
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
        const at = BigInt(event.resourceVersion);
        this.#history.push({ at, type: types[event.type], id, object });
        if (event.type === 'deleted') this.#present.delete(object.metadata.uid ?? '');
        else this.#present.set(object.metadata.uid ?? '', at);
      }
    } catch {
      // The test has ended, or misses what it waits for and says so.
    }
  }

  /**
   * Waits until everything that the API server shows now has been recorded: a watch tells a moment later. What came and went
   * meanwhile is not seen in this way; see `until`.
   */
  async catchUp(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const namespace = this.#namespace;
    const lists = await Promise.all(this.#resources.map((resource) => this.#client.list(resource, { namespace })));
    const end = lists.map(({ resourceVersion }) => BigInt(resourceVersion)).reduce((a, b) => (a < b ? a : b));
    const listed = new Map(
      lists
        .flatMap(({ items }) => items)
        .map(({ metadata }) => [metadata.uid ?? '', BigInt(metadata.resourceVersion ?? 0)]),
    );
    await until('the recorder has caught up', () => {
      const gone = this.#history
        .filter(({ type }) => type === 'deleted')
        .map(({ object }) => object.metadata.uid ?? '');
      const late = [...listed].filter(([uid, at]) => (this.#present.get(uid) ?? -1n) < at && !gone.includes(uid));
      const extra = [...this.#present].filter(([uid, at]) => at <= end && !listed.has(uid));
      const count = late.length + extra.length;
      return Promise.resolve(count === 0 ? { is: true } : { seen: `${count} changes are not recorded yet` });
    });
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

  /** Waits for something to be recorded that is not there any more when the API server is asked. */
  async until(what: string, isSo: (recorder: Recorder) => boolean): Promise<void> {
    await until(what, () => Promise.resolve(isSo(this) ? { is: true } : { seen: this.created.join() }));
  }

  get deleted(): string[] {
    return this.events.filter(({ type }) => type === 'deleted').map(({ id }) => id);
  }

  stop(): void {
    this.#stop.abort();
  }
}
