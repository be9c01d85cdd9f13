import { createHash } from 'node:crypto';
import { type Application, canonicalJson, CodedError, describeKey, messageOf, stringAt } from '@tiphys/api';
import {
  type Comparison,
  normaliseRepositoryUrl,
  openClusterWriter,
  openCompareMemory,
  openDesiredMemory,
  openLiveCluster,
  syncStatusCode,
} from '@tiphys/engine';
import { type Controller, holdLease, type KubeClient, type Lease, type Next, runController } from '@tiphys/kube';
import { applicationResource, type InstallationSettings } from '@tiphys/operations';
import { openApplicationMemories } from './application-memory.ts';
import { openApplicationStore, type StoredApplication } from './application-store.ts';
import type { CompareParts } from './compare-application.ts';
import type { Context, Counts } from './context.ts';
import { type Destination, openDestinations } from './destinations.ts';
import { openEventRecorder } from './events.ts';
import { excludedKinds } from './excluded-kinds.ts';
import { controllerLease, describeObstacle, findObstacles, mayWrite } from './installation-guard.ts';
import type { ApplicationPorts, ApplicationSettings } from './ports.ts';
import { openReadSetIndex } from './read-set-index.ts';
import { reconcile } from './reconcile.ts';
import { openRepositories } from './repositories.ts';
import { openRepositoryWatch } from './repository-watch.ts';
import { watchRegistrations, watchSettings } from './settings-watch.ts';

/** Counters since the start. */
export type ControllerStats = Readonly<
  Counts & { renders: number; cacheHits: number; applications: number; kinds: number; objects: number }
>;

/** A running application controller. */
export interface ApplicationController extends AsyncDisposable {
  readonly stats: () => ControllerStats;
  /** Looks at a repository at once. */
  pollRepository: (url: string) => void;
  /** Rejects when the controller cannot go on (its Lease is held by another one for good). */
  readonly failed: Promise<never>;
  stop: () => Promise<void>;
}

/** Objects changed by us or a controller come in bursts: one look for all of them. */
const settleMs = 50;
const startTimeoutMs = 120_000;
const sweepTimeoutMs = 300_000;
const sweepRetryMs = 15_000;

/** Starts only where nobody else works on the same objects (issue of two controllers fighting over one cluster). */
async function requireOwnership(client: KubeClient, settings: ApplicationSettings, signal: AbortSignal): Promise<void> {
  const { items: applications } = await client.list(applicationResource, { namespace: settings.namespace, signal });
  const obstacles = await findObstacles(client, { namespace: settings.namespace, applications }, signal);
  if (!mayWrite(obstacles, settings.takeOver))
    throw new CodedError('operation/refused', `not started: ${obstacles.map(describeObstacle).join('; ')}`);
}

/** Lets at most so many run at once; the limit may change while they do. */
function limiter(limit: () => number): Context['limitOperations'] {
  let active = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    while (active >= Math.max(1, limit())) await new Promise<void>((go) => waiting.push(go));
    active += 1;
    try {
      return await run();
    } finally {
      active -= 1;
      waiting.shift()?.();
    }
  };
}

const digestOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('base64');

/** The same application always gets the same share of the jitter, so that its comparisons stay evenly spaced. */
const shareOf = (key: string): number => createHash('sha256').update(key).digest().readUInt16BE(0) / 0x10000;

/** Builds and starts the controller. Resolves when its caches are filled and it works. */
export async function runApplicationController(
  ports: ApplicationPorts,
  own: ApplicationSettings,
): Promise<ApplicationController> {
  const { client, clock, log } = ports;
  const { namespace } = own;
  const starting = AbortSignal.timeout(startTimeoutMs);
  await requireOwnership(client, own, starting);
  const lease = await holdOwnLease(ports, own, starting);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => lease.release());

  const settingsWatch = undo.use(await watchSettings(ports, namespace, starting));
  await settingsWatch.synced;
  const settings = (): InstallationSettings => effective(settingsWatch.current, own);
  const repositories = openRepositories();
  const reads = openReadSetIndex();
  const memories = openApplicationMemories();
  const events = openEventRecorder(ports);
  const compareMemory = openCompareMemory();
  const desiredMemory = openDesiredMemory();
  const counts: Counts = { compared: 0, operations: 0, patches: 0 };
  const opened = new Set<Destination>();
  const stopping = new AbortController();

  const store = undo.use(
    openApplicationStore(ports, settings().applicationNamespaces.length > 0 ? undefined : namespace),
  );
  const keyOfInstance = (instance: string): string => {
    const underscore = instance.indexOf('_');
    return underscore < 0
      ? `${namespace}/${instance}`
      : `${instance.slice(0, underscore)}/${instance.slice(underscore + 1)}`;
  };

  const sweep = async (destination: Destination): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await destination.live.sweep(AbortSignal.any([stopping.signal, AbortSignal.timeout(sweepTimeoutMs)]));
        for (const key of store.keys()) if (store.get(key) !== undefined) controller.add(key);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn('cluster could not be searched for tracked objects', {
          server: destination.server,
          error: messageOf(error),
        });
        await clock.sleep(sweepRetryMs, stopping.signal).catch(() => undefined);
      }
    }
  };

  const openDestination = ({
    server,
    name,
    client: cluster,
  }: Readonly<{ server: string; name: string; client: KubeClient }>): Destination => {
    const { tracking, exclusions, inclusions } = settings();
    const live = openLiveCluster(
      { client: cluster, clock, log },
      { tracking, excluded: excludedKinds({ exclusions, inclusions, server }), factsMs: 60_000 },
    );
    const writer = openClusterWriter(
      {
        client: cluster,
        clock,
        log,
        record: (record) => {
          counts.patches += 1;
          ports.record?.(record);
        },
        mayWrite: () =>
          lease.held()
            ? undefined
            : { code: 'lease-lost', message: `this process does not hold the Lease ${controllerLease}` },
        noted: live.recentWrites,
      },
      { cluster: server, tracking, readOnly: false, maxPrune: undefined },
    );
    const destination: Destination = { server, name, client: cluster, live, writer };
    opened.add(destination);
    live.onChange(({ instance, key }) => {
      const application = keyOfInstance(instance);
      const memory = memories.of(application);
      memory.marks = { ...memory.marks, live: describeKey(key) };
      controller.addAfter(application, settleMs);
    });
    void sweep(destination);
    return destination;
  };
  const destinations = undo.use(openDestinations({ local: client, connect: ports.connect, open: openDestination }));
  undo.use(await watchRegistrations({ ...ports, destinations, repositories }, namespace, starting));

  const pollMs = own.repositoryPollMs ?? settings().refreshIntervalMs;
  const watch = undo.use(
    openRepositoryWatch(
      { git: ports.git, access: (url) => repositories.access(url), reads, clock, log },
      { pollMs, timeoutMs: 60_000 },
      (application, because) => {
        const memory = memories.of(application);
        memory.marks = { ...memory.marks, revision: because };
        controller.add(application);
      },
    ),
  );

  const compareParts = (): CompareParts => ({
    ports,
    repositories,
    settings: settings(),
    compareMemory,
    desiredMemory,
    controlNamespace: namespace,
  });
  const context: Context = {
    ports,
    namespace,
    settings,
    waveDelayMs: () => own.waveDelayMs ?? settings().waveDelayMs,
    store,
    memories,
    destinations,
    events,
    counts,
    compareParts,
    intervalMs: (key) => settings().refreshIntervalMs + shareOf(key) * settings().refreshJitterMs,
    inputDigest: (application: Application) => digestOf({ spec: application.spec, settings: settings() }),
    isComplete: (application) => {
      try {
        return destinations.find(application.spec.destination).live.complete;
      } catch {
        return true;
      }
    },
    verdict: (comparison: Comparison, destination) => {
      const code = syncStatusCode(comparison.changes);
      return code === 'Synced' && !destination.live.complete ? 'Unknown' : code;
    },
    follow: (key, sources, readSets, commits) => {
      if (readSets !== undefined)
        reads.set(
          key,
          readSets.map(({ repository, paths }) => ({ repository: normaliseRepositoryUrl(repository), paths })),
        );
      watch.follow(
        key,
        sources
          .map(({ source, revision }, index) => ({
            url: source.repoURL,
            revision,
            tagPrefix: source.tagPrefix,
            commit: commits[index],
            chart: source.chart,
          }))
          .filter(({ chart }) => chart === undefined),
      );
    },
    limitOperations: limiter(() => settings().operationProcessors),
    reread: async (key, signal): Promise<StoredApplication | undefined> => {
      const slash = key.indexOf('/');
      const ref = {
        gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' },
        namespace: key.slice(0, slash),
        name: key.slice(slash + 1),
      };
      const object = await client.get(ref, { signal });
      return object === undefined ? undefined : store.written(object);
    },
    forget: (key) => {
      memories.forget(key);
      reads.remove(key);
      watch.unfollow(key);
    },
  };

  const controller: Controller = runController(
    {
      name: 'application',
      workers: settings().statusProcessors,
      reconcile: (key, signal): Promise<Next> => reconcile(key, context, signal),
      timeoutMs: Math.max(300_000, settings().renderTimeoutMs * 3),
    },
    ports,
  );
  undo.use(controller);
  store.onIntent((key) => controller.add(key));
  settingsWatch.onChange(() => {
    for (const key of store.keys()) controller.add(key);
  });
  await store.synced;
  for (const key of store.keys()) controller.add(key);
  const running = undo.move();

  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  lease.onLost(() => log.warn('lease lost; nothing is written until it is held again', { lease: controllerLease }));
  void reject;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping.abort();
    stopped ??= events.flush().then(() => running.disposeAsync());
    return stopped;
  };
  return {
    failed,
    stop,
    [Symbol.asyncDispose]: stop,
    pollRepository: (url) => watch.poll(url),
    stats: () => {
      const live = [...opened].map((destination) => destination.live.counts);
      return {
        ...counts,
        ...ports.renderer.stats(),
        applications: store.keys().length,
        kinds: live.reduce((sum, { kinds }) => sum + kinds, 0),
        objects: live.reduce((sum, { objects }) => sum + objects, 0),
      };
    },
  };
}

const effective = (settings: InstallationSettings, own: ApplicationSettings): InstallationSettings =>
  own.refreshIntervalMs === undefined ? settings : { ...settings, refreshIntervalMs: own.refreshIntervalMs };

/** Waits for the Lease: of several controllers one works, the others stand by. */
async function holdOwnLease(
  ports: ApplicationPorts,
  { namespace }: ApplicationSettings,
  signal: AbortSignal,
): Promise<Lease> {
  const identity = `${stringAt({ host: process.pid.toString() }, 'host') ?? ''}-${createHash('sha256').update(`${process.pid} ${Date.now()}`).digest('hex').slice(0, 8)}`;
  const lease = holdLease({ client: ports.client, namespace, name: controllerLease, identity }, ports);
  if (!lease.held()) {
    await new Promise<void>((held, refused) => {
      lease.onHeld(() => held());
      signal.addEventListener(
        'abort',
        () =>
          refused(
            new CodedError(
              'operation/conflict',
              `the Lease ${namespace}/${controllerLease} is held by ${lease.holder ?? 'somebody else'}`,
            ),
          ),
        { once: true },
      );
      if (lease.held()) held();
    });
  }
  return lease;
}
