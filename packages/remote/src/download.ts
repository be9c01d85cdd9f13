import { lookup as lookupAll } from 'node:dns/promises';
import {
  Agent as PlainAgent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { CodedError, describeRepository, isCoded, messageOf, within } from '@tiphys/api';
import { classOf } from './address.ts';
import { proxyFor, type ProxyVariables } from './proxy.ts';

/** How the host of a URL may be reached. */
export type HostTrust = Readonly<{
  /** Somebody who may has registered a repository on this host and port: its address may be internal. */
  registered: boolean;
  /** Certificates (PEM) that are trusted for it, in place of the system's. */
  caPem?: string | undefined;
}>;

export type DownloadPorts = Readonly<{
  /** How the host and port of a URL may be reached; asked again for each redirect. */
  trust: (url: string) => HostTrust;
  /** All addresses of a name; default: those of the system. */
  lookup?: (host: string) => Promise<readonly string[]>;
  /** Default: no proxy. */
  proxies?: ProxyVariables;
}>;

export type DownloadLimits = Readonly<{ timeoutMs: number; maxBytes: number }>;

const maxRedirects = 5;

const systemLookup = async (host: string): Promise<readonly string[]> =>
  (await lookupAll(host, { all: true })).map(({ address }) => address);

/** A URL without what may be secret in it: user, password, and what follows the path. */
export const describeUrl = ({ protocol, host, pathname }: URL): string => `${protocol}//${host}${pathname}`;

const unreachable = (url: URL, why: string): CodedError =>
  new CodedError('remote/unreachable', `${describeUrl(url)}: ${why}`);

/**
 * The addresses of a host that may be asked. They are what the connection is made to: a name that means something else a moment
 * later changes nothing.
 * @throws CodedError remote/address-forbidden, remote/unreachable
 */
async function addressesOf(
  url: URL,
  { registered }: HostTrust,
  lookup: DownloadPorts['lookup'] = systemLookup,
): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const all =
    isIP(host) > 0
      ? [host]
      : await lookup(host).catch((error: unknown) => {
          throw unreachable(url, messageOf(error));
        });
  const allowed = all.filter((address) => {
    const found = classOf(address);
    return found === 'public' || (found === 'internal' && registered);
  });
  if (allowed.length > 0) return allowed;
  const hint = all.some((address) => classOf(address) === 'internal')
    ? '; it is asked only when a repository on this host and port is registered'
    : '';
  throw new CodedError(
    'remote/address-forbidden',
    `${describeUrl(url)}: ${all.length === 0 ? 'the host has no address' : `${host} is at an internal address (${all.join(', ')})${hint}`}`,
  );
}

/** Connects to these addresses and no others, whatever the name stands for by then. */
const pinned =
  (addresses: readonly string[]): LookupFunction =>
  (_host, options, done) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    const [first] = found;
    if (options.all === true) done(null, found);
    else done(null, first?.address ?? '', first?.family);
  };

/** How a connection is made. It is shared with nobody: it might lead to where another one may not go. */
type Way = Disposable & Readonly<{ options: Pick<RequestOptions, 'agent' | 'lookup'> }>;

async function wayTo(
  url: URL,
  { trust, proxy, lookup }: Readonly<{ trust: HostTrust; proxy: string | undefined; lookup: DownloadPorts['lookup'] }>,
): Promise<Way> {
  if (proxy === undefined) {
    const addresses = await addressesOf(url, trust, lookup);
    return { options: { agent: false, lookup: pinned(addresses) }, [Symbol.dispose]: () => {} };
  }
  // Where a proxy leads is for the proxy to say; what the name is known as here counts all the same, if it is known here at all.
  await addressesOf(url, trust, lookup).catch((error: unknown) => {
    if (!isCoded(error, 'remote/unreachable')) throw error;
  });
  const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const agent = new (url.protocol === 'https:' ? TlsAgent : PlainAgent)({ keepAlive: false, proxyEnv });
  return { options: { agent }, [Symbol.dispose]: () => agent.destroy() };
}

type Reply = { kind: 'redirect'; to: URL } | { kind: 'body'; body: Buffer };

async function bodyOf(response: IncomingMessage, url: URL, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > maxBytes)
      throw new CodedError('remote/too-large', `${describeUrl(url)}: the file is larger than ${maxBytes} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

function redirectOf({ headers }: IncomingMessage, url: URL): URL {
  const to = URL.parse(headers.location ?? '', url.href);
  if (to === null) throw unreachable(url, 'it redirects to nowhere');
  // What was asked for in secret is not fetched in the open.
  if (to.protocol !== 'https:' && (to.protocol !== 'http:' || url.protocol === 'https:'))
    throw new CodedError('remote/address-forbidden', `${describeUrl(url)}: it redirects to ${to.protocol}//${to.host}`);
  return to;
}

async function ask(
  url: URL,
  ports: DownloadPorts,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Reply> {
  const trust = ports.trust(url.href);
  const proxy = proxyFor(url, ports.proxies ?? {});
  using way = await within(wayTo(url, { trust, proxy, lookup: ports.lookup }), signal);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options: RequestOptions & { ca?: string } = {
    signal,
    ...way.options,
    headers: { accept: '*/*' },
    ...(trust.caPem !== undefined && { ca: trust.caPem }),
  };
  const sent: ClientRequest = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options);
  // Listened to for good: a connection may break once more after its answer has begun.
  sent.once('response', resolve).on('error', reject).end();
  const response = await promise;
  try {
    const { statusCode = 0 } = response;
    if ([301, 302, 303, 307, 308].includes(statusCode)) return { kind: 'redirect', to: redirectOf(response, url) };
    if (statusCode === 404 || statusCode === 410)
      throw new CodedError('remote/not-found', `${describeUrl(url)}: it does not exist (${statusCode})`);
    if (statusCode !== 200) throw unreachable(url, `the server answers with ${statusCode}`);
    return { kind: 'body', body: await bodyOf(response, url, maxBytes) };
  } finally {
    response.destroy();
  }
}

/**
 * Fetches a file for somebody who may name any URL: by http or https, from public addresses, and from internal ones only where a
 * repository is registered. The same counts for every redirect. Nobody's credentials go along but those in the URL, to its own host.
 * @throws CodedError remote/address-forbidden, remote/not-found, remote/unreachable, remote/too-large
 */
export async function download(
  text: string,
  ports: DownloadPorts & Readonly<{ limits: DownloadLimits }>,
  signal: AbortSignal,
): Promise<Buffer> {
  const { timeoutMs, maxBytes } = ports.limits;
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  const first = URL.parse(text);
  if (first === null || !/^https?:$/.test(first.protocol))
    throw new CodedError('remote/unsupported', `${describeRepository(text)}: files are fetched by http and https only`);
  let url: URL = first;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const reply: Reply = await ask(url, ports, { maxBytes, signal: either }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      if (deadline.aborted) throw unreachable(url, `it did not answer within ${timeoutMs / 1000} s`);
      if (error instanceof CodedError) throw error;
      throw unreachable(url, messageOf(error));
    });
    if (reply.kind === 'body') return reply.body;
    url = reply.to;
  }
  throw unreachable(url, `more than ${maxRedirects} redirects`);
}
