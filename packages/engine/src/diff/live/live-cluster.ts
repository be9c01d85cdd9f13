import {
  type Clock,
  type GroupKind,
  groupKindText,
  keyOf,
  keyText,
  type KubeObject,
  type Logger,
  messageOf,
  parseApiVersion,
  trackedBy,
  type TrackingSettings,
} from '@tiphys/api';
import {
  type ApiResource,
  type CacheChange,
  type Discovery,
  type KubeClient,
  type ObjectCache,
  openCache,
} from '@tiphys/kube';
import type { ClusterFacts, LiveChange, LiveView } from './live-view.ts';
import { type LiveEntry, projectEntry } from './live-entry.ts';
import { openRecentWrites, type RecentWrites } from './recent-writes.ts';
import { type ExcludedKinds, sweepForMarks } from './sweep.ts';

export type LiveClusterSettings = Readonly<{
  tracking: TrackingSettings;
  /** `resource.exclusions` of argocd-cm: kinds that are neither watched nor searched. */
  excluded: ExcludedKinds;
  /** How long discovery and the version are trusted (60,000). */
  factsMs: number;
}>;

export type LiveClusterPorts = Readonly<{ client: KubeClient; clock: Clock; log: Logger }>;

/** A LiveView that watches: its memory is bound by what is managed, not by what is in the cluster. */
export interface LiveCluster extends LiveView, AsyncDisposable {
  /** Changes of managed objects. Returns the way to stop listening. */
  onChange(listener: (change: LiveChange) => void): () => void;
  /** Searches all listable kinds for tracking marks; called once at the start and again on demand. */
  sweep(signal: AbortSignal): Promise<void>;
  /** What we wrote just now: shown until the watch has caught up, so that a comparison right after a write sees it. */
  readonly recentWrites: RecentWrites;
  readonly counts: Readonly<{ kinds: number; objects: number }>;
  stop(): Promise<void>;
}

const instanceIndex = 'instance';

/** Opens the live side of a cluster. Nothing is read until somebody asks. */
export function openLiveCluster(ports: LiveClusterPorts, settings: LiveClusterSettings): LiveCluster {
  const { client, clock } = ports;
  const caches = new Map<string, ObjectCache<LiveEntry>>();
  const listeners = new Set<(change: LiveChange) => void>();
  const recentWrites = openRecentWrites(clock, settings.tracking);
  let complete = false;
  let facts: { at: number; value: Promise<ClusterFacts> } | undefined;

  const announce = (gk: GroupKind, change: CacheChange<LiveEntry>): void => {
    const key = { ...gk, ...change.key };
    const before = change.kind === 'added' ? undefined : change.before.instance;
    const after = change.kind === 'deleted' ? undefined : change.after.instance;
    recentWrites.seen(keyText(key));
    for (const instance of new Set([before, after]))
      if (instance !== undefined) for (const listener of listeners) listener({ instance, key });
  };

  const open = (resource: ApiResource): ObjectCache<LiveEntry> => {
    const id = groupKindText(resource);
    const known = caches.get(id);
    if (known !== undefined) return known;
    const cache = openCache<LiveEntry>(
      client,
      {
        resource,
        project: (object) => projectEntry(object, settings.tracking),
        indices: { [instanceIndex]: (entry) => (entry.instance === undefined ? [] : [entry.instance]) },
      },
      { log: ports.log, clock },
    );
    caches.set(id, cache);
    cache.onChange((change) => announce({ group: resource.group, kind: resource.kind }, change));
    return cache;
  };

  const discovery = (signal: AbortSignal): Promise<Discovery> => client.discovery({ signal });

  const live: LiveCluster = {
    server: client.server,
    recentWrites,
    discovery,
    get complete() {
      return complete;
    },
    get counts() {
      return { kinds: caches.size, objects: [...caches.values()].reduce((sum, cache) => sum + cache.size, 0) };
    },
    facts: (signal) => {
      const now = clock.now().getTime();
      if (facts === undefined || now - facts.at > settings.factsMs) {
        facts = { at: now, value: readFacts(client, signal) };
        facts.value.catch(() => (facts = undefined));
      }
      return facts.value;
    },
    ensure: async (kinds, signal) => {
      const served = await discovery(signal);
      const wanted = kinds.flatMap((gk) => served.byGroupKind(gk) ?? []).filter((resource) => isWatchable(resource));
      await Promise.all(wanted.map((resource) => whenSynced(open(resource), signal)));
    },
    managed: (instance) => {
      const found = new Map<string, KubeObject>();
      for (const cache of caches.values())
        for (const { object } of cache.byIndex(instanceIndex, instance))
          if (object !== undefined) found.set(keyText(keyOf(object)), object);
      recentWrites.overlay(instance, found);
      return [...found.values()];
    },
    get: async (gvk, name, signal) => {
      const written = recentWrites.get(keyText({ ...gvk, ...name }));
      if (written === 'deleted') return undefined;
      if (written !== undefined && parseApiVersion(written.apiVersion).version === gvk.version) return written;
      const cache = caches.get(groupKindText(gvk));
      if (cache?.isSynced === true) {
        const entry = cache.get(name);
        if (entry === undefined) return undefined;
        if (entry.object !== undefined && cache.resource.version === gvk.version) return entry.object;
      }
      return client.get({ gvk, namespace: name.namespace, name: name.name }, { signal });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    sweep: async (signal) => {
      const { tracking, excluded } = settings;
      const resources = (await client.discovery({ signal, fresh: true })).resources;
      const marked = await sweepForMarks(
        { resources, tracking, excluded, watched: (gk) => caches.has(groupKindText(gk)) },
        ports,
        signal,
      );
      await Promise.all(marked.map((resource) => whenSynced(open(resource), signal)));
      complete = true;
    },
    stop: async () => {
      listeners.clear();
      await Promise.all([...caches.values()].map((cache) => cache.stop()));
      caches.clear();
    },
    [Symbol.asyncDispose]: () => live.stop(),
  };
  return live;
}

const isWatchable = (resource: ApiResource): boolean =>
  resource.verbs.includes('list') && resource.verbs.includes('watch');

/** Waits for a first list, but not for ever: a cache that cannot list says why. */
async function whenSynced(cache: ObjectCache<LiveEntry>, signal: AbortSignal): Promise<void> {
  if (cache.isSynced) return;
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      reject(
        cache.lastError ??
          new Error(`${cache.resource.plural} could not be listed in time: ${messageOf(signal.reason)}`),
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    cache.synced.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

async function readFacts(client: KubeClient, signal: AbortSignal): Promise<ClusterFacts> {
  const [version, discovery] = await Promise.all([client.version({ signal }), client.discovery({ signal })]);
  const apiVersions = new Set<string>();
  for (const { group, version: served, kind } of discovery.resources) {
    const groupVersion = group === '' ? served : `${group}/${served}`;
    apiVersions.add(groupVersion).add(`${groupVersion}/${kind}`);
  }
  return { kubeVersion: version.gitVersion, apiVersions: [...apiVersions].sort() };
}
