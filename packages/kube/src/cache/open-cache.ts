import { formatApiVersion, isCoded, listAt, messageOf, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import { resourcePath } from '../client/resource-path.ts';
import type { ApiResource, ClientPorts, KubeClient } from '../client/types.ts';
import { Store } from './store.ts';
import type { CacheChange, CacheKey, CacheOptions, ObjectCache } from './types.ts';

const defaultBackoff = { firstMs: 500, maxMs: 30_000 };

/** A stream that ends so soon and brought nothing counts as failed: otherwise a broken proxy makes us spin. */
const shortStreamMs = 1_000;

const keyOfMeta = ({ metadata }: KubeObject): CacheKey => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** How a cache stands, for its reflector. */
type State = {
  /** As it is served now: a kind may change its version. */
  resource: ApiResource;
  resourceVersion: string;
  lastError: Error | undefined;
  failures: number;
  /** What is kept was projected from another version. */
  outdated: boolean;
};

type Reflector<T> = Readonly<{
  client: KubeClient;
  options: CacheOptions<T>;
  ports: ClientPorts;
  store: Store<T>;
  state: State;
  signal: AbortSignal;
  onSynced: () => void;
  onError: (error: Error) => void;
}>;

function upsert<T>({ store, options, state }: Reflector<T>, object: KubeObject): void {
  const key = keyOfMeta(object);
  const version = object.metadata.resourceVersion ?? '';
  if (state.outdated || !store.has(key, version)) store.put(key, options.project(object), version);
}

/** Lists everything and drops what is no longer there. */
async function relist<T>(reflector: Reflector<T>, pageSize: number | undefined): Promise<void> {
  const { client, options, store, state, signal } = reflector;
  const { namespace, labelSelector, fieldSelector, metadataOnly } = options;
  const seen = new Map<string, Set<string>>();
  const scope = { namespace, labelSelector, fieldSelector, metadataOnly, pageSize, signal };
  const { resourceVersion } = await client.listEach(state.resource, scope, (object) => {
    const key = keyOfMeta(object);
    const names = seen.get(key.namespace);
    if (names === undefined) seen.set(key.namespace, new Set([key.name]));
    else names.add(key.name);
    upsert(reflector, object);
  });
  store.keepOnly(seen);
  state.resourceVersion = resourceVersion;
  state.outdated = false;
}

async function listAgain<T>(reflector: Reflector<T>): Promise<void> {
  const { options } = reflector;
  try {
    await relist(reflector, options.pageSize);
  } catch (error) {
    // The snapshot was compacted away between two pages: one page needs no snapshot.
    if (!isCoded(error, 'kube/expired')) throw error;
    await relist(reflector, 0);
  }
  reflector.state.lastError = undefined;
  reflector.onSynced();
}

/** Follows one watch stream to its end. */
async function follow<T>(reflector: Reflector<T>): Promise<void> {
  const { client, options, store, state, signal, ports } = reflector;
  const { namespace, labelSelector, fieldSelector, metadataOnly } = options;
  const scope = { namespace, labelSelector, fieldSelector, metadataOnly, signal };
  const openedAt = ports.clock.now().getTime();
  let events = 0;
  const onOpen = (): void => {
    state.lastError = undefined;
  };
  const watchOptions = { ...scope, resourceVersion: state.resourceVersion, onOpen };
  for await (const event of client.watch(state.resource, watchOptions)) {
    events += 1;
    state.failures = 0;
    if (event.type === 'deleted') store.remove(keyOfMeta(event.object));
    else if (event.type !== 'bookmark') upsert(reflector, event.object);
    if (event.resourceVersion !== '') state.resourceVersion = event.resourceVersion;
  }
  if (events === 0 && ports.clock.now().getTime() - openedAt < shortStreamMs)
    throw new Error('the watch ended at once and brought nothing');
}

/**
 * Whether the server knows our resourceVersion. One that was restored from a backup or started afresh may be behind it, and
 * would keep a watch silent until it has caught up. Asked for no object at all, so that the answer is small.
 */
async function isVersionKnown<T>({ client, options, state, signal }: Reflector<T>): Promise<boolean> {
  const answer = await client.request({
    method: 'GET',
    path: resourcePath(state.resource, { namespace: options.namespace }),
    query: {
      fieldSelector: 'metadata.name=-',
      resourceVersion: state.resourceVersion,
      resourceVersionMatch: 'NotOlderThan',
      limit: 1,
    },
    signal,
  });
  if (answer.status === 410) return false;
  if (answer.status !== 504) return true;
  const causes = listAt(parseJson(answer.body.toString()), 'details', 'causes');
  return !causes.some((cause) => stringAt(cause, 'reason') === 'ResourceVersionTooLarge');
}

/**
 * A kind that is served in another version, or in another scope, is followed there. One that was taken away has no objects; one
 * whose group cannot be asked at present keeps them.
 */
async function lookForKind<T>({ client, state, store, signal, onSynced }: Reflector<T>): Promise<void> {
  const { resource } = state;
  const { find, byGroupKind, failedGroups } = await client.discovery({ fresh: true, signal });
  const same = find(resource);
  if (same === undefined && failedGroups.includes(formatApiVersion(resource.group, resource.version))) return;
  const served = same ?? byGroupKind(resource);
  if (served === undefined) {
    store.keepOnly(new Map());
    onSynced();
    return;
  }
  state.outdated ||= served.version !== resource.version;
  state.resource = served;
}

async function recover<T>(reflector: Reflector<T>, error: unknown): Promise<void> {
  const { state, options, ports, signal } = reflector;
  if (isCoded(error, 'kube/expired')) {
    state.resourceVersion = '';
    state.failures += 1;
    // The first time it is what happens after a long silence; list at once.
    if (state.failures === 1) return;
  } else state.failures += 1;
  state.lastError = error instanceof Error ? error : new Error(String(error));
  const { firstMs, maxMs } = options.backoff ?? defaultBackoff;
  const delayMs = Math.min(maxMs, firstMs * 2 ** Math.min(state.failures - 1, 16)) * (0.5 + Math.random() / 2);
  reflector.onError(state.lastError);
  const { group, kind } = options.resource;
  ports.log.warn('watch interrupted', { group, kind, delayMs, failures: state.failures, error: messageOf(error) });
  await ports.clock.sleep(delayMs, signal);
  if (isCoded(error, 'kube/not-found', 'kube/kind-not-found')) {
    state.resourceVersion = '';
    await lookForKind(reflector);
  } else if (state.resourceVersion !== '' && !(await isVersionKnown(reflector))) state.resourceVersion = '';
}

async function reflect<T>(reflector: Reflector<T>): Promise<void> {
  const { state, signal } = reflector;
  let error: unknown;
  while (!signal.aborted) {
    try {
      if (error !== undefined) {
        const last = error;
        error = undefined;
        await recover(reflector, last);
      }
      if (state.resourceVersion === '') await listAgain(reflector);
      await follow(reflector);
    } catch (thrown) {
      error = thrown;
    }
  }
}

/**
 * Opens a cache; it lists at once and watches until stopped. Neither a broken link, nor a server that restarts, nor an expired
 * version ends it: it goes on from the last version, or lists anew and tells the differences.
 */
export function openCache<T>(client: KubeClient, options: CacheOptions<T>, ports: ClientPorts): ObjectCache<T> {
  const listeners = new Set<(change: CacheChange<T>) => void>();
  const emit = (change: CacheChange<T>): void => {
    for (const listener of [...listeners]) {
      try {
        listener(change);
      } catch (error) {
        ports.log.error('a cache listener failed', { kind: options.resource.kind, error: messageOf(error) });
      }
    }
  };
  const store = new Store<T>({ indices: options.indices ?? {}, emit });
  const errorListeners = new Set<(error: Error) => void>();
  const onError = (error: Error): void => {
    for (const listener of [...errorListeners]) listener(error);
  };
  const state: State = {
    resource: options.resource,
    resourceVersion: '',
    lastError: undefined,
    failures: 0,
    outdated: false,
  };
  const stopping = new AbortController();
  const synced = Promise.withResolvers<undefined>();
  let isSynced = false;
  const onSynced = (): void => {
    isSynced = true;
    synced.resolve(undefined);
  };
  const running = reflect({ client, options, ports, store, state, signal: stopping.signal, onSynced, onError });
  // Nobody may be waiting when it is stopped early.
  synced.promise.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('the cache is stopped'));
    await running;
    synced.reject(new Error('the cache was stopped before its first list was in'));
    listeners.clear();
    errorListeners.clear();
  };
  return {
    get resource() {
      return state.resource;
    },
    get: (key) => store.get(key),
    list: (namespace) => store.list(namespace),
    byIndex: (index, value) => store.byIndex(index, value),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onError: (listener) => {
      errorListeners.add(listener);
      return () => errorListeners.delete(listener);
    },
    synced: synced.promise,
    get isSynced() {
      return isSynced;
    },
    get size() {
      return store.size;
    },
    get resourceVersion() {
      return state.resourceVersion;
    },
    get lastError() {
      return state.lastError;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
