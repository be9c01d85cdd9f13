import { gvkOf, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import { openCaller } from './caller.ts';
import { listEach } from './list.ts';
import { deleteObject, getObject, patchObject, resourceFor, writeObject } from './objects.ts';
import type { ClientParts } from './parts.ts';
import { openDiscovery } from './read-discovery.ts';
import type {
  CallOptions,
  ClientPorts,
  ClientSettings,
  ClusterConfig,
  KubeClient,
  Patch,
  RawRequest,
  RawResponse,
} from './types.ts';
import { readBody } from './verdict.ts';
import { watch } from './watch.ts';

/** The settings of a client that names none. */
export const defaultClientSettings: ClientSettings = {
  qps: 50,
  burst: 100,
  maxInFlight: 64,
  timeoutMs: 30_000,
  maxResponseBytes: 256 * 1024 * 1024,
  watchIdleMs: 120_000,
  discoveryMissMs: 1_000,
  calls: 'many',
  userAgent: 'tiphys',
  execEnvironment: {},
};

function raw({ caller, settings }: ClientParts, request: RawRequest): Promise<RawResponse> {
  const what = `${request.method} ${request.path}`;
  return caller.send({ ...request, what, accept: () => true }, async ({ statusCode, headers, body }) => ({
    status: statusCode,
    headers,
    body: await readBody(body, request.maxResponseBytes ?? settings.maxResponseBytes, what),
  }));
}

async function* stream({ caller }: ClientParts, request: Parameters<KubeClient['stream']>[0]): AsyncGenerator<Buffer> {
  const { body } = await caller.open({ ...request, method: 'GET', what: `GET ${request.path}` });
  for await (const chunk of body) if (Buffer.isBuffer(chunk)) yield chunk;
}

async function readVersion(parts: ClientParts, options?: CallOptions): ReturnType<KubeClient['version']> {
  const what = 'GET /version';
  return parts.caller.send({ what, method: 'GET', path: '/version', ...options }, async ({ body }) => {
    const answer = parseJson((await readBody(body, parts.settings.maxResponseBytes, what)).toString(), what);
    const text = (key: string): string => stringAt(answer, key) ?? '';
    return { gitVersion: text('gitVersion'), major: text('major'), minor: text('minor') };
  });
}

/**
 * Opens a client. No connection is made, no credential read and no plugin run before the first call.
 * `settings` override defaultClientSettings.
 */
export function connect(config: ClusterConfig, settings: Partial<ClientSettings>, ports: ClientPorts): KubeClient {
  const all: ClientSettings = { ...defaultClientSettings, ...settings };
  const caller = openCaller(config, all, ports);
  const parts: ClientParts = {
    server: config.server,
    caller,
    source: openDiscovery(caller, all, ports),
    settings: all,
    ports,
  };
  const close = (): Promise<void> => caller.close();
  return {
    server: config.server,
    namespace: config.namespace ?? 'default',
    version: (options) => readVersion(parts, options),
    discovery: (options) => parts.source.get(options),
    resourceFor: (gvk, options) => resourceFor(parts, gvk, options),
    get: (ref, options) => getObject(parts, ref, options),
    list: async (resource, options = {}) => {
      const items: KubeObject[] = [];
      const { resourceVersion } = await listEach(parts, { resource, options, visit: (object) => items.push(object) });
      return { items, resourceVersion };
    },
    listEach: (resource, options, visit) => listEach(parts, { resource, options, visit }),
    watch: (resource, options) => watch(parts, resource, options),
    create: (object, options = {}) => writeObject(parts, 'POST', { object, options }),
    replace: (object, options = {}) => writeObject(parts, 'PUT', { object, options, subresource: options.subresource }),
    patch: (ref, patch, options) => patchObject(parts, { ref, patch }, options),
    apply: (object, { force, subresource, ...options }) => {
      const { name = '', namespace } = object.metadata;
      const patch: Patch = { type: 'apply', body: object, force, subresource };
      return patchObject(parts, { ref: { gvk: gvkOf(object), name, namespace }, patch }, options);
    },
    delete: (ref, options) => deleteObject(parts, ref, options),
    request: (request) => raw(parts, request),
    stream: (request) => stream(parts, request),
    close,
    [Symbol.asyncDispose]: close,
  };
}
