import { isDeepStrictEqual } from 'node:util';
import {
  type Clock,
  formatApiVersion,
  type GroupKind,
  type GroupVersionKind,
  groupKindText,
  isCoded,
  keyOf,
  keyText,
  type KubeObject,
  type Logger,
  messageOf,
  parseApiVersion,
  type TrackingSettings,
} from '@tiphys/api';
import {
  type ApiResource,
  type CacheChange,
  type Discovery,
  type KubeClient,
  KubeError,
  type ObjectCache,
  openCache,
} from '@tiphys/kube';
import type { ClusterFacts, LiveChange, LiveView, WantedKind } from './live-view.ts';
import { type LiveEntry, openTrim, projectEntry } from './live-entry.ts';
import { openRecentWrites, type RecentWrites } from './recent-writes.ts';
import { goneVersion } from './seen-versions.ts';
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

/** Pause before kinds that could not be asked are asked again. */
const searchAgainMs = 30_000;

class WatchingCluster implements LiveCluster {
  readonly recentWrites: RecentWrites;
  readonly #ports: LiveClusterPorts;
  readonly #trim = openTrim();
  readonly #settings: LiveClusterSettings;
  readonly #caches = new Map<string, ObjectCache<LiveEntry>>();
  readonly #listeners = new Set<(change: LiveChange) => void>();
  readonly #stopping = new AbortController();
  #complete = false;
  #unsearched: readonly ApiResource[] = [];
  #facts: { at: number; value: Promise<ClusterFacts> } | undefined;
  #known: ClusterFacts | undefined;

  constructor(ports: LiveClusterPorts, settings: LiveClusterSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.recentWrites = openRecentWrites(ports.clock, settings.tracking, this.#trim);
  }

  get server(): string {
    return this.#ports.client.server;
  }

  get complete(): boolean {
    return this.#complete;
  }

  get counts(): LiveCluster['counts'] {
    const caches = [...this.#caches.values()];
    return { kinds: caches.length, objects: caches.reduce((sum, { size }) => sum + size, 0) };
  }

  discovery(signal: AbortSignal): Promise<Discovery> {
    return this.#ports.client.discovery({ signal });
  }

  facts(signal: AbortSignal): Promise<ClusterFacts> {
    const now = this.#ports.clock.now().getTime();
    if (this.#facts !== undefined && now - this.#facts.at <= this.#settings.factsMs) return this.#facts.value;
    const value = readFacts(this.#ports.client, signal).then((facts) => this.#sameWhenEqual(facts));
    this.#facts = { at: now, value };
    value.catch(() => (this.#facts = undefined));
    return value;
  }

  /** The same object as long as nothing about the cluster changes. */
  #sameWhenEqual(facts: ClusterFacts): ClusterFacts {
    if (this.#known === undefined || !isDeepStrictEqual(this.#known, facts)) this.#known = facts;
    return this.#known;
  }

  async ensure(kinds: readonly WantedKind[], signal: AbortSignal): Promise<void> {
    const discovery = await this.#discoveryOf(kinds, signal);
    for (const kind of kinds) this.#closeOutdated(kind, discovery);
    const caches = kinds.map((kind) => this.#caches.get(groupKindText(kind)));
    for (const cache of caches) if (isRefused(cache?.lastError)) throw cache.lastError;
    const unknown = kinds.filter((_, index) => caches[index]?.isSynced !== true);
    if (unknown.length === 0) return;
    const wanted = await Promise.all(unknown.map((kind) => this.#served(kind, signal)));
    await Promise.all(
      wanted
        .filter((resource) => resource !== undefined)
        .filter(isWatchable)
        .map((resource) => whenSynced(this.#open(resource), signal)),
    );
  }

  /** What the cluster serves; read anew where a version is desired that it was not known to serve. */
  async #discoveryOf(kinds: readonly WantedKind[], signal: AbortSignal): Promise<Discovery> {
    const known = await this.discovery(signal);
    const missed = kinds.find(
      ({ version, ...kind }) =>
        version !== undefined &&
        known.find({ ...kind, version }) === undefined &&
        known.byGroupKind(kind) !== undefined,
    );
    if (missed === undefined) return known;
    await this.#ports.client.resourceFor({ version: '', ...missed }, { signal }).catch((error: unknown) => {
      if (!isCoded(error, 'kube/kind-not-found')) throw error;
    });
    return this.discovery(signal);
  }

  /** A kind that is known to be served in another version only is followed there, whether its old watch has ended or not. */
  #closeOutdated(kind: GroupKind, { find, byGroupKind, failedGroups }: Discovery): void {
    const id = groupKindText(kind);
    const cache = this.#caches.get(id);
    if (cache === undefined || find(cache.resource) !== undefined || byGroupKind(kind) === undefined) return;
    const { group, version } = cache.resource;
    if (failedGroups.includes(formatApiVersion(group, version))) return;
    this.#caches.delete(id);
    cache.stop().catch((error: unknown) => {
      this.#ports.log.warn('a cache did not stop', { kind: id, error: messageOf(error) });
    });
  }

  /**
   * The resource of a kind, which may have come since the last look; undefined when there is none.
   * @throws KubeError when its API group cannot be asked: that is no proof that its objects are gone
   */
  async #served(kind: GroupKind, signal: AbortSignal): Promise<ApiResource | undefined> {
    try {
      return await this.#ports.client.resourceFor({ ...kind, version: '' }, { signal });
    } catch (error) {
      if (!isCoded(error, 'kube/kind-not-found')) throw error;
    }
    const { failedGroups } = await this.discovery(signal);
    const failed = failedGroups.find((version) => parseApiVersion(version).group === kind.group);
    if (failed === undefined) return undefined;
    throw new KubeError(
      'kube/server-error',
      `${groupKindText(kind)}: the API group ${failed} cannot be discovered at present`,
      { status: 503, reason: 'ServiceUnavailable', causes: [] },
    );
  }

  managed(instance: string): readonly KubeObject[] {
    const found = new Map<string, KubeObject>();
    for (const cache of this.#caches.values())
      for (const { object } of cache.byIndex(instanceIndex, instance))
        if (object !== undefined) found.set(keyText(keyOf(object)), object);
    this.recentWrites.overlay(instance, found);
    return [...found.values()];
  }

  async get(
    gvk: GroupVersionKind,
    name: Readonly<{ namespace: string; name: string }>,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const written = this.recentWrites.get(keyText({ ...gvk, ...name }));
    if (written === 'deleted') return undefined;
    if (written !== undefined && parseApiVersion(written.apiVersion).version === gvk.version) return written;
    const cache = this.#caches.get(groupKindText(gvk));
    if (cache?.isSynced === true) {
      const entry = cache.get(name);
      if (entry === undefined) return undefined;
      if (entry.object !== undefined && cache.resource.version === gvk.version) return entry.object;
    }
    return this.#ports.client.get({ gvk, ...name }, { signal });
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { resources } = await this.#ports.client.discovery({ signal, fresh: true });
    const unsearched = await this.#searchIn(resources, signal);
    this.#complete = true;
    const isSearching = this.#unsearched.length > 0;
    this.#unsearched = unsearched;
    if (!isSearching) void this.#searchLater();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the live side is stopped'));
    this.#listeners.clear();
    await Promise.all([...this.#caches.values()].map((cache) => cache.stop()));
    this.#caches.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Watches the kinds among these that hold a tracked object; resolves to those that could not be asked. */
  async #searchIn(resources: readonly ApiResource[], signal: AbortSignal): Promise<readonly ApiResource[]> {
    const { tracking, excluded } = this.#settings;
    const watched = (kind: GroupKind): boolean => this.#caches.has(groupKindText(kind));
    const found = await sweepForMarks({ resources, tracking, excluded, watched }, this.#ports, signal);
    await Promise.all(found.marked.map((resource) => whenSynced(this.#open(resource), signal)));
    return found.unsearched;
  }

  /** What could not be asked is asked again until it answers: its tracked objects are announced when they are found. */
  async #searchLater(): Promise<void> {
    const { clock, log } = this.#ports;
    const { signal } = this.#stopping;
    const isStopped = (): boolean => signal.aborted;
    while (this.#unsearched.length > 0 && !isStopped())
      try {
        await clock.sleep(searchAgainMs, signal);
        this.#unsearched = await this.#searchIn(this.#unsearched, signal);
      } catch (error) {
        if (!isStopped()) log.warn('kinds not searched for tracked objects', { error: messageOf(error) });
      }
  }

  #open(resource: ApiResource): ObjectCache<LiveEntry> {
    const id = groupKindText(resource);
    const known = this.#caches.get(id);
    if (known !== undefined) return known;
    const { tracking } = this.#settings;
    const cache = openCache<LiveEntry>(
      this.#ports.client,
      {
        resource,
        project: (object) =>
          projectEntry(object, tracking, (managed) => this.recentWrites.sameAs(managed) ?? this.#trim(managed)),
        indices: { [instanceIndex]: ({ instance }) => (instance === undefined ? [] : [instance]) },
      },
      this.#ports,
    );
    this.#caches.set(id, cache);
    cache.onChange((change) => this.#announce(resource, change));
    return cache;
  }

  #announce({ group, kind }: GroupKind, change: CacheChange<LiveEntry>): void {
    const key = { group, kind, ...change.key };
    const version = change.kind === 'deleted' ? goneVersion : change.after.version;
    const shown = this.recentWrites.seen(keyText(key), version);
    for (const instance of instancesOf(change)) {
      const write = instance === shown?.instance ? shown : undefined;
      for (const listener of this.#listeners) listener({ instance, key, write });
    }
  }
}

/** To whom a change matters: who had the object, and who has it now. */
function instancesOf(change: CacheChange<LiveEntry>): Iterable<string | undefined> {
  if (change.kind === 'added') return [change.after.instance];
  if (change.kind === 'deleted') return [change.before.instance];
  return new Set([change.before.instance, change.after.instance]);
}

/** Opens the live side of a cluster. Nothing is read until somebody asks. */
export const openLiveCluster = (ports: LiveClusterPorts, settings: LiveClusterSettings): LiveCluster =>
  new WatchingCluster(ports, settings);

const isWatchable = (resource: ApiResource): boolean =>
  resource.verbs.includes('list') && resource.verbs.includes('watch');

/** A list that is refused stays refused until somebody grants it; other errors may pass. */
const isRefused = (error: unknown): error is Error => isCoded(error, 'kube/forbidden');

/** Waits for a first list, but not for ever: a cache that cannot list says why. */
async function whenSynced(cache: ObjectCache<LiveEntry>, signal: AbortSignal): Promise<void> {
  if (cache.isSynced) return;
  if (isRefused(cache.lastError)) throw cache.lastError;
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      reject(
        cache.lastError ??
          new Error(`${cache.resource.plural} could not be listed in time: ${messageOf(signal.reason)}`),
      );
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const unheard = cache.onError((error) => {
      if (isRefused(error)) reject(error);
    });
    cache.synced.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
      unheard();
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
