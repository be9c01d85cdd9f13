import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { Credential } from './certificate.ts';

type Handle = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => void;

/** A server that listens on the loopback address. */
export type Listener = Readonly<{ port: number; close: () => Promise<void> }>;

/** The port that a server listens on once it does. */
function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/**
 * Listens on the loopback address: HTTP/2 and HTTP/1.1 over TLS where a credential is given, else plain HTTP/1.1.
 * @param port 0 for a free one
 */
export async function listen(
  handle: Handle,
  { port, credential }: Readonly<{ port: number; credential: Credential | undefined }>,
): Promise<Listener> {
  const server =
    credential === undefined
      ? createHttpServer(handle)
      : createSecureServer(
          {
            allowHTTP1: true,
            key: credential.keyPem,
            cert: credential.certificatePem,
            settings: { maxConcurrentStreams: 1000 },
          },
          handle,
        );
  const sockets = new Set<Socket>();
  const remember = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that breaks off is no event for anybody.
    socket.on('error', () => socket.destroy());
  };
  server.on('connection', remember);
  const actual = await listening(server, port);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port: actual, close };
}
