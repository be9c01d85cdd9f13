/** The Applications of a cluster as a bench sees them: from outside, through a watch of its own. */
import { type KubeObject, silentLogger, stringAt, systemClock } from '@tiphys/api';
import { type KubeClient, openCache } from '@tiphys/kube';
import { applicationResource } from '@tiphys/operations';

export type Seen = Readonly<{
  name: string;
  sync: string | undefined;
  health: string | undefined;
  /** Of the last comparison; the first source's. */
  revision: string | undefined;
  /** Of the last operation. */
  phase: string | undefined;
  message: string | undefined;
}>;

const project = (object: KubeObject): Seen => ({
  name: object.metadata.name ?? '',
  sync: stringAt(object, 'status', 'sync', 'status'),
  health: stringAt(object, 'status', 'health', 'status'),
  revision: stringAt(object, 'status', 'sync', 'revision') ?? stringAt(object, 'status', 'sync', 'revisions', 0),
  phase: stringAt(object, 'status', 'operationState', 'phase'),
  message:
    stringAt(object, 'status', 'conditions', 0, 'message') ?? stringAt(object, 'status', 'operationState', 'message'),
});

export const isSynced = ({ sync }: Seen): boolean => sync === 'Synced';
export const isDone = ({ sync, health }: Seen): boolean => sync === 'Synced' && health === 'Healthy';

/** A window of time in which changes are counted. */
export type Changes = Readonly<{
  /** Which Applications changed, and how often each. */
  byName: () => ReadonlyMap<string, number>;
  stop: () => void;
}>;

export type Applications = AsyncDisposable &
  Readonly<{
    get: (name: string) => Seen | undefined;
    all: () => readonly Seen[];
    /** Waits until each of the named ones is as wanted. @throws Error that names some that are not, at the deadline */
    until: (names: readonly string[], isWanted: (seen: Seen) => boolean, timeoutMs: number) => Promise<void>;
    countChanges: () => Changes;
  }>;

/** Watches the Applications of a namespace. */
export async function watchApplications(client: KubeClient, namespace: string): Promise<Applications> {
  const cache = openCache<Seen>(
    client,
    { resource: applicationResource, namespace, project },
    { log: silentLogger, clock: systemClock },
  );
  await cache.synced;
  const get = (name: string): Seen | undefined => cache.get({ namespace, name });

  const until: Applications['until'] = (names, isWanted, timeoutMs) => {
    const isWantedNow = (name: string): boolean => {
      const seen = get(name);
      return seen !== undefined && isWanted(seen);
    };
    const all = new Set(names);
    const open = new Set(names.filter((name) => !isWantedNow(name)));
    if (open.size === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      const some = [...open].slice(0, 3).map((name) => JSON.stringify(get(name) ?? { name }));
      reject(new Error(`${open.size} of ${names.length} were not as wanted in time: ${some.join(', ')}`));
    }, timeoutMs);
    const stop = cache.onChange(({ key }) => {
      if (key.namespace !== namespace) return;
      if (isWantedNow(key.name)) open.delete(key.name);
      // What has turned away from the wanted state again does not count.
      else if (all.has(key.name)) open.add(key.name);
      if (open.size === 0) resolve(undefined);
    });
    return promise.finally(() => {
      clearTimeout(timer);
      stop();
    });
  };

  const countChanges = (): Changes => {
    const counts = new Map<string, number>();
    const stop = cache.onChange(({ key }) => counts.set(key.name, (counts.get(key.name) ?? 0) + 1));
    return { byName: () => counts, stop };
  };

  return { get, all: () => cache.list(namespace), until, countChanges, [Symbol.asyncDispose]: () => cache.stop() };
}
