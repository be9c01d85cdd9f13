import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock, Logger } from '@tiphys/api';
import type { TlsIdentity } from './dial.ts';
import type { ClusterConfig } from './types.ts';

export type WireRequest = Readonly<{
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  headers: Record<string, string | string[]>;
  body: string | Uint8Array | null;
  signal: AbortSignal;
  /** A stream that stays open. */
  long: boolean;
}>;

/** The body must be read to its end or destroyed. */
export type WireResponse = Readonly<{ statusCode: number; headers: IncomingHttpHeaders; body: Readable }>;

export type ConnectionPorts = Readonly<{
  log: Logger;
  clock: Clock;
  identity: (signal: AbortSignal) => Promise<TlsIdentity | undefined>;
}>;

/** Calls to one API server, in one version of HTTP. */
export type Lane = Readonly<{
  send: (request: WireRequest) => Promise<WireResponse>;
  /** Closes connections so that the next call opens a new one: after a new client certificate. */
  renew: () => void;
  close: () => Promise<void>;
}>;

/** The socket of the first handshake, and how further ones are opened. */
export type Dialled = Readonly<{
  config: ClusterConfig;
  ports: ConnectionPorts;
  first: Socket;
  dialAs: (protocols: readonly ('h2' | 'http/1.1')[]) => Promise<{ socket: Socket; protocol: string }>;
}>;

/** Why a call to a client that was closed fails. */
export const clientClosed = (): Error => Object.assign(new Error('the client is closed'), { code: 'UND_ERR_CLOSED' });

/** Hands the socket of the first handshake to whoever opens first. */
export function firstThen(first: Socket, open: () => Promise<Socket>): () => Promise<Socket> {
  let waiting = first.destroyed ? undefined : first;
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
