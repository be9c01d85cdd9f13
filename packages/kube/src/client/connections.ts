import { EventEmitter } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Dispatcher, buildConnector } from 'undici';
// By file: the index brings fetch, mocks and caches along, whose loading is half of what a short command costs. The version is pinned.
import requestThrough from 'undici/lib/api/api-request.js';
import Client from 'undici/lib/dispatcher/client.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Clock, Logger } from '@tiphys/api';
import { dial, type TlsIdentity } from './dial.ts';
import type { ClusterConfig } from './types.ts';

/** Streams that stay open (watches) on one connection: servers allow about 100 streams, and calls need room. */
const maxLongStreams = 60;

/** A connection with an unanswered ping for so long is dead: its streams are failed, so that their owners reconnect. */
const linkDeadMs = 45_000;
const pingMs = 15_000;
const connectTimeoutMs = 10_000;

export type WireRequest = Readonly<{
  method: Dispatcher.HttpMethod;
  path: string;
  headers: Record<string, string | string[]>;
  body: string | Uint8Array | null;
  signal: AbortSignal;
  /** A stream that stays open. */
  long: boolean;
}>;

/** The body must be read to its end or destroyed. */
export type WireResponse = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

export type Connections = Readonly<{
  send: (request: WireRequest) => Promise<WireResponse>;
  /** Closes connections so that the next call opens a new one: after a new client certificate. */
  renew: () => void;
  close: () => Promise<void>;
}>;

export type ConnectionPorts = Readonly<{
  log: Logger;
  clock: Clock;
  identity: (signal: AbortSignal) => Promise<TlsIdentity | undefined>;
}>;

type Link = {
  readonly client: Client;
  readonly end: AbortController;
  socket: Socket | undefined;
  long: number;
  open: number;
};

/** What of `Connections` differs between HTTP/2 and HTTP/1.1. */
type Lane = Readonly<{ send: Connections['send']; renew: () => void; close: () => Promise<void> }>;

const never = new AbortController().signal;

/** undici asks for sockets through a callback. */
const connectorOf =
  (open: () => Promise<Socket>): buildConnector.connector =>
  (_options, callback) => {
    open().then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };

/**
 * The connections to one API server: one HTTP/2 connection for calls and the first 60 watches, another for each further 60;
 * HTTP/1.1 with keep-alive where the server offers no more. What it speaks is learnt from the first handshake.
 */
export function openConnections(config: ClusterConfig, ports: ConnectionPorts): Connections {
  let lane: Promise<Lane> | undefined;
  let closed = false;

  const dialAs = async (protocols: readonly ('h2' | 'http/1.1')[]): Promise<{ socket: Socket; protocol: string }> =>
    dial(config, { protocols, identity: await ports.identity(never), timeoutMs: connectTimeoutMs });

  // Each group is a header line of its own; undici joins equal lines with commas over HTTP/2.
  const manyGroups = (config.impersonate?.groups?.length ?? 0) > 1;

  const negotiate = async (): Promise<Lane> => {
    const first = await dialAs(manyGroups ? ['http/1.1'] : ['h2', 'http/1.1']);
    const forget = (): void => {
      lane = undefined;
    };
    const dialled = { config, ports, first: first.socket, dialAs };
    return first.protocol === 'h2' ? openHttp2Lane(dialled, forget) : openHttp1Lane(dialled);
  };

  const laneNow = (): Promise<Lane> => {
    if (lane === undefined) {
      const opening = negotiate();
      lane = opening;
      // A failed handshake is tried anew by the next call.
      opening.catch(() => {
        if (lane === opening) lane = undefined;
      });
    }
    return lane;
  };

  return {
    send: async (request) => {
      if (closed) throw Object.assign(new Error('the client is closed'), { code: 'UND_ERR_CLOSED' });
      return (await laneNow()).send(request);
    },
    renew: () => void lane?.then((open) => open.renew()).catch(() => undefined),
    close: async () => {
      closed = true;
      await lane?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
}

type Dialled = Readonly<{
  config: ClusterConfig;
  ports: ConnectionPorts;
  first: Socket;
  dialAs: (protocols: readonly ('h2' | 'http/1.1')[]) => Promise<{ socket: Socket; protocol: string }>;
}>;

/** Hands the socket of the first handshake to whoever opens first. */
function firstThen(first: Socket, open: () => Promise<Socket>): () => Promise<Socket> {
  let waiting: Socket | undefined = first;
  const drop = (): void => {
    waiting = undefined;
  };
  first.once('error', drop);
  first.once('close', drop);
  return () => {
    const socket = waiting;
    if (socket === undefined) return open();
    socket.removeListener('error', drop);
    socket.removeListener('close', drop);
    waiting = undefined;
    return Promise.resolve(socket);
  };
}

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

function openHttp1Lane({ config, first, dialAs }: Dialled): Lane {
  const openSocket = firstThen(first, async () => (await dialAs(['http/1.1'])).socket);
  const makePool = (): Pool =>
    new Pool(new URL(config.server).origin, {
      connect: connectorOf(openSocket),
      allowH2: false,
      pipelining: 1,
      connections: null,
      keepAliveTimeout: 30_000,
    });
  let pool = makePool();
  return {
    send: (request) => sendOn(pool, request),
    renew: () => {
      void pool.close();
      pool = makePool();
    },
    close: () => pool.destroy(),
  };
}

/** Opens another HTTP/2 connection. When the server behind the address was replaced by one without it, all starts over. */
async function dialHttp2(dialAs: Dialled['dialAs'], forget: () => void): Promise<Socket> {
  const { socket, protocol } = await dialAs(['h2', 'http/1.1']);
  if (protocol === 'h2') return socket;
  socket.destroy();
  forget();
  throw Object.assign(new Error('the server no longer speaks HTTP/2'), { code: 'ECONNRESET' });
}

function openHttp2Lane({ config, ports, first, dialAs }: Dialled, forget: () => void): Lane {
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
