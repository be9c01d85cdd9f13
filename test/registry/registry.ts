import { createHash, randomUUID } from 'node:crypto';
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueServerCredential } from '@tiphys/kube-sim';

/** How a registry asks who comes: with `basic` at every request, with `token` by way of a token service of its own. */
export type RegistryLogin = Readonly<{ username: string; password: string; by: 'basic' | 'token' }>;

export type RegistryOptions = Readonly<{
  tls?: boolean;
  login?: RegistryLogin;
  /** Entries of one page of tags; more are behind a link. */
  pageSize?: number;
}>;

/** A registry on loopback. */
export type Registry = AsyncDisposable &
  Readonly<{
    /** `127.0.0.1:port`. */
    host: string;
    /** Of its certificate authority; '' without TLS. */
    caPem: string;
    /** `GET /v2/charts/shop/tags/list`, with a `+` behind it when it came with credentials. */
    requests: readonly string[];
    /** From now on every answer takes so long. */
    slowDown: (delayMs: number) => void;
    /** Puts something else into every blob, under the old digests. */
    corrupt: () => void;
    /** Answers for a blob with bytes that never end. */
    floodWith: (digest: string) => void;
  }>;

type Content = Readonly<{ body: Buffer; type: string }>;

type Repository = Readonly<{ blobs: Map<string, Buffer>; manifests: Map<string, Content>; tags: Map<string, string> }>;

const digestOf = (body: Buffer): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;
const maxBodyBytes = 64 * 1024 * 1024;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > maxBodyBytes) throw new Error('too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** An answer of the specification's error form. */
function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

type Asked = Readonly<{
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  repository: Repository;
  name: string;
}>;

class Contents {
  readonly #repositories = new Map<string, Repository>();
  readonly #uploads = new Map<string, Buffer>();
  readonly #floods = new Set<string>();
  readonly #pageSize: number;

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  repository(name: string): Repository {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const fresh: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.#repositories.set(name, fresh);
    return fresh;
  }

  floodWith(digest: string): void {
    this.#floods.add(digest);
  }

  corrupt(): void {
    for (const { blobs } of this.#repositories.values())
      for (const [digest, body] of blobs) blobs.set(digest, Buffer.alloc(body.length, 'x'));
  }

  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const found = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(url.pathname);
    if (found === null) {
      response.writeHead(url.pathname === '/v2/' ? 200 : 404).end();
      return;
    }
    const [, name = '', part = '', reference = ''] = found;
    const asked: Asked = { request, response, url, name, repository: this.repository(name) };
    if (part === 'tags') this.#tags(asked);
    else if (part === 'manifests') await this.#manifest(asked, decodeURIComponent(reference));
    else if (reference.startsWith('uploads/')) await this.#upload(asked, reference.slice('uploads/'.length));
    else this.#blob(asked, reference);
  }

  #tags({ response, url, name, repository }: Asked): void {
    if (repository.tags.size === 0) {
      refuse(response, 404, 'NAME_UNKNOWN');
      return;
    }
    const after = url.searchParams.get('last') ?? '';
    const rest = [...repository.tags.keys()].sort().filter((tag) => tag > after);
    const page = rest.slice(0, Math.min(this.#pageSize, Number(url.searchParams.get('n') ?? this.#pageSize)));
    const last = encodeURIComponent(page.at(-1) ?? '');
    const link = rest.length > page.length ? { link: `</v2/${name}/tags/list?last=${last}>; rel="next"` } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...link });
    response.end(JSON.stringify({ name, tags: page }));
  }

  async #manifest({ request, response, repository, name }: Asked, reference: string): Promise<void> {
    if (request.method === 'PUT') {
      const body = await bodyOf(request);
      const digest = digestOf(body);
      repository.manifests.set(digest, { body, type: request.headers['content-type'] ?? '' });
      if (!reference.startsWith('sha256:')) repository.tags.set(reference, digest);
      response.writeHead(201, { location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest }).end();
      return;
    }
    const digest = repository.tags.get(reference) ?? reference;
    const found = repository.manifests.get(digest);
    if (found === undefined) refuse(response, 404, 'MANIFEST_UNKNOWN');
    else this.#send({ request, response }, { digest, ...found });
  }

  #blob({ request, response, repository }: Asked, digest: string): void {
    if (this.#floods.has(digest)) {
      const zeros = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(zeros));
      };
      response.on('drain', more).on('error', () => {});
      more();
      return;
    }
    const body = repository.blobs.get(digest);
    if (body === undefined) refuse(response, 404, 'BLOB_UNKNOWN');
    else this.#send({ request, response }, { digest, body, type: 'application/octet-stream' });
  }

  #send({ request, response }: Pick<Asked, 'request' | 'response'>, content: Content & { digest: string }): void {
    const { digest, body, type } = content;
    response.writeHead(200, {
      'content-type': type,
      'content-length': body.length,
      'docker-content-digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  /** POST begins, PATCH adds, PUT with a digest ends; a POST with a digest is all of it. */
  async #upload({ request, response, url, repository, name }: Asked, id: string): Promise<void> {
    const upload = request.method === 'POST' ? randomUUID() : id;
    const before = this.#uploads.get(upload) ?? Buffer.alloc(0);
    const body = Buffer.concat([before, await bodyOf(request)]);
    const digest = url.searchParams.get('digest');
    if (digest === null) {
      this.#uploads.set(upload, body);
      const range = `0-${Math.max(0, body.length - 1)}`;
      response.writeHead(202, { location: `/v2/${name}/blobs/uploads/${upload}`, range }).end();
      return;
    }
    this.#uploads.delete(upload);
    if (digestOf(body) !== digest) {
      refuse(response, 400, 'DIGEST_INVALID');
      return;
    }
    repository.blobs.set(digest, body);
    response.writeHead(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest }).end();
  }
}

/** Who may in; the token of the token service counts for the life of the registry. */
class Door {
  readonly #login: RegistryLogin | undefined;
  readonly #token = randomUUID();

  constructor(login: RegistryLogin | undefined) {
    this.#login = login;
  }

  #isBasic(header: string): boolean {
    const { username, password } = this.#login ?? { username: '', password: '' };
    return header === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** Answers those who may not in, and those who ask for a token. True when the request goes on. */
  opens(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
    if (this.#login === undefined) return true;
    const header = request.headers.authorization ?? '';
    if (this.#login.by === 'token' && request.url?.startsWith('/token') === true) {
      if (!this.#isBasic(header)) refuse(response, 401, 'UNAUTHORIZED');
      else response.end(JSON.stringify({ token: this.#token, expires_in: 300 }));
      return false;
    }
    if (this.#login.by === 'basic' ? this.#isBasic(header) : header === `Bearer ${this.#token}`) return true;
    const challenge =
      this.#login.by === 'basic' ? 'Basic realm="registry"' : `Bearer realm="${origin}/token",service="registry"`;
    response.setHeader('www-authenticate', challenge);
    refuse(response, 401, 'UNAUTHORIZED');
    return false;
  }
}

/** Starts an empty registry of the OCI distribution protocol on loopback; README.md says what it leaves out. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { tls = false, login, pageSize = 100 } = options;
  const contents = new Contents(pageSize);
  const door = new Door(login);
  const requests: string[] = [];
  const state = { delayMs: 0, origin: '' };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(
      `${request.method ?? ''} ${request.url ?? ''}${request.headers.authorization === undefined ? '' : ' +'}`,
    );
    await sleep(state.delayMs);
    if (door.opens(request, response, state.origin))
      await contents.answer(request, response, new URL(request.url ?? '/', state.origin));
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const credential = tls ? issueServerCredential(['127.0.0.1', 'localhost'], new Date()) : undefined;
  const server: Server =
    credential === undefined
      ? createPlainServer(listener)
      : createTlsServer({ cert: credential.certificatePem, key: credential.keyPem }, listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  state.origin = `${tls ? 'https' : 'http'}://${host}`;
  return {
    host,
    caPem: credential?.caPem ?? '',
    requests,
    slowDown: (delayMs) => {
      state.delayMs = delayMs;
    },
    corrupt: () => contents.corrupt(),
    floodWith: (digest) => contents.floodWith(digest),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
