import type { KubeObject } from '@tiphys/api';
import { History, type StoreEvent } from './history.ts';
import type { Place } from './place.ts';
import { OwnerIndex } from './owner-index.ts';
import { SortedList } from './sorted-list.ts';
import { memoryJournal, type Journal } from './journal.ts';

export type StoreSettings = Readonly<{
  /** How many changes are kept for watches and for consistent pages; older versions answer 410. */
  historyLength: number;
}>;

export const defaultStoreSettings: StoreSettings = { historyLength: 20_000 };

type Collection = {
  readonly byKey: Map<string, KubeObject>;
  /** The objects in key order. */
  readonly sorted: SortedList;
  readonly byNamespace: Map<string, SortedList>;
};

const keyIn = (namespace: string, name: string): string => (namespace === '' ? name : `${namespace}/${name}`);

const keyOfObject = (object: KubeObject): string => keyIn(object.metadata.namespace ?? '', object.metadata.name ?? '');

const byKeyOrder = (a: KubeObject, b: KubeObject): number => {
  const [left, right] = [keyOfObject(a), keyOfObject(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

/**
 * All objects of the cluster, in memory, with one revision counter over everything (as etcd has it).
 * Objects are immutable values; each write gives the object the new revision as its resourceVersion.
 * Listeners hear of a change before the write returns, in the order of revisions.
 */
export class ObjectStore {
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #owners = new OwnerIndex();
  readonly #history: History;
  readonly #journal: Journal;
  #revision: number;

  constructor(journal: Journal = memoryJournal(), settings: StoreSettings = defaultStoreSettings) {
    this.#journal = journal;
    const restored = journal.restore();
    this.#revision = restored.revision;
    this.#history = new History(settings.historyLength, restored.revision);
    for (const { resource, object } of restored.objects) this.#set(resource, object);
  }

  /** The newest revision. */
  get revision(): number {
    return this.#revision;
  }

  get({ resource, namespace, name }: Place): KubeObject | undefined {
    return this.#collections.get(resource)?.byKey.get(keyIn(namespace, name));
  }

  /** Objects of a resource in key order; of one namespace when one is given. */
  list(resource: string, namespace = ''): readonly KubeObject[] {
    const collection = this.#collections.get(resource);
    if (collection === undefined) return [];
    return namespace === '' ? collection.sorted.all() : (collection.byNamespace.get(namespace)?.all() ?? []);
  }

  /** The list as it was at an earlier revision; undefined when the history does not reach back so far. */
  listAt(resource: string, revision: number): readonly KubeObject[] | undefined {
    if (revision >= this.#revision) return this.list(resource);
    const events = this.#history.since(revision);
    if (events === undefined) return undefined;
    const changed = events.filter((event) => event.resource === resource);
    if (changed.length === 0) return this.list(resource);
    const then = new Map(this.#collections.get(resource)?.byKey);
    for (const { object, previous } of changed.reverse()) {
      if (previous === undefined) then.delete(keyOfObject(object));
      else then.set(keyOfObject(previous), previous);
    }
    return [...then.values()].sort(byKeyOrder);
  }

  /** How many objects a resource has. */
  count(resource: string): number {
    return this.#collections.get(resource)?.byKey.size ?? 0;
  }

  /** Resources that have (or had) objects. */
  resources(): readonly string[] {
    return [...this.#collections.keys()];
  }

  /** Objects that name this uid as an owner. */
  ownedBy(uid: string): readonly KubeObject[] {
    return this.#owners.dependents(uid).flatMap((place) => this.get(place) ?? []);
  }

  /** Where the objects lie that name this uid as an owner. */
  dependents(uid: string): readonly Place[] {
    return this.#owners.dependents(uid);
  }

  /** The object with this uid. */
  withUid(uid: string): KubeObject | undefined {
    const place = this.#owners.place(uid);
    return place === undefined ? undefined : this.get(place);
  }

  /** Stores an object under its metadata's namespace and name and returns it with its new resourceVersion. */
  put(resource: string, object: KubeObject): KubeObject {
    const previous = this.#collections.get(resource)?.byKey.get(keyOfObject(object));
    const revision = ++this.#revision;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    this.#journal.put({ resource, object: stored, revision });
    this.#set(resource, stored);
    const type = previous === undefined ? 'ADDED' : 'MODIFIED';
    this.#publish({ type, resource, object: stored, previous, revision });
    return stored;
  }

  /**
   * Removes an object; the event carries its last state (`last` where it changed on the way out) with the revision of the
   * removal. Nothing happens when there is none.
   */
  remove(place: Place, last?: KubeObject): KubeObject | undefined {
    const previous = this.get(place);
    if (previous === undefined) return undefined;
    const revision = ++this.#revision;
    this.#journal.remove({ ...place, revision });
    this.#unset(place, previous);
    const final = last ?? previous;
    const object = { ...final, metadata: { ...final.metadata, resourceVersion: String(revision) } };
    this.#publish({ type: 'DELETED', resource: place.resource, object, previous, revision });
    return object;
  }

  /** Changes after a revision, oldest first; undefined when they are no longer all known. */
  since(revision: number): StoreEvent[] | undefined {
    return this.#history.since(revision);
  }

  /** Forgets the history: every older resourceVersion is expired from now on. */
  forgetHistory(): void {
    this.#history.forget(this.#revision);
  }

  /** Calls back on each change until the returned function is called. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#journal.close();
  }

  #publish(event: StoreEvent): void {
    this.#history.append(event);
    for (const listener of this.#listeners) listener(event);
  }

  #set(resource: string, object: KubeObject): void {
    const collection = this.#collection(resource);
    const { namespace = '', name = '' } = object.metadata;
    const key = keyIn(namespace, name);
    const previous = collection.byKey.get(key);
    collection.byKey.set(key, object);
    collection.sorted.put(object);
    const inNamespace = collection.byNamespace.get(namespace) ?? new SortedList();
    inNamespace.put(object);
    collection.byNamespace.set(namespace, inNamespace);
    this.#owners.replace({ resource, namespace, name }, previous, object);
  }

  #unset({ resource, namespace, name }: Place, previous: KubeObject): void {
    const collection = this.#collection(resource);
    collection.byKey.delete(keyIn(namespace, name));
    const inNamespace = collection.byNamespace.get(namespace);
    inNamespace?.remove(previous);
    if (inNamespace?.size === 0) collection.byNamespace.delete(namespace);
    collection.sorted.remove(previous);
    this.#owners.replace({ resource, namespace, name }, previous, undefined);
  }

  #collection(resource: string): Collection {
    const known = this.#collections.get(resource);
    if (known !== undefined) return known;
    const fresh: Collection = { byKey: new Map(), byNamespace: new Map(), sorted: new SortedList() };
    this.#collections.set(resource, fresh);
    return fresh;
  }
}
