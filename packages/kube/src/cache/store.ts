import type { CacheChange, CacheKey } from './types.ts';

type Entry<T> = { readonly value: T; readonly resourceVersion: string };

export type StoreOptions<T> = Readonly<{
  indices: Readonly<Record<string, (entry: T) => readonly string[]>>;
  emit: (change: CacheChange<T>) => void;
}>;

const indexKey = ({ namespace, name }: CacheKey): string => `${namespace}/${name}`;

/** One declared index: value -> the entries found under it. */
class Index<T> {
  readonly #valuesOf: (entry: T) => readonly string[];
  readonly #byValue = new Map<string, Map<string, T>>();

  constructor(valuesOf: (entry: T) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  add(key: CacheKey, entry: T): void {
    for (const value of this.#valuesOf(entry)) {
      const under = this.#byValue.get(value);
      if (under === undefined) this.#byValue.set(value, new Map([[indexKey(key), entry]]));
      else under.set(indexKey(key), entry);
    }
  }

  remove(key: CacheKey, entry: T): void {
    for (const value of this.#valuesOf(entry)) {
      const under = this.#byValue.get(value);
      under?.delete(indexKey(key));
      if (under?.size === 0) this.#byValue.delete(value);
    }
  }

  at(value: string): T[] {
    return [...(this.#byValue.get(value)?.values() ?? [])];
  }
}

/** The entries of a cache: by namespace and name, and by each declared index. Tells every change once it is visible. */
export class Store<T> {
  // Nested by namespace so that no joined key is kept for each entry.
  readonly #byNamespace = new Map<string, Map<string, Entry<T>>>();
  readonly #indices: ReadonlyMap<string, Index<T>>;
  readonly #emit: (change: CacheChange<T>) => void;
  #size = 0;

  constructor({ indices, emit }: StoreOptions<T>) {
    this.#indices = new Map(Object.entries(indices).map(([name, valuesOf]) => [name, new Index(valuesOf)]));
    this.#emit = emit;
  }

  get size(): number {
    return this.#size;
  }

  get({ namespace, name }: CacheKey): T | undefined {
    return this.#byNamespace.get(namespace)?.get(name)?.value;
  }

  list(namespace?: string): T[] {
    const spaces = namespace === undefined ? this.#byNamespace.values() : [this.#byNamespace.get(namespace)];
    return [...spaces].flatMap((space) => (space === undefined ? [] : [...space.values()].map(({ value }) => value)));
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indices.get(index);
    if (found === undefined) throw new RangeError(`the cache declares no index "${index}"`);
    return found.at(value);
  }

  /** Whether the entry is already there in this version: then it need not even be projected. */
  has({ namespace, name }: CacheKey, resourceVersion: string): boolean {
    return this.#byNamespace.get(namespace)?.get(name)?.resourceVersion === resourceVersion && resourceVersion !== '';
  }

  put(key: CacheKey, after: T, resourceVersion: string): void {
    let space = this.#byNamespace.get(key.namespace);
    if (space === undefined) {
      space = new Map();
      this.#byNamespace.set(key.namespace, space);
    }
    const before = space.get(key.name);
    space.set(key.name, { value: after, resourceVersion });
    for (const index of this.#indices.values()) {
      if (before !== undefined) index.remove(key, before.value);
      index.add(key, after);
    }
    if (before === undefined) this.#size += 1;
    this.#emit(
      before === undefined ? { kind: 'added', key, after } : { kind: 'updated', key, before: before.value, after },
    );
  }

  remove(key: CacheKey): void {
    const space = this.#byNamespace.get(key.namespace);
    const before = space?.get(key.name);
    if (space === undefined || before === undefined) return;
    space.delete(key.name);
    if (space.size === 0) this.#byNamespace.delete(key.namespace);
    this.#size -= 1;
    for (const index of this.#indices.values()) index.remove(key, before.value);
    this.#emit({ kind: 'deleted', key, before: before.value });
  }

  /** Removes what a complete list did not show. `seen` holds names by namespace. */
  keepOnly(seen: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const [namespace, space] of [...this.#byNamespace])
      for (const name of [...space.keys()])
        if (seen.get(namespace)?.has(name) !== true) this.remove({ namespace, name });
  }
}
