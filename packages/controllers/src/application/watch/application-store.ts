import {
  type Application,
  applicationApiVersion,
  canonicalJson,
  type Clock,
  type KubeObject,
  type Logger,
  parseApplication,
  type Problem,
  type Warning,
} from '@tiphys/api';
import { openSeenVersions } from '@tiphys/engine';
import { type CacheChange, type CacheKey, type KubeClient, openCache } from '@tiphys/kube';
import { applicationResource } from '@tiphys/api';
import { type ApplicationPlaces, openPlacedCache } from './application-places.ts';

/** An Application as the store keeps it. An object that does not fit the schema is kept too: it is reported, never dropped. */
export type StoredApplication = Readonly<{
  /** `namespace/name`. */
  key: string;
  /** The object as it is in the cluster, without managed fields; patches are computed against it. */
  raw: KubeObject;
  /** `raw` with its type; only what has no problems may be acted on. */
  application: Application;
  problems: readonly Problem[];
  /** Unknown or odd, but no reason to stop. */
  warnings: readonly Warning[];
  /** The same as long as nothing changed that somebody else than the controller writes. */
  intent: string;
}>;

/** All Applications that count, with our own writes shown before the watch brings them. */
export interface ApplicationStore extends AsyncDisposable {
  readonly synced: Promise<void>;
  /** Globs of other namespaces whose Applications count from now on. */
  follow(others: readonly string[]): void;
  get(key: string): StoredApplication | undefined;
  keys(): string[];
  /** What the API server answered to a write of ours. */
  written(object: KubeObject): StoredApplication;
  /** Applications that appeared, went, or were changed by somebody else. */
  onIntent(listener: (key: string) => void): void;
}

/** How long a write of ours may wait for its watch event before the cache is believed again. */
const patienceMs = 10_000;

const queueKey = ({ namespace, name }: CacheKey): string => `${namespace}/${name}`;

/** Namespace and name in a `namespace/name`. */
export function placeOf(key: string): CacheKey {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

function store(object: KubeObject): StoredApplication {
  const { managedFields: _, ...metadata } = object.metadata;
  const raw: KubeObject = { ...object, apiVersion: applicationApiVersion, kind: 'Application', metadata };
  const { value, problems, warnings } = parseApplication(raw, { mode: 'read' });
  const { namespace = '', name = '', annotations, labels, finalizers, deletionTimestamp } = metadata;
  const { spec, operation } = raw;
  // Terminating is the one thing in a status that somebody else writes.
  const terminating = value.status?.operationState?.phase === 'Terminating';
  const intent = canonicalJson({ annotations, labels, finalizers, deletionTimestamp, spec, operation, terminating });
  return { key: queueKey({ namespace, name }), raw, application: value, problems, warnings, intent };
}

export function openApplicationStore(
  ports: Readonly<{ client: KubeClient; clock: Clock; log: Logger }>,
  places: ApplicationPlaces,
): ApplicationStore {
  const ours = new Map<string, Readonly<{ at: number; stored: StoredApplication }>>();
  const listeners: ((key: string) => void)[] = [];
  const shown = openSeenVersions();
  const tell = (key: string): void => {
    for (const listener of listeners) listener(key);
  };

  const arrived = (change: CacheChange<StoredApplication>): void => {
    const key = queueKey(change.key);
    const own = ours.get(key)?.stored;
    if (change.kind !== 'deleted') shown.add(key, change.after.raw.metadata.resourceVersion ?? '');
    if (change.kind === 'deleted') ours.delete(key);
    else if (own?.raw.metadata.resourceVersion === change.after.raw.metadata.resourceVersion) ours.delete(key);
    if (change.kind === 'updated' && change.before.intent === change.after.intent) return;
    // Our own write, told back to us: `written` has already replaced it.
    if (change.kind === 'updated' && own?.intent === change.after.intent) return;
    tell(key);
  };
  const cache = openPlacedCache<StoredApplication>(places, {
    open: (namespace) => openCache(ports.client, { resource: applicationResource, namespace, project: store }, ports),
    keyOf: ({ key }) => placeOf(key),
    changed: arrived,
    moved: (keys) => {
      for (const key of new Set(keys.map(queueKey))) tell(key);
    },
    log: ports.log,
  });

  const recent = (key: string): StoredApplication | undefined => {
    const own = ours.get(key);
    if (own === undefined) return undefined;
    if (ports.clock.now().getTime() - own.at < patienceMs) return own.stored;
    ours.delete(key);
    return undefined;
  };

  return {
    synced: cache.synced,
    get: (key) => {
      const cached = cache.get(placeOf(key));
      return cached === undefined ? undefined : (recent(key) ?? cached);
    },
    keys: () => cache.keys().map(queueKey),
    follow: (others) => cache.follow(others),
    written: (object) => {
      const stored = store(object);
      const before = recent(stored.key) ?? cache.get(placeOf(stored.key));
      // The answer may hold what somebody else asked for meanwhile; its own event will look like an echo of this write.
      if (before !== undefined && before.intent !== stored.intent) tell(stored.key);
      // The watch was faster than the answer: it may already show something newer.
      if (!shown.has(stored.key, stored.raw.metadata.resourceVersion ?? ''))
        ours.set(stored.key, { at: ports.clock.now().getTime(), stored });
      return stored;
    },
    onIntent: (listener) => {
      listeners.push(listener);
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}
