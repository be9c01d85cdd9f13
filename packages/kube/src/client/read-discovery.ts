import { formatApiVersion, isCoded, listAt, parseJson, stringAt } from '@tiphys/api';
import type { Caller } from './caller.ts';
import { makeDiscovery, readAggregated, readResourceList } from './discovery.ts';
import type { ApiResource, CallOptions, ClientPorts, ClientSettings, Discovery } from './types.ts';
import { readBody } from './verdict.ts';

const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** One of the two discovery documents, as last read. */
type Page = Readonly<{ etag: string | undefined; resources: readonly ApiResource[]; failedGroups: readonly string[] }>;

export type DiscoverySource = Readonly<{
  get: (options?: CallOptions & { readonly fresh?: boolean }) => Promise<Discovery>;
  /** Reads again because something was missed, unless that happened a moment ago. */
  afterMiss: (options?: CallOptions) => Promise<Discovery>;
}>;

/** Reads and remembers what the server serves. */
export function openDiscovery(
  caller: Caller,
  settings: Pick<ClientSettings, 'discoveryMissMs' | 'maxResponseBytes'>,
  { clock, log }: ClientPorts,
): DiscoverySource {
  let known: { discovery: Discovery; at: number } | undefined;
  let reading: Promise<Discovery> | undefined;
  const pages: { api?: Page; apis?: Page } = {};

  const readJson = (path: string, options: CallOptions): Promise<unknown> =>
    caller.send({ what: `GET ${path}`, method: 'GET', path, ...options }, async ({ body }) =>
      parseJson((await readBody(body, settings.maxResponseBytes, path)).toString(), path),
    );

  /** The older walk: one document per group and version; one that fails is named and left out. */
  async function walk(document: unknown, path: string, options: CallOptions): Promise<Page> {
    const versions =
      path === '/api'
        ? listAt(document, 'versions').filter((version) => typeof version === 'string')
        : listAt(document, 'groups').flatMap(preferredFirst);
    const failedGroups: string[] = [];
    const lists = await Promise.all(
      versions.map(async (groupVersion) => {
        try {
          return readResourceList(await readJson(`${path}/${groupVersion}`, options), groupVersion);
        } catch (error) {
          options.signal?.throwIfAborted();
          if (isCoded(error, 'kube/unauthorized', 'kube/unreachable', 'kube/timeout')) throw error;
          failedGroups.push(groupVersion);
          return [];
        }
      }),
    );
    return { etag: undefined, resources: lists.flat(), failedGroups };
  }

  async function readPage(key: 'api' | 'apis', options: CallOptions): Promise<Page> {
    const path = `/${key}`;
    const last = pages[key];
    const headers = {
      accept: aggregated,
      ...(last?.etag === undefined ? {} : { 'if-none-match': last.etag }),
    };
    const call = { what: `GET ${path}`, method: 'GET', path, headers, ...options } as const;
    const answer = await caller.send(call, async ({ statusCode, headers: got, body }) => {
      const text = (await readBody(body, settings.maxResponseBytes, path)).toString();
      return { statusCode, etag: got['etag'], text };
    });
    if (answer.statusCode === 304 && last !== undefined) return last;
    const document = parseJson(answer.text, path);
    const page =
      stringAt(document, 'kind') === 'APIGroupDiscoveryList'
        ? { ...readAggregated(document), etag: typeof answer.etag === 'string' ? answer.etag : undefined }
        : await walk(document, path, options);
    pages[key] = page;
    return page;
  }

  async function read(options: CallOptions): Promise<Discovery> {
    const [core, groups] = await Promise.all([readPage('api', options), readPage('apis', options)]);
    const failedGroups = [...core.failedGroups, ...groups.failedGroups];
    if (failedGroups.length > 0) log.warn('some API groups could not be discovered', { failedGroups });
    const discovery = makeDiscovery([...core.resources, ...groups.resources], failedGroups);
    known = { discovery, at: clock.now().getTime() };
    return discovery;
  }

  const readOnce = ({ timeoutMs, signal }: CallOptions): Promise<Discovery> => {
    // The answer serves all who wait, so the first one's signal must not end it for the others.
    reading ??= read({ timeoutMs }).finally(() => {
      reading = undefined;
    });
    return signal === undefined ? reading : orAborted(reading, signal);
  };

  return {
    get: async ({ fresh = false, ...options } = {}) =>
      known === undefined || fresh ? readOnce(options) : known.discovery,
    afterMiss: async (options = {}) => {
      const recent = known !== undefined && clock.now().getTime() - known.at < settings.discoveryMissMs;
      return recent && known !== undefined ? known.discovery : readOnce(options);
    },
  };
}

/** The versions of an APIGroup, the server's preferred one first. */
function preferredFirst(group: unknown): string[] {
  const preferred = stringAt(group, 'preferredVersion', 'groupVersion');
  const all = listAt(group, 'versions').flatMap(
    (version) =>
      stringAt(version, 'groupVersion') ??
      formatApiVersion(stringAt(group, 'name') ?? '', stringAt(version, 'version') ?? ''),
  );
  return preferred === undefined ? all : [preferred, ...all.filter((version) => version !== preferred)];
}

/** Waits for a promise, or for the signal. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
