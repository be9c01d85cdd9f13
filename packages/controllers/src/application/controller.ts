import { createHash } from 'node:crypto';
import { canonicalJson, chartOf, CodedError, describeKey, limiter, normaliseRepositoryUrl, within } from '@tiphys/api';
import { type Comparison, type LiveChange, openCompareMemory, openDesiredMemory, syncStatusCode } from '@tiphys/engine';
import { type Controller, runController } from '@tiphys/kube';
import type { InstallationSettings } from '@tiphys/operations';
import { type ApplicationMemories, openApplicationMemories } from './application-memory.ts';
import { type DesiredIndex, openDesiredIndex, type SharedObject } from './watch/desired-index.ts';
import { type ProjectNames, watchProjects } from './watch/project-names.ts';
import {
  type ApplicationStore,
  openApplicationStore,
  placeOf,
  type StoredApplication,
} from './watch/application-store.ts';
import type { Context, Counts } from './context.ts';
import { type Destination, type Destinations, openDestinations } from './watch/destinations.ts';
import { openEventRecorder } from './status/events.ts';
import { openDestination } from './watch/open-destination.ts';
import { type Ownership, takeOwnership } from './ownership/ownership.ts';
import type { ApplicationPorts, ApplicationSettings } from './ports.ts';
import { openReadSetIndex, type ReadSetIndex } from './watch/read-set-index.ts';
import { clusterSearched, reconcile } from './reconcile.ts';
import { openRepositories, type Repositories } from './watch/repositories.ts';
import { openRepositoryWatch, type RepositoryWatch } from './watch/repository-watch.ts';
import { type SettingsWatch, watchRegistrations, watchSettings } from './watch/settings-watch.ts';

/** Counters since the start, and what is in memory now. */
export type ControllerStats = Readonly<
  Counts & {
    renders: number;
    cacheHits: number;
    applications: number;
    /** Applications whose status is still that of an earlier process. */
    unvisited: number;
    kinds: number;
    objects: number;
  }
>;

/** A running application controller. */
export interface ApplicationController extends AsyncDisposable {
  readonly stats: () => ControllerStats;
  /** Looks at a repository at once. */
  pollRepository: (url: string) => void;
  stop: () => Promise<void>;
}

/** Objects changed by us or by a controller come in bursts: one look for all of them. */
const settleMs = 50;
const startTimeoutMs = 120_000;
const repositoryTimeoutMs = 60_000;
const passTimeoutMs = 300_000;

/** Digests of values that never change, each made once. */
function digestOfEach(): (value: object) => string {
  const known = new WeakMap<object, string>();
  return (value) => {
    const digest = known.get(value) ?? createHash('sha256').update(canonicalJson(value)).digest('base64');
    known.set(value, digest);
    return digest;
  };
}

/** The same application always gets the same share of the jitter, so that its comparisons stay evenly spaced. */
const shareOf = (key: string): number => createHash('sha256').update(key).digest().readUInt16BE(0) / 0x10000;

/** What the controller holds open while it runs. */
type Parts = Readonly<{
  ports: ApplicationPorts;
  own: ApplicationSettings;
  ownership: Ownership;
  settings: () => InstallationSettings;
  settingsWatch: SettingsWatch;
  store: ApplicationStore;
  memories: ApplicationMemories;
  repositories: Repositories;
  reads: ReadSetIndex;
  desired: DesiredIndex;
  projects: ProjectNames;
  counts: Counts;
  opened: Destination[];
  stopping: AbortController;
  /** Set once, before the first key is added. */
  queue: { controller?: Controller };
}>;

const effective = (settings: InstallationSettings, own: ApplicationSettings): InstallationSettings =>
  own.refreshIntervalMs === undefined ? settings : { ...settings, refreshIntervalMs: own.refreshIntervalMs };

async function openParts(
  ports: ApplicationPorts,
  own: ApplicationSettings,
  undo: AsyncDisposableStack,
): Promise<Parts> {
  const starting = AbortSignal.timeout(startTimeoutMs);
  const ownership = undo.use(await takeOwnership(ports, own, starting));
  const settingsWatch = undo.use(await watchSettings(ports, own.namespace, starting));
  await within(settingsWatch.synced, starting);
  const settings = (): InstallationSettings => effective(settingsWatch.current, own);
  return {
    ports,
    own,
    ownership,
    settings,
    settingsWatch,
    store: undo.use(openApplicationStore(ports, { own: own.namespace, others: settings().applicationNamespaces })),
    memories: openApplicationMemories(),
    repositories: openRepositories(),
    reads: openReadSetIndex(),
    desired: openDesiredIndex(),
    projects: undo.use(await watchProjects(ports, own.namespace, starting)),
    counts: { compared: 0, operations: 0, patches: 0 },
    opened: [],
    stopping: new AbortController(),
    queue: {},
  };
}

/** The queue key of the application that a tracking name stands for. */
function keyOfInstance(instance: string, namespace: string): string {
  const underscore = instance.indexOf('_');
  if (underscore < 0) return `${namespace}/${instance}`;
  return `${instance.slice(0, underscore)}/${instance.slice(underscore + 1)}`;
}

/** A live object that an application has to do with changed. */
function wakeFor({ memories, queue, store }: Parts, application: string, what: string): void {
  if (store.get(application) === undefined) return;
  const memory = memories.of(application);
  memory.marks = { ...memory.marks, live: what };
  queue.controller?.addAfter(application, settleMs);
}

/**
 * Wakes whom a live object concerns: its owner, and who desires it too. The event of a write of ours, whose outcome the owner's
 * last comparison saw already, is no news to the owner.
 */
function wakeForChange(parts: Parts, server: string, { instance, key, write }: LiveChange): void {
  const { own, desired, store, memories } = parts;
  const owner = instance === undefined ? undefined : keyOfInstance(instance, own.namespace);
  const woken = new Set(desired.of(server, key));
  if (owner !== undefined) {
    const isSeen = write !== undefined && store.get(owner) !== undefined && memories.of(owner).seenWrites.delete(write);
    if (isSeen) woken.delete(owner);
    else woken.add(owner);
  }
  for (const application of woken) wakeFor(parts, application, describeKey(key));
}

/** The others are told when a sharing begins or ends; in between each sees it in its own comparison. */
const tellOthers = (parts: Parts, moved: readonly SharedObject[]): void => {
  for (const { key, others } of moved) for (const other of others) wakeFor(parts, other, describeKey(key));
};

const wakeAll = ({ store, queue }: Parts): void => {
  for (const key of store.keys()) queue.controller?.add(key);
};

/** A cluster has been searched: what could not be called Synced before is compared at once. */
function wakeSearched(parts: Parts): void {
  for (const key of parts.store.keys())
    if (parts.memories.of(key).last?.failed === true) wakeFor(parts, key, clusterSearched);
  wakeAll(parts);
}

async function openClusters(parts: Parts, undo: AsyncDisposableStack): Promise<Destinations> {
  const { ports, own, ownership, settings, counts, opened, stopping, repositories } = parts;
  const destinations = undo.use(
    openDestinations({
      local: ports.client,
      connect: ports.connect,
      open: (cluster) => {
        const destination = openDestination(cluster, {
          ports,
          ownership,
          settings: settings(),
          changed: (server, change) => wakeForChange(parts, server, change),
          searched: () => wakeSearched(parts),
          wrote: () => (counts.patches += 1),
          stopping: stopping.signal,
        });
        opened.push(destination);
        return destination;
      },
    }),
  );
  const starting = AbortSignal.timeout(startTimeoutMs);
  undo.use(await watchRegistrations({ ...ports, destinations, repositories }, own.namespace, starting));
  return destinations;
}

const openWatch = ({ ports, own, settings, memories, repositories, reads, queue }: Parts): RepositoryWatch =>
  openRepositoryWatch(
    { git: ports.git, access: (url) => repositories.access(url), reads, clock: ports.clock, log: ports.log },
    { pollMs: () => own.repositoryPollMs ?? settings().refreshIntervalMs, timeoutMs: repositoryTimeoutMs },
    (key, because) => {
      const memory = memories.of(key);
      memory.marks = { ...memory.marks, revision: because };
      queue.controller?.add(key);
    },
  );

type Outside = Readonly<{ destinations: Destinations; watch: RepositoryWatch; events: Context['events'] }>;

function openContext(parts: Parts, { destinations, watch, events }: Outside): Context {
  const { ports, own, ownership, settings, store, memories, repositories, reads, counts, desired } = parts;
  const { namespace } = own;
  const compareMemory = openCompareMemory();
  const desiredMemory = openDesiredMemory();
  const specDigest = digestOfEach();
  const settingsDigest = digestOfEach();
  return {
    ports,
    namespace,
    ownership,
    settings,
    waveDelayMs: () => own.waveDelayMs ?? settings().waveDelayMs,
    store,
    memories,
    destinations,
    events,
    counts,
    compareParts: () => ({
      ports,
      repositories,
      settings: settings(),
      compareMemory,
      desiredMemory,
      controlNamespace: namespace,
    }),
    intervalMs: (key) => settings().refreshIntervalMs + shareOf(key) * settings().refreshJitterMs,
    inputs: ({ spec }) => ({ spec: specDigest(spec), settings: settingsDigest(parts.settingsWatch.current) }),
    isComplete: ({ spec }) =>
      !destinations.isRegistered(spec.destination) || destinations.find(spec.destination).live.complete,
    verdict: ({ changes }: Comparison, destination) => {
      const code = syncStatusCode(changes);
      return code === 'Synced' && !destination.live.complete ? 'Unknown' : code;
    },
    follow: (key, { sources, readSets, commits }) => {
      const byUrl = readSets?.map(({ repository, paths }) => ({
        repository: normaliseRepositoryUrl(repository),
        paths,
      }));
      if (byUrl !== undefined) reads.set(key, byUrl);
      const followed = sources.flatMap(({ source, revision }, index) =>
        chartOf(source) === undefined
          ? [{ url: source.repoURL, revision, tagPrefix: source.tagPrefix, commit: commits[index] }]
          : [],
      );
      watch.follow(key, followed);
    },
    isNewest: (sources, commits) =>
      sources.every(({ source, revision }, index) => {
        const followed = { url: source.repoURL, revision, tagPrefix: source.tagPrefix };
        return watch.newest(followed) === commits[index];
      }),
    limitOperations: limiter(() => settings().operationProcessors),
    reread: (key, signal) => reread(parts, key, signal),
    hasProject: (name) => parts.projects.has(name),
    desire: (key, server, keys) => {
      tellOthers(parts, desired.set(key, server, keys));
      return desired.shared(key);
    },
    forget: (key) => {
      memories.forget(key);
      tellOthers(parts, desired.remove(key));
      reads.remove(key);
      watch.unfollow(key);
    },
  };
}

async function reread(
  { ports, store }: Parts,
  key: string,
  signal: AbortSignal,
): Promise<StoredApplication | undefined> {
  const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
  const object = await ports.client.get({ gvk, ...placeOf(key) }, { signal });
  return object === undefined ? undefined : store.written(object);
}

/** A deadline says nothing about what it was for. */
const inTime = <T>(opening: Promise<T>): Promise<T> =>
  opening.catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
    const message = `not started: what the controller needs could not be read within ${startTimeoutMs / 1000} s; the log says why`;
    throw new CodedError('kube/timeout', message, { cause: error });
  });

/** Builds and starts the controller. Resolves when its caches are filled and it works. */
export async function runApplicationController(
  ports: ApplicationPorts,
  own: ApplicationSettings,
): Promise<ApplicationController> {
  await using undo = new AsyncDisposableStack();
  const parts = await inTime(openParts(ports, own, undo));
  const { ownership, settings, settingsWatch, store, queue, counts, opened, stopping } = parts;
  const events = openEventRecorder(ports);
  const destinations = await inTime(openClusters(parts, undo));
  const watch = undo.use(openWatch(parts));
  const context = openContext(parts, { destinations, watch, events });
  queue.controller = undo.use(
    runController(
      {
        name: 'application',
        workers: settings().statusProcessors,
        // What nobody may write down needs no look; all are woken when the right to write is back.
        reconcile: (key, signal) =>
          ownership.refusal() === undefined ? reconcile(key, context, signal) : Promise.resolve({}),
        timeoutMs: Math.max(passTimeoutMs, settings().renderTimeoutMs * 3),
      },
      ports,
    ),
  );
  store.onIntent((key) => queue.controller?.add(key));
  parts.projects.onChange(() => wakeAll(parts));
  ownership.onRegained(() => wakeAll(parts));
  settingsWatch.onChange(() => {
    store.follow(settings().applicationNamespaces);
    watch.reschedule();
    wakeAll(parts);
  });
  await store.synced;
  wakeAll(parts);

  const running = undo.move();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping.abort();
    stopped ??= events.flush().then(() => running.disposeAsync());
    return stopped;
  };
  const sum = (pick: (destination: Destination) => number): number =>
    opened.reduce((total, destination) => total + pick(destination), 0);
  return {
    stop,
    [Symbol.asyncDispose]: stop,
    pollRepository: (url) => watch.poll(url),
    stats: () => ({
      ...counts,
      ...ports.renderer.stats(),
      applications: store.keys().length,
      unvisited: store.keys().filter((key) => !parts.memories.of(key).visited).length,
      kinds: sum(({ live }) => live.counts.kinds),
      objects: sum(({ live }) => live.counts.objects),
    }),
  };
}
