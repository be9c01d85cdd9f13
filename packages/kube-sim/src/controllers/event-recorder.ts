import { at, type KubeObject } from '@tiphys/api';
import { ownWrite, timeText, type Cluster } from '../server/cluster.ts';
import { randomSuffix } from '../server/names.ts';
import { createObject } from '../server/operations/create.ts';
import type { Place } from '../store/place.ts';

/** What happened to an object, for `kubectl describe`. */
export type EventText = Readonly<{ type: 'Normal' | 'Warning'; reason: string; message: string; component: string }>;

/** Of so many texts it is remembered where they are counted; of older ones a new event is made. */
const maxRemembered = 4000;

const resource = 'events';

/** Writes events about objects; the same text about the same object only counts up. */
export class EventRecorder {
  readonly #cluster: Cluster;
  readonly #written = new Map<string, Place>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  record(about: KubeObject, text: EventText): void {
    const key = `${about.metadata.uid ?? ''} ${text.reason} ${text.message}`;
    const place = this.#written.get(key);
    const known = place === undefined ? undefined : this.#cluster.store.get(place);
    if (known === undefined) this.#create(key, about, text);
    else this.#countUp(known);
  }

  #countUp(event: KubeObject): void {
    const seen = typeof event['count'] === 'number' ? event['count'] : 1;
    const lastTimestamp = timeText(this.#cluster.clock.now());
    this.#cluster.store.put(resource, { ...event, count: seen + 1, lastTimestamp });
  }

  #create(key: string, about: KubeObject, text: EventText): void {
    const { types, store, clock, random } = this.#cluster;
    const namespace = about.metadata.namespace ?? 'default';
    const type = types.at('', 'v1', 'events');
    const home = store.get({ resource: 'namespaces', namespace: '', name: namespace });
    if (type === undefined || at(home, 'status', 'phase') !== 'Active') return;
    const unique = clock.now().getTime().toString(16) + randomSuffix(random);
    const name = `${(about.metadata.name ?? '').slice(0, 200)}.${unique}`;
    const object = this.#object(about, text, { name, namespace });
    createObject(this.#cluster, { type, namespace, name }, { object, options: ownWrite(text.component) });
    this.#written.set(key, { resource, namespace, name });
    if (this.#written.size > maxRemembered) this.#forgetOldest();
  }

  #object(about: KubeObject, text: EventText, metadata: { name: string; namespace: string }): KubeObject {
    const now = timeText(this.#cluster.clock.now());
    const { namespace, name, uid, resourceVersion } = about.metadata;
    const { apiVersion, kind } = about;
    const { type, reason, message, component } = text;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata,
      involvedObject: {
        apiVersion,
        kind,
        name: name ?? '',
        ...(namespace !== undefined && { namespace }),
        uid: uid ?? '',
        resourceVersion: resourceVersion ?? '',
      },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
  }

  #forgetOldest(): void {
    const [oldest] = this.#written.keys();
    if (oldest !== undefined) this.#written.delete(oldest);
  }
}
