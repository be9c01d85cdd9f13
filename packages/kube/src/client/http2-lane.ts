import { EventEmitter } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Dispatcher, buildConnector } from 'undici';
// By file: the index brings fetch, mocks and caches along, whose loading is half of what a short command costs. The version is pinned.
import requestThrough from 'undici/lib/api/api-request.js';
import Client from 'undici/lib/dispatcher/client.js';
import type { Clock } from '@tiphys/api';
import { type Dialled, firstThen, type Lane, type WireRequest, type WireResponse } from './lane.ts';

/** Streams that stay open (watches) on one connection: servers allow about 100 streams, and calls need room. */
const maxLongStreams = 60;

/** A connection with an unanswered ping for so long is dead: its streams are failed, so that their owners reconnect. */
const linkDeadMs = 45_000;
const pingMs = 15_000;

type Link = {
  readonly client: Client;
  readonly end: AbortController;
  socket: Socket | undefined;
  long: number;
  open: number;
};

/** undici asks for sockets through a callback. */
const connectorOf =
  (open: () => Promise<Socket>): buildConnector.connector =>
  (_options, callback) => {
    open().then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };

const streamCreated = 'http2.client.stream.created';

/**
 * A stream that nobody reads any more fails when its connection is closed, and an error that nobody listens for ends the process:
 * undici takes its listeners off cancelled streams. Nobody misses these errors; whoever reads a stream hears of them by its body.
 */
const expectErrors = (message: unknown): void => {
  const stream = typeof message === 'object' && message !== null && 'stream' in message ? message.stream : undefined;
  if (stream instanceof EventEmitter) stream.on('error', () => undefined);
};

const sendOn = (dispatcher: Dispatcher, { method, path, headers, body, signal }: WireRequest): Promise<WireResponse> =>
  // Deadlines are the caller's signals: the dispatcher's own are coarse and per chunk.
  requestThrough.call(dispatcher, { method, path, headers, body, signal, headersTimeout: 0, bodyTimeout: 0 });

/** Opens another HTTP/2 connection. When the server behind the address was replaced by one without it, all starts over. */
async function dialHttp2(dialAs: Dialled['dialAs'], forget: () => void): Promise<Socket> {
  const { socket, protocol } = await dialAs(['h2', 'http/1.1']);
  if (protocol === 'h2') return socket;
  socket.destroy();
  forget();
  throw Object.assign(new Error('the server no longer speaks HTTP/2'), { code: 'ECONNRESET' });
}

/**
 * Calls over HTTP/2: one connection for calls and the first 60 watches, another for each further 60. `forget` is called when the
 * server no longer speaks it.
 */
export function openHttp2Lane({ config, ports, first, dialAs }: Dialled, forget: () => void): Lane {
  const links = new Set<Link>();
  const openSocket = firstThen(first, () => dialHttp2(dialAs, forget));

  const openLink = (): Link => {
    const link: Link = {
      socket: undefined,
      long: 0,
      open: 0,
      end: new AbortController(),
      client: new Client(new URL(config.server).origin, {
        connect: connectorOf(async () => {
          const socket = await openSocket();
          link.socket = socket;
          return socket;
        }),
        allowH2: true,
        keepAliveTimeout: 600_000,
        // The socket's own limit is the remote's; undici's default would queue calls behind a hundred watches.
        h2Options: { pingInterval: pingMs, maxConcurrentStreams: 1_000 },
        pipelining: 1_000,
      }),
    };
    links.add(link);
    void guard(link);
    return link;
  };

  const retire = (link: Link, why: Error): void => {
    links.delete(link);
    link.end.abort(why);
    link.client.destroy(why).catch(() => undefined);
  };

  /** Pings bring an answer every 15 s from a living server; no byte for 45 s while streams wait means a dead link. */
  async function guard(link: Link): Promise<void> {
    let seenBytes = -1;
    let quietMs = 0;
    while (await slept(ports.clock, link.end.signal)) {
      const bytes = link.socket?.bytesRead ?? 0;
      quietMs = bytes === seenBytes && link.open > 0 ? quietMs + pingMs : 0;
      seenBytes = bytes;
      if (quietMs < linkDeadMs) continue;
      ports.log.warn('connection to the API server is dead', { server: config.server, quietMs });
      retire(link, deadLink(quietMs));
    }
  }

  const linkFor = (long: boolean): Link => {
    const [primary] = links;
    if (!long) return primary ?? openLink();
    for (const link of links) if (link.long < maxLongStreams) return link;
    return openLink();
  };

  const send = async (request: WireRequest): Promise<WireResponse> => {
    const link = linkFor(request.long);
    const over = count(link, request.long);
    const isDead = watchSilence(link);
    try {
      const response = await sendOn(link.client, request);
      response.body.once('close', over);
      return response;
    } catch (error) {
      over();
      // A call that timed out while not even a ping came back need not wait for the guard: the next call gets a new link.
      if (request.signal.aborted && isDead()) retire(link, deadLink(pingMs));
      throw error;
    }
  };

  subscribe(streamCreated, expectErrors);

  const retireAll = (why: string): void => {
    for (const link of [...links]) retire(link, Object.assign(new Error(why), { code: 'UND_ERR_CLOSED' }));
  };

  return {
    send,
    renew: () => retireAll('connection renewed'),
    close: () => {
      retireAll('the client is closed');
      unsubscribe(streamCreated, expectErrors);
      if (!first.destroyed) first.destroy();
      return Promise.resolve();
    },
  };
}

/** Waits for one ping interval; false when ended first. */
const slept = (clock: Clock, signal: AbortSignal): Promise<boolean> =>
  clock.sleep(pingMs, signal).then(
    () => true,
    () => false,
  );

const deadLink = (quietMs: number): Error =>
  Object.assign(new Error(`no sign of life for ${quietMs} ms`), { code: 'ETIMEDOUT' });

/** From now on: whether the link has been silent for so long that at least one ping went unanswered. */
function watchSilence(link: Link): () => boolean {
  const [startedMs, startedBytes] = [performance.now(), link.socket?.bytesRead];
  return () =>
    startedBytes !== undefined &&
    link.socket?.bytesRead === startedBytes &&
    performance.now() - startedMs > pingMs + 5_000;
}

/** Counts a stream on its link until the answer is called. */
function count(link: Link, long: boolean): () => void {
  let over = false;
  link.open += 1;
  if (long) link.long += 1;
  return () => {
    if (over) return;
    over = true;
    link.open -= 1;
    if (long) link.long -= 1;
  };
}
