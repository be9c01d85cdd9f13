import { type Clock, type Logger, within } from '@tiphys/api';
import { type CacheChange, type CacheOptions, type KubeClient, type ObjectCache, openCache } from '@tiphys/kube';

export type CachePorts = Readonly<{ client: KubeClient; clock: Clock; log: Logger }>;

/** Opens a cache and waits until its first list is in; one that has none when the signal aborts is stopped again. */
export async function openFilledCache<T>(
  ports: CachePorts,
  { changed, ...options }: CacheOptions<T> & Readonly<{ changed?: (change: CacheChange<T>) => void }>,
  signal: AbortSignal,
): Promise<ObjectCache<T>> {
  const cache = openCache(ports.client, options, ports);
  if (changed !== undefined) cache.onChange(changed);
  try {
    await within(cache.synced, signal);
    return cache;
  } catch (error) {
    await cache.stop();
    throw error;
  }
}
