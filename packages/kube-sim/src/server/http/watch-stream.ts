import { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { stringifyJson, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import type { Cluster } from '../cluster.ts';
import { watch, type WatchEvent, type WatchOptions } from '../operations/watch.ts';
import type { Selection } from '../operations/read.ts';
import { partialMetadata, tableOf, type IncludeObject } from '../table/table.ts';
import type { Exchange } from './exchange.ts';
import type { Shape } from './negotiate.ts';

/** How one watch is served. */
export type WatchStream = Readonly<{
  type: ResourceType;
  selection: Selection;
  options: WatchOptions;
  shape: Shape;
  include: IncludeObject;
  /** After this the server ends the stream. */
  timeoutMs: number;
  bookmarkIntervalMs: number;
}>;

/** A client that reads too slowly is cut off at this much unsent data; it resumes from its last version. */
const maxUnsentBytes = 64 * 1024 * 1024;

/** Encodes events of one watch as JSON lines in the wanted shape. */
function encoder(cluster: Cluster, { type, shape, include }: WatchStream): (event: WatchEvent) => string {
  let first = true;
  const shaped = (object: KubeObject): unknown => {
    if (shape === 'object') return object;
    if (shape === 'partial') return partialMetadata(object);
    const table = tableOf([object], type, { include, now: cluster.clock.now(), headers: first });
    first = false;
    return { ...table, metadata: { resourceVersion: object.metadata.resourceVersion ?? '' } };
  };
  const bookmark = (resourceVersion: string, end: boolean): unknown => {
    const metadata = {
      resourceVersion,
      ...(end && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
    };
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
    if (shape === 'object') return { kind: type.kind, apiVersion, metadata };
    if (shape === 'partial') return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    const object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    return {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion },
      columnDefinitions: null,
      rows: [{ cells: [], object }],
    };
  };
  return (event) => {
    switch (event.type) {
      case 'ERROR':
        return stringifyJson({ type: 'ERROR', object: event.status });
      case 'BOOKMARK':
        return stringifyJson({ type: 'BOOKMARK', object: bookmark(event.resourceVersion, event.initialEventsEnd) });
      default:
        return stringifyJson({ type: event.type, object: shaped(event.object) });
    }
  };
}

/**
 * Serves a watch until its time is over, the client goes, or `stop` is called.
 * @returns ends the stream
 */
export function streamWatch(cluster: Cluster, exchange: Exchange, stream: WatchStream): () => void {
  const { request, response } = exchange;
  const encode = encoder(cluster, stream);
  const over = new AbortController();
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-cache, private');
  if (response instanceof ServerResponse) response.flushHeaders();
  else response.writeHead(200);
  const lines: Writable = response;
  const write = (event: WatchEvent): void => {
    if (over.signal.aborted) return;
    lines.write(`${encode(event)}\n`);
    if (lines.writableLength > maxUnsentBytes) stop();
    if (event.type === 'ERROR') stop();
  };
  let unsubscribe = (): void => {};
  const bookmark = (): void => {
    if (stream.options.allowBookmarks)
      write({ type: 'BOOKMARK', resourceVersion: String(cluster.store.revision), initialEventsEnd: false });
  };
  const stop = (): void => {
    if (over.signal.aborted) return;
    over.abort();
    unsubscribe();
    response.end();
  };
  // Time-outs and bookmarks follow the wall: they are the transport's, not the cluster's.
  const timeout = setTimeout(() => {
    bookmark();
    stop();
  }, stream.timeoutMs);
  const interval = setInterval(bookmark, stream.bookmarkIntervalMs);
  over.signal.addEventListener('abort', () => {
    clearTimeout(timeout);
    clearInterval(interval);
  });
  request.on('close', stop);
  response.on('close', stop);
  response.on('error', stop);
  unsubscribe = watch(cluster, stream, write);
  if (over.signal.aborted) unsubscribe();
  return stop;
}
