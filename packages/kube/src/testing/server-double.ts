import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { isRecord, parseJson, stringifyJson, type KubeObject } from '@tiphys/api';

/*
 * A server for the tests of this package: a few resources, kept in memory, behind the wire protocol of a Kubernetes API server
 * (pages, watch streams, bookmarks, 410, Status), over HTTP/1.1 or HTTP/2, which can be made to misbehave. It proves how the
 * client treats the wire; what a cluster means is proved by test/conformance.
 */

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

export type SeenRequest = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  httpVersion: string;
  body: string;
}>;

/** Answers a request instead of the double; false lets the double answer. */
export type Intercept = (seen: SeenRequest, response: Response) => boolean;

type Event = Readonly<{ version: number; type: string; object: KubeObject }>;
type Watcher = { readonly namespace: string | undefined; readonly response: Response };

export type DoubleOptions = Readonly<{
  protocol: 'http' | 'https' | 'h2';
  /** Only the older discovery documents. */
  legacyDiscovery?: boolean;
  port?: number;
}>;

const read = (file: string): string => readFileSync(new URL(`testdata/${file}`, import.meta.url), 'utf8');

/** Certificate and key of the double; it signs itself, so the certificate is its own authority. */
export const loopback = { cert: read('loopback.crt'), key: read('loopback.key') };

export const configMapResource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  namespaced: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['cm'],
  categories: [],
  subresources: [],
  preferred: true,
} as const;

export class ServerDouble implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly objects = new Map<string, KubeObject>();
  /** Called first for each request. */
  intercept: Intercept | undefined;
  /** Plurals that exist beside configmaps, by group (`apps`: `deployments`). */
  readonly extra: { group: string; kind: string; plural: string }[] = [];
  /** Whether configmaps are served. */
  served = true;
  connections = 0;
  /** Common names of the client certificates that were shown, one for each TLS connection. */
  readonly peers: string[] = [];
  readonly #options: DoubleOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #events: Event[] = [];
  #version = 100;
  /** Versions below are forgotten. */
  #oldest = 0;
  #server: Server;
  #port = 0;

  constructor(options: DoubleOptions) {
    this.#options = options;
    this.#server = this.#make();
  }

  static async start(options: DoubleOptions): Promise<ServerDouble> {
    const double = new ServerDouble(options);
    await double.listen(options.port ?? 0);
    return double;
  }

  get url(): string {
    return `${this.#options.protocol === 'http' ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get watching(): number {
    return this.#watchers.size;
  }

  get version(): number {
    return this.#version;
  }

  async listen(port: number): Promise<void> {
    this.#server = this.#make();
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (isRecord(address) && typeof address['port'] === 'number') this.#port = address['port'];
  }

  /** Goes away: all connections break, the port is closed. */
  async down(): Promise<void> {
    this.#watchers.clear();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Comes back on the same port. */
  up(): Promise<void> {
    return this.listen(this.#port);
  }

  put(name: string, data: Record<string, unknown> = {}, namespace = 'default'): KubeObject {
    const key = `${namespace}/${name}`;
    this.#version += 1;
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: String(this.#version) },
      data,
    };
    this.#tell(this.objects.has(key) ? 'MODIFIED' : 'ADDED', object);
    this.objects.set(key, object);
    return object;
  }

  remove(name: string, namespace = 'default'): void {
    const object = this.objects.get(`${namespace}/${name}`);
    if (object === undefined) return;
    this.objects.delete(`${namespace}/${name}`);
    this.#version += 1;
    this.#tell('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } });
  }

  bookmark(): void {
    this.#version += 1;
    const metadata = { resourceVersion: String(this.#version), creationTimestamp: null };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    for (const { response } of this.#watchers) sendEvent(response, 'BOOKMARK', object);
  }

  /** Forgets all history; `tellWatchers` ends their streams as a server does whose cache was compacted. */
  compact(watchers: 'tell-watchers' | 'leave-watchers'): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.#events = [];
    if (watchers === 'leave-watchers') return;
    for (const { response } of this.#watchers) {
      sendEvent(response, 'ERROR', expired);
      response.end();
    }
    this.#watchers.clear();
  }

  /** Ends every watch as if its time was up. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  #make(): Server {
    const handle = (request: Request, response: Response): void => {
      void this.#answer(request, response);
    };
    const tls = { ...loopback, requestCert: true, rejectUnauthorized: false };
    const server =
      this.#options.protocol === 'http'
        ? createServer(handle)
        : this.#options.protocol === 'https'
          ? createTlsServer(tls, handle)
          : // As a Kubernetes API server: both, by what the client offers.
            createSecureServer({ ...tls, allowHTTP1: true }, handle);
    server.on('secureConnection', (socket: TLSSocket) => {
      // Without a certificate it answers with an empty object, which its type does not say.
      const shown: Partial<PeerCertificate> = socket.getPeerCertificate();
      this.peers.push(String(shown.subject?.CN ?? ''));
    });
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  #tell(type: string, object: KubeObject): void {
    this.#events.push({ version: this.#version, type, object });
    for (const { namespace, response } of this.#watchers)
      if (namespace === undefined || namespace === object.metadata.namespace) sendEvent(response, type, object);
  }

  async #answer(request: Request, response: Response): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://double');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      httpVersion: request.httpVersion,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(seen);
    if (this.intercept?.(seen, response) === true) return;
    if (url.pathname === '/version') send(response, 200, { gitVersion: 'v1.35.0', major: '1', minor: '35' });
    else if (url.pathname === '/api' || url.pathname === '/apis') this.#discover(seen, response);
    else if (url.pathname === '/api/v1') this.#legacyList('', response);
    else if (/^\/apis\/[^/]+\/v1$/.test(url.pathname)) this.#legacyList(url.pathname.split('/')[2] ?? '', response);
    else this.#resource(seen, response);
  }

  #groups(): Map<string, { group: string; kind: string; plural: string }[]> {
    const own = this.served ? [{ group: '', kind: 'ConfigMap', plural: 'configmaps' }] : [];
    return Map.groupBy([...own, { group: '', kind: 'Secret', plural: 'secrets' }, ...this.extra], ({ group }) => group);
  }

  #discover({ path, headers }: SeenRequest, response: Response): void {
    const groups = [...this.#groups()].filter(([group]) => (path === '/api') === (group === ''));
    if (this.#options.legacyDiscovery === true) {
      const names = groups.map(([name]) => ({ name, versions: [{ groupVersion: `${name}/v1`, version: 'v1' }] }));
      send(
        response,
        200,
        path === '/api' ? { kind: 'APIVersions', versions: ['v1'] } : { kind: 'APIGroupList', groups: names },
      );
      return;
    }
    const items = groups.map(([name, resources]) => ({
      metadata: { name },
      versions: [{ version: 'v1', freshness: 'Current', resources: resources.map(aggregatedResource) }],
    }));
    const body = stringifyJson({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items });
    const etag = `"${body.length}-${items.length}"`;
    response.setHeader('etag', etag);
    if (headers['if-none-match'] === etag) {
      response.statusCode = 304;
      response.end();
    } else send(response, 200, body);
  }

  #legacyList(group: string, response: Response): void {
    const resources = (this.#groups().get(group) ?? []).flatMap(({ plural, kind }) => [
      { name: plural, singularName: '', namespaced: true, kind, verbs: ['get', 'list', 'watch'] },
      { name: `${plural}/status`, singularName: '', namespaced: true, kind, verbs: ['get'] },
    ]);
    send(response, 200, { kind: 'APIResourceList', groupVersion: group === '' ? 'v1' : `${group}/v1`, resources });
  }

  #resource(seen: SeenRequest, response: Response): void {
    const match = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/configmaps(?:\/([^/]+))?$/.exec(seen.path);
    if (match === null || !this.served) {
      response.setHeader('content-type', 'text/plain');
      response.statusCode = 404;
      response.end('404 page not found\n');
      return;
    }
    const [, namespace, name] = match;
    if (name !== undefined) this.#one(seen, response, `${namespace ?? ''}/${name}`);
    else if (seen.query.get('watch') === 'true') this.#watch(seen, response, namespace);
    else if (seen.method === 'POST') this.#create(seen, response);
    else this.#list(seen, response, namespace);
  }

  #one(seen: SeenRequest, response: Response, key: string): void {
    const object = this.objects.get(key);
    const name = key.split('/')[1] ?? '';
    if (object === undefined)
      send(response, 404, status(404, 'NotFound', { message: `configmaps "${name}" not found`, details: { name } }));
    else if (seen.method === 'DELETE') {
      this.remove(name, key.split('/')[0]);
      send(response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
    } else send(response, 200, object);
  }

  #create(seen: SeenRequest, response: Response): void {
    const object = parseJson(seen.body);
    send(response, 201, isRecord(object) ? object : {});
  }

  #list({ query }: SeenRequest, response: Response, namespace: string | undefined): void {
    const limit = Number(query.get('limit') ?? '0');
    const [version = String(this.#version), from = '0'] = (query.get('continue') ?? '')
      .split(':')
      .filter((part) => part !== '');
    if (query.has('continue') && Number(version) < this.#oldest) {
      send(response, 410, expired);
      return;
    }
    const all = [...this.objects.values()].filter(
      (one) => namespace === undefined || one.metadata.namespace === namespace,
    );
    const page = limit === 0 ? all : all.slice(Number(from), Number(from) + limit);
    const next = Number(from) + page.length;
    // As a server of typed objects does: the kind is said once, for the list.
    const items = page.map((one) => ({
      metadata: one.metadata,
      ...(one['data'] === undefined ? {} : { data: one['data'] }),
    }));
    const metadata = {
      resourceVersion: version,
      ...(next < all.length && limit > 0 ? { continue: `${version}:${next}` } : {}),
    };
    send(response, 200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata, items });
  }

  #watch({ query }: SeenRequest, response: Response, namespace: string | undefined): void {
    const from = Number(query.get('resourceVersion') ?? '0');
    if (from < this.#oldest) {
      send(response, 410, expired);
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.statusCode = 200;
    if ('flushHeaders' in response) response.flushHeaders();
    const watcher = { namespace, response };
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
    for (const { version, type, object } of this.#events) if (version > from) sendEvent(response, type, object);
  }
}

const aggregatedResource = ({ kind, plural }: { kind: string; plural: string }): Record<string, unknown> => ({
  resource: plural,
  responseKind: { group: '', version: '', kind },
  scope: 'Namespaced',
  singularResource: kind.toLowerCase(),
  verbs: ['get', 'list', 'watch', 'create', 'delete', 'patch', 'update'],
  shortNames: kind === 'ConfigMap' ? ['cm'] : [],
  subresources: [{ subresource: 'status', verbs: ['get'] }],
});

/** A metav1.Status of a failure. */
export const status = (
  code: number,
  reason: string,
  { message, details }: { message: string; details?: unknown },
): Record<string, unknown> => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  code,
  ...(details === undefined ? {} : { details }),
});

const expired = status(410, 'Expired', { message: 'too old resource version' });

export function send(response: Response, code: number, body: unknown): void {
  response.statusCode = code;
  response.setHeader('content-type', 'application/json');
  response.end(typeof body === 'string' ? body : stringifyJson(body));
}

function sendEvent(response: Response, type: string, object: unknown): void {
  // Both classes have `write`, with signatures that TypeScript cannot unite.
  const line = Buffer.from(`${stringifyJson({ type, object })}\n`);
  if ('stream' in response) response.write(line);
  else response.write(line);
}
