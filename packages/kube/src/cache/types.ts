import type { KubeObject } from '@tiphys/api';
import type { ApiResource, Scope } from '../client/types.ts';

/** What is kept of an object. Run while decoding; the object itself is not kept. Must not hold parts of it that it does not need. */
export type Projection<T> = (object: KubeObject) => T;

/** An object within one resource; `namespace` is empty for cluster-scoped kinds. */
export type CacheKey = Readonly<{ namespace: string; name: string }>;

export type CacheChange<T> = Readonly<
  | { kind: 'added'; key: CacheKey; after: T }
  | { kind: 'updated'; key: CacheKey; before: T; after: T }
  | { kind: 'deleted'; key: CacheKey; before: T }
>;

export type CacheOptions<T> = Scope &
  Readonly<{
    resource: ApiResource;
    project: Projection<T>;
    /** For each index, the values under which an entry is found. */
    indices?: Readonly<Record<string, (entry: T) => readonly string[]>> | undefined;
    pageSize?: number | undefined;
    /** Delays between attempts after an error: first and largest (500 and 30,000), jittered. */
    backoff?: Readonly<{ firstMs: number; maxMs: number }> | undefined;
  }>;

/** The objects of one resource as projected entries, kept up to date by list and watch, whatever happens to link or server. */
export interface ObjectCache<T> extends AsyncDisposable {
  /** As it is followed now: another version than at first when the server has stopped to serve that. */
  readonly resource: ApiResource;
  get(key: CacheKey): T | undefined;
  list(namespace?: string): T[];
  /** Entries under a value of a declared index. */
  byIndex(index: string, value: string): T[];
  /** Changes in order, after the cache shows them; the first list counts as `added`. Returns the way to stop listening. */
  onChange(listener: (change: CacheChange<T>) => void): () => void;
  /** Each error that interrupts the list or the watch; it goes on by itself. Returns the way to stop listening. */
  onError(listener: (error: Error) => void): () => void;
  /** Resolves when the first list is in; rejects only when the cache is stopped before that. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  readonly size: number;
  /** Of the last list, event or bookmark; opaque. */
  readonly resourceVersion: string;
  /** Why the cache is behind now; undefined while its watch runs. */
  readonly lastError: Error | undefined;
  stop(): Promise<void>;
}
