import { isRecord, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import { asKind, metadataForm, type ClientParts } from './parts.ts';
import { KubeError } from './error.ts';
import { openLineSplitter } from './lines.ts';
import { nameCall, resourcePath } from './resource-path.ts';
import { asStatus, errorOfLink, errorOfStatus } from './status.ts';
import type { ApiResource, WatchEvent, WatchOptions } from './types.ts';

/** Streams are ended by the server after a while, each after a time of its own, so that not all come back at once. */
const drawTimeoutSeconds = (): number => 300 + Math.floor(Math.random() * 300);

const kinds: Readonly<Record<string, 'added' | 'modified' | 'deleted'>> = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
};

function readEvent(line: Buffer, resource: ApiResource, what: string): WatchEvent | undefined {
  const event = parseJson(line.toString(), what);
  if (!isRecord(event)) return undefined;
  const { type, object } = event;
  if (type === 'ERROR') {
    const status = asStatus(object);
    if (status === undefined)
      throw errorOfLink(new Error('the watch reported an error without a Status'), what, { what });
    throw errorOfStatus(status.code, status, { what });
  }
  if (!isRecord(object) || typeof type !== 'string') return undefined;
  const resourceVersion = stringAt(object, 'metadata', 'resourceVersion') ?? '';
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion };
  const kind = kinds[type];
  if (kind === undefined) return undefined;
  const whole: KubeObject = asKind(object, resource);
  return { type: kind, object: whole, resourceVersion };
}

/** Ends a stream that has been silent for too long, by the injected clock. */
function openWatchdog({ settings, ports }: ClientParts, bite: (error: Error) => void) {
  const { clock } = ports;
  const done = new AbortController();
  let lastByteAt = clock.now().getTime();
  const run = async (): Promise<void> => {
    for (;;) {
      const leftMs = lastByteAt + settings.watchIdleMs - clock.now().getTime();
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, done.signal);
    }
    bite(new Error(`no byte for ${settings.watchIdleMs / 1000} s`));
  };
  run().catch(() => {
    // The stream ended first.
  });
  return {
    feed: () => {
      lastByteAt = clock.now().getTime();
    },
    end: () => done.abort(),
  };
}

/** One watch stream: see KubeClient.watch. */
export async function* watch(
  parts: ClientParts,
  resource: ApiResource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const { namespace, signal } = options;
  const what = nameCall('WATCH', resource, { namespace });
  const ended = new AbortController();
  const follow = (): void => ended.abort(signal?.reason);
  if (signal?.aborted === true) follow();
  else signal?.addEventListener('abort', follow, { once: true });
  const call = {
    what,
    method: 'GET',
    path: resourcePath(resource, { namespace }),
    query: {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds ?? drawTimeoutSeconds(),
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    },
    headers: options.metadataOnly === true ? { accept: metadataForm('PartialObjectMetadata') } : {},
    signal: ended.signal,
  } as const;
  let bitten: Error | undefined;
  let watchdog: ReturnType<typeof openWatchdog> | undefined;
  try {
    const { body } = await parts.caller.open(call);
    options.onOpen?.();
    watchdog = openWatchdog(parts, (error) => {
      bitten = error;
      ended.abort(error);
    });
    let events: WatchEvent[] = [];
    const split = openLineSplitter(parts.settings.maxResponseBytes, (line) => {
      const event = readEvent(line, resource, what);
      if (event !== undefined) events.push(event);
    });
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue;
      watchdog.feed();
      split(chunk);
      const ready = events;
      events = [];
      yield* ready;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (bitten !== undefined) throw silent(what, bitten);
    throw error instanceof KubeError ? error : errorOfLink(error, parts.server, { what });
  } finally {
    watchdog?.end();
    signal?.removeEventListener('abort', follow);
    ended.abort();
  }
}

const silent = (what: string, cause: Error): KubeError =>
  new KubeError('kube/timeout', `${what}: ${cause.message}`, { status: 0, reason: '', causes: [], cause });
