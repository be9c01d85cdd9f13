import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { KubeError } from './error.ts';
import type { ClusterConfig } from './types.ts';

/** A client certificate and its key, PEM. */
export type TlsIdentity = Readonly<{ cert: string; key: string }>;

export type DialOptions = Readonly<{
  protocols: readonly ('h2' | 'http/1.1')[];
  identity: TlsIdentity | undefined;
  timeoutMs: number;
}>;

/** The sockets whose other end vanished without a word are found by keep-alive probes after this long. */
const keepAliveMs = 30_000;

const portOf = (url: URL): number => (url.port !== '' ? Number(url.port) : url.protocol === 'https:' ? 443 : 80);

/** IPv6 hosts are bracketed in URLs and nowhere else. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

function opened(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
      socket.destroy(error);
      reject(error);
    }, timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const closed = (): void =>
      fail(Object.assign(new Error('connection closed while opening'), { code: 'ECONNRESET' }));
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      socket.removeListener('close', closed);
      resolve();
    });
  });
}

async function openTcp(url: URL, timeoutMs: number): Promise<Socket> {
  const socket = connectTcp({ host: hostOf(url), port: portOf(url) });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  await opened(socket, 'connect', timeoutMs);
  return socket;
}

/** Reads the proxy's answer to CONNECT: up to the empty line, and not a byte more. */
function readConnectAnswer(socket: Socket, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    const over = (): void => {
      clearTimeout(timer);
      socket.removeListener('readable', read);
      socket.removeListener('error', fail);
      socket.removeListener('close', fail);
    };
    const fail = (error?: unknown): void => {
      over();
      socket.destroy();
      reject(error instanceof Error ? error : new Error('the proxy closed the connection'));
    };
    const read = (): void => {
      for (let byte = take(socket); byte !== undefined; byte = take(socket)) {
        head += byte;
        if (head.endsWith('\r\n\r\n')) {
          over();
          resolve(head);
          return;
        }
        if (head.length > 16_384) {
          fail(new Error('the proxy answered with more than 16 KiB of header'));
          return;
        }
      }
    };
    const timer = setTimeout(() => fail(new Error(`no answer from the proxy within ${timeoutMs} ms`)), timeoutMs);
    socket.on('readable', read);
    socket.once('error', fail);
    socket.once('close', fail);
  });
}

function take(socket: Socket): string | undefined {
  const chunk: unknown = socket.read(1);
  return Buffer.isBuffer(chunk) ? chunk.toString('latin1') : undefined;
}

async function openTunnel(target: URL, proxyUrl: string, timeoutMs: number): Promise<Socket> {
  const proxy = new URL(proxyUrl);
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
    throw new KubeError('kubeconfig/invalid', `proxy-url: ${proxy.protocol} is not supported; use http: or https:`, {
      status: 0,
      reason: '',
      causes: [],
    });
  let socket = await openTcp(proxy, timeoutMs);
  if (proxy.protocol === 'https:') {
    const secure = connectTls({ socket, servername: hostOf(proxy) });
    await opened(secure, 'secureConnect', timeoutMs);
    socket = secure;
  }
  const authority = `${target.hostname}:${portOf(target)}`;
  const login =
    proxy.username === ''
      ? ''
      : `Proxy-Authorization: Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString('base64')}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`);
  const answer = await readConnectAnswer(socket, timeoutMs);
  if (!/^HTTP\/1\.[01] 2\d\d/.test(answer)) {
    socket.destroy();
    throw new Error(`the proxy ${proxy.host} refused the tunnel: ${answer.slice(0, answer.indexOf('\r\n'))}`);
  }
  return socket;
}

/** Whether a TLS server name may be sent: names only, never addresses (RFC 6066). */
const serverNameFor = (config: ClusterConfig, url: URL): string => {
  if (config.tlsServerName !== undefined) return config.tlsServerName;
  const host = hostOf(url);
  return /^[\d.]+$|:/.test(host) ? '' : host;
};

/** Opens a connection to the cluster's API server: TCP, through the proxy where there is one, and TLS for https. */
export async function dial(config: ClusterConfig, options: DialOptions): Promise<{ socket: Socket; protocol: string }> {
  const url = new URL(config.server);
  const { timeoutMs } = options;
  const raw =
    config.proxyUrl === undefined ? await openTcp(url, timeoutMs) : await openTunnel(url, config.proxyUrl, timeoutMs);
  if (url.protocol === 'http:') return { socket: raw, protocol: 'http/1.1' };
  const secure = connectTls({
    socket: raw,
    host: config.tlsServerName ?? hostOf(url),
    servername: serverNameFor(config, url),
    ALPNProtocols: [...options.protocols],
    rejectUnauthorized: config.insecure !== true,
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(options.identity ?? {}),
  });
  await opened(secure, 'secureConnect', timeoutMs);
  return { socket: secure, protocol: typeof secure.alpnProtocol === 'string' ? secure.alpnProtocol : 'http/1.1' };
}
