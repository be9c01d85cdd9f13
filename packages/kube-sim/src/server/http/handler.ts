import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { messageOf } from '@tiphys/api';
import { StatusError } from '../../schema/status-error.ts';
import { statusBody } from '../refusal.ts';
import { authenticate, authorize, impersonated } from './authenticate.ts';
import { aggregatedDiscovery, coreVersions, groupDocument, groupList, resourceList } from './discovery.ts';
import { header, send, sendBytes, sendJson, sendNoPage, type Exchange } from './exchange.ts';
import { parseAccept } from './negotiate.ts';
import { openApiV2, openApiV2Bytes, openApiV2MediaType } from './openapi-v2.ts';
import { openApiDocument, openApiIndex } from './openapi.ts';
import { parseResourcePath } from './request-info.ts';
import { serveResource } from './resource-handler.ts';
import type { ResourcePorts } from './resource-request.ts';
import { serveIssuer } from './token-request.ts';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const version = {
  major: '1',
  minor: '35',
  emulationMajor: '1',
  emulationMinor: '35',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '34',
  gitVersion: 'v1.35.4',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'tiphys-embedded-cluster',
  platform: 'linux/amd64',
};

const health = new Set(['/healthz', '/livez', '/readyz']);

/** With `?verbose` the checks one by one: there is but one here. */
const healthText = ({ path, query }: Exchange): string =>
  query.has('verbose') ? `[+]ping ok\n${path.slice(1)} check passed\n` : 'ok';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const wantsAggregated = (exchange: Exchange): boolean =>
  parseAccept(header(exchange, 'accept')).some(
    ({ parameters }) =>
      parameters.get('as') === 'APIGroupDiscoveryList' &&
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      parameters.get('v') === 'v2',
  );

function serveDiscovery(ports: ResourcePorts, exchange: Exchange, segments: readonly string[]): void {
  const { types } = ports.cluster;
  const [root, group, versionName] = segments;
  if ((root === 'api' && segments.length === 1) || (root === 'apis' && segments.length === 1)) {
    const body = wantsAggregated(exchange)
      ? aggregatedDiscovery(types, root)
      : root === 'api'
        ? coreVersions(header(exchange, ':authority') || header(exchange, 'host'))
        : groupList(types);
    sendJson(exchange, { code: 200, body, ...(wantsAggregated(exchange) && { mediaType: aggregated }) });
    return;
  }
  const body =
    root === 'api'
      ? resourceList(types, '', group ?? '')
      : versionName === undefined
        ? groupDocument(types, group ?? '')
        : resourceList(types, group ?? '', versionName);
  if (body === undefined) sendNoPage(exchange);
  else sendJson(exchange, { code: 200, body });
}

function serveOpenApi(ports: ResourcePorts, exchange: Exchange, segments: readonly string[]): void {
  const { types } = ports.cluster;
  const [, specification, root, ...rest] = segments;
  if (specification === 'v2' && root === undefined) {
    const isBinary = header(exchange, 'accept').includes('proto-openapi.spec.v2');
    if (isBinary) sendBytes(exchange, openApiV2MediaType, openApiV2Bytes(types));
    else sendJson(exchange, { code: 200, body: openApiV2(types) });
    return;
  }
  if (specification !== 'v3') {
    sendNoPage(exchange);
    return;
  }
  if (root === undefined) {
    sendJson(exchange, { code: 200, body: openApiIndex(types) });
    return;
  }
  const [group = '', versionName = ''] = root === 'api' ? ['', rest[0]] : rest;
  const body = openApiDocument(types, group, versionName);
  if (body === undefined) sendNoPage(exchange);
  else sendJson(exchange, { code: 200, body });
}

const rootPaths = [
  ...['/.well-known/openid-configuration', '/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3'],
  ...['/openid/v1/jwks', '/readyz', '/version'],
];

/** What a method means where no resource is asked for. */
const pathVerbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'head', POST: 'post', PUT: 'put' };

async function route(ports: ResourcePorts, exchange: Exchange): Promise<void> {
  const { path } = exchange;
  const segments = path.split('/').filter((segment) => segment !== '');
  const [root] = segments;
  const resource = parseResourcePath(path);
  if (resource !== undefined) return serveResource(ports, exchange, resource);
  const verb = pathVerbs[exchange.method] ?? exchange.method.toLowerCase();
  authorize(ports.cluster.store, exchange.user, { kind: 'path', verb, path });
  if (root === 'api' || root === 'apis') serveDiscovery(ports, exchange, segments);
  else if (root === 'openapi') serveOpenApi(ports, exchange, segments);
  else if (path === '/version' || path === '/version/')
    send(exchange, { code: 200, mediaType: 'application/json', text: JSON.stringify(version, null, 2) });
  else if (health.has(path))
    send(exchange, { code: 200, mediaType: 'text/plain; charset=utf-8', text: healthText(exchange) });
  else if (path === '/') sendJson(exchange, { code: 200, body: { paths: rootPaths } });
  else if (!serveIssuer(ports, exchange)) sendNoPage(exchange);
}

function refuse(ports: ResourcePorts, response: Response, error: unknown): void {
  if (!(error instanceof StatusError))
    ports.cluster.log.error('request failed', { error: error instanceof Error ? error.stack : messageOf(error) });
  const refusal =
    error instanceof StatusError
      ? error
      : new StatusError({
          code: 500,
          reason: 'InternalError',
          message: `Internal error occurred: ${messageOf(error)}`,
        });
  sendJson({ response }, { code: refusal.code, body: statusBody(refusal) });
}

/** Answers one request, whatever happens. */
export async function handle(ports: ResourcePorts, request: Request, response: Response): Promise<void> {
  response.setHeader('audit-id', randomUUID());
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const sender = authenticate(request.headers.authorization ?? '', ports);
    const user = impersonated(ports.cluster.store, sender, request.headers);
    const method = request.method ?? 'GET';
    await route(ports, { request, response, method, path: url.pathname, query: url.searchParams, user });
  } catch (error) {
    refuse(ports, response, error);
  }
}
