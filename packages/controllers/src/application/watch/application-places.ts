import { canonicalJson, type Logger, messageOf } from '@tiphys/api';
import type { CacheChange, CacheKey, ObjectCache } from '@tiphys/kube';
import { compileGlob } from '@tiphys/language';

/** Whose Applications count: those of the control plane's namespace, and of the namespaces that match `application.namespaces`. */
export type ApplicationPlaces = Readonly<{ own: string; others: readonly string[] }>;

/** A cache that shows only what lies in places that count, and may be told of others while it runs. */
export interface PlacedCache<T> extends AsyncDisposable {
  /** Resolves when the places of the start are known. */
  readonly synced: Promise<void>;
  get(key: CacheKey): T | undefined;
  keys(): CacheKey[];
  /** Globs of other namespaces, from now on. Nothing that counts is missed meanwhile. */
  follow(others: readonly string[]): void;
}

export type PlacedPorts<T> = Readonly<{
  keyOf: (entry: T) => CacheKey;
  /** Opens a cache of one namespace, or of all. */
  open: (namespace: string | undefined) => ObjectCache<T>;
  changed: (change: CacheChange<T>) => void;
  /** Objects that may have come or gone because other places count. */
  moved: (keys: readonly CacheKey[]) => void;
  log: Logger;
}>;

type Opened<T> = Readonly<{ scope: string | undefined; cache: ObjectCache<T> }>;

class Places<T> implements PlacedCache<T> {
  readonly #ports: PlacedPorts<T>;
  readonly #own: string;
  #others: readonly string[];
  #matchers: readonly ((namespace: string) => boolean)[];
  #now: Opened<T>;
  /** The cache of another scope, while it is being filled. */
  #next: Opened<T> | undefined;

  constructor({ own, others }: ApplicationPlaces, ports: PlacedPorts<T>) {
    this.#ports = ports;
    this.#own = own;
    this.#others = others;
    this.#matchers = others.map((glob) => compileGlob(glob));
    this.#now = this.#open();
    this.#listen(this.#now);
  }

  get synced(): Promise<void> {
    return this.#now.cache.synced;
  }

  get(key: CacheKey): T | undefined {
    return this.#counts(key.namespace) ? this.#now.cache.get(key) : undefined;
  }

  keys(): CacheKey[] {
    return this.#allKeys().filter(({ namespace }) => this.#counts(namespace));
  }

  follow(others: readonly string[]): void {
    if (canonicalJson(others) === canonicalJson(this.#others)) return;
    this.#others = others;
    this.#matchers = others.map((glob) => compileGlob(glob));
    if ((this.#next ?? this.#now).scope !== this.#scope) this.#rescope();
    this.#ports.moved(this.#allKeys());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await Promise.all([this.#now.cache.stop(), next?.cache.stop()]);
  }

  /** The one namespace to look at; undefined: all of them, because patterns can match any. */
  get #scope(): string | undefined {
    return this.#others.length === 0 ? this.#own : undefined;
  }

  #open(): Opened<T> {
    return { scope: this.#scope, cache: this.#ports.open(this.#scope) };
  }

  #counts(namespace: string): boolean {
    return namespace === this.#own || this.#matchers.some((matches) => matches(namespace));
  }

  #allKeys(): CacheKey[] {
    return this.#now.cache.list().map((entry) => this.#ports.keyOf(entry));
  }

  #listen(opened: Opened<T>): void {
    opened.cache.onChange((change) => {
      if (this.#now === opened && this.#counts(change.key.namespace)) this.#ports.changed(change);
    });
  }

  /** Goes over to the cache of another scope once it is filled; until then the present one goes on. */
  #rescope(): void {
    void this.#next?.cache.stop();
    this.#next = undefined;
    if (this.#now.scope === this.#scope) return;
    const wanted = this.#open();
    this.#next = wanted;
    this.#listen(wanted);
    wanted.cache.synced
      .then(() => {
        if (this.#next !== wanted) return;
        const before = this.#allKeys();
        void this.#now.cache.stop();
        this.#now = wanted;
        this.#next = undefined;
        this.#ports.moved([...before, ...this.#allKeys()]);
      })
      .catch((error: unknown) => {
        // Stopped before it was filled: the namespaces changed again, or the controller ends.
        this.#ports.log.debug('namespaces of applications not followed', { error: messageOf(error) });
      });
  }
}

export const openPlacedCache = <T>(places: ApplicationPlaces, ports: PlacedPorts<T>): PlacedCache<T> =>
  new Places(places, ports);
