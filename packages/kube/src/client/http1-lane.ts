import { Agent, type IncomingMessage, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';
import { clientClosed, type Dialled, firstThen, type Lane, type WireRequest, type WireResponse } from './lane.ts';

/** A connection without a call is closed after this long. */
const idleMs = 30_000;

/** Keeps connections for further calls; sockets come from `open`. */
class KeepAlive extends Agent {
  readonly #open: () => Promise<Socket>;
  #closed = false;

  constructor(open: () => Promise<Socket>) {
    super({ keepAlive: true, keepAliveMsecs: idleMs, timeout: idleMs });
    this.#open = open;
  }

  override createConnection(_options: unknown, done?: (error: Error | null, socket: Socket) => void): undefined {
    // With an error it is called without a socket, which its type does not say.
    const fail = done as ((error: Error) => void) | undefined;
    this.#open().then(
      (socket) => {
        if (!this.#closed) {
          done?.(null, socket);
          return;
        }
        socket.destroy();
        fail?.(clientClosed());
      },
      (error: unknown) => fail?.(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Lets the calls under way end, and keeps none of their connections. */
  retire(): void {
    this.on('free', (socket: Socket) => socket.destroy());
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  override destroy(): void {
    this.#closed = true;
    super.destroy();
  }
}

/** Without a first socket the first call opens it. */
type Http1Dialled = Pick<Dialled, 'config' | 'dialAs'> & Readonly<{ first: Socket | undefined }>;

/**
 * Calls over HTTP/1.1: a connection for each that is under way, kept for the next. By Node's own client, which is in Node's start
 * image: a short command opens its only connection with it before undici would have been read.
 */
export function openHttp1Lane({ config, first, dialAs }: Http1Dialled): Lane {
  const { host, hostname, port } = new URL(config.server);
  const another = async (): Promise<Socket> => (await dialAs(['http/1.1'])).socket;
  const open = first === undefined ? another : firstThen(first, another);
  let agent = new KeepAlive(open);

  const send = ({ method, path, headers, body, signal }: WireRequest): Promise<WireResponse> =>
    new Promise((resolve, reject) => {
      // Node leaves the length of a DELETE's body out.
      const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
      const all = { ...headers, ...length, host };
      const sent = startRequest({ agent, method, path, hostname, port, headers: all, signal });
      sent.once('response', (response: IncomingMessage) =>
        resolve({ statusCode: response.statusCode ?? 0, headers: response.headers, body: response }),
      );
      // Once the answer has begun, its body tells of errors.
      sent.on('error', reject);
      sent.end(body);
    });

  return {
    send,
    renew: () => {
      agent.retire();
      agent = new KeepAlive(open);
    },
    close: () => {
      agent.destroy();
      first?.destroy();
      return Promise.resolve();
    },
  };
}
