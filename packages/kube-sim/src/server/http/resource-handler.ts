import { isRecord, type KubeObject } from '@tiphys/api';
import { badRequest } from '../../schema/status-error.ts';
import type { Access, Target, WriteOptions, Written } from '../cluster.ts';
import { checkGrant } from '../authorization/escalation.ts';
import { authorize } from './authenticate.ts';
import { deprecationOf } from '../deprecation.ts';
import { create } from '../operations/create.ts';
import { deleteWarnings, readDeleteOptions, remove, type DeleteOptions } from '../operations/delete.ts';
import { checkPatchType, patch } from '../operations/patch.ts';
import { list, read, readSelection, versionNumber } from '../operations/read.ts';
import { liveObject, update } from '../operations/update.ts';
import { fieldError, invalidOptions, notFound, notHere, pathNotFound, resourceText } from '../refusal.ts';
import { header, mediaTypeOf, readBody, readWriteBody, sendJson, sendNoPage, warn, type Exchange } from './exchange.ts';
import { negotiate } from './negotiate.ts';
import type { ResourcePath } from './request-info.ts';
import { includeOf, sendObject, sendPage } from './respond.ts';
import { answerReview } from './review.ts';
import type { ResourcePorts, ResourceRequest } from './resource-request.ts';
import { special } from './special.ts';
import { scaleOf, withScale } from './subresource.ts';
import { streamWatch } from './watch-stream.ts';

type Verb = Access['verb'];

/** As the API server reads booleans of a query: all but a no is a yes. */
const isTrue = (value: string | null): boolean => value !== null && value !== '0' && value.toLowerCase() !== 'false';

function verbOf({ method, query }: Exchange, { name, watched }: ResourcePath): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (watched === true) return 'watch';
      if (name !== '') return 'get';
      return isTrue(query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}

const validations = ['Strict', 'Warn', 'Ignore'] as const;

function writeOptions({ cluster }: ResourcePorts, exchange: Exchange): WriteOptions {
  const { query, user } = exchange;
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const optionsKind =
    exchange.method === 'POST' ? 'CreateOptions' : exchange.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions';
  if (dryRun.some((value) => value !== 'All'))
    throw invalidOptions(
      optionsKind,
      fieldError(
        'dryRun',
        'FieldValueNotSupported',
        `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
      ),
    );
  const validation = query.get('fieldValidation') ?? '';
  if (validation !== '' && !validations.some((known) => known === validation))
    throw invalidOptions(
      optionsKind,
      fieldError(
        'fieldValidation',
        'FieldValueNotSupported',
        `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`,
      ),
    );
  const asked = query.get('fieldManager') ?? '';
  const agent = header(exchange, 'user-agent').split('/', 1)[0] ?? '';
  const isApply = mediaTypeOf(exchange) === 'application/apply-patch+yaml';
  return {
    dryRun: dryRun.length > 0,
    manager: asked !== '' || isApply ? asked : agent.slice(0, 128) || 'unknown',
    fieldValidation: validations.find((known) => known === query.get('fieldValidation')) ?? 'Warn',
    force: isTrue(query.get('force')),
    mayWrite: (target, next, live) => checkGrant(cluster.store, user, { target, next, live }),
  };
}

const targetOf = ({ type, path }: ResourceRequest): Target => ({
  type,
  namespace: type.namespaced ? path.namespace : '',
  name: path.name,
});

const clientTimeoutMs = (query: URLSearchParams): number => {
  const seconds = Number(query.get('timeoutSeconds') ?? '');
  // Without a wish the API server ends a watch after 30 to 60 minutes.
  return seconds > 0 ? Math.min(seconds, 86_400) * 1000 : 1_800_000 + Math.random() * 1_800_000;
};

/** Whether a watch begins with what is there and says when that is over: when asked, and for new clients that name no version. */
function wantsInitialEvents(query: URLSearchParams): boolean {
  const asked = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch');
  if (isTrue(asked) && match !== 'NotOlderThan')
    throw invalidOptions(
      'ListOptions',
      fieldError(
        'resourceVersionMatch',
        'FieldValueForbidden',
        'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    );
  const version = query.get('resourceVersion') ?? '';
  return asked === null ? match === null && (version === '' || version === '0') : isTrue(asked);
}

function serveWatch(ports: ResourcePorts, { exchange, type, path }: ResourceRequest): void {
  const { query } = exchange;
  if (path.name !== '') query.set('fieldSelector', `metadata.name=${path.name}`);
  // Refused before the stream is open: afterwards there is no status left to say it with.
  versionNumber(query.get('resourceVersion') ?? '');
  const end = streamWatch(ports.cluster, exchange, {
    type,
    selection: readSelection(query, type, path.namespace),
    options: {
      resourceVersion: query.get('resourceVersion') ?? '',
      allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
      sendInitialEvents: wantsInitialEvents(query),
    },
    shape: negotiate(header(exchange, 'accept')).shape,
    include: includeOf(exchange),
    timeoutMs: clientTimeoutMs(query),
    bookmarkIntervalMs: ports.settings.bookmarkIntervalMs,
  });
  ports.watches.add(end);
  exchange.response.on('close', () => ports.watches.delete(end));
}

/** A whole number of the query. */
function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text !== '' && !/^[+-]?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(0, Number(text));
}

async function serveList(ports: ResourcePorts, { exchange, type, path }: ResourceRequest): Promise<void> {
  const { query } = exchange;
  const page = list(ports.cluster, type, {
    selection: readSelection(query, type, path.namespace),
    options: {
      limit: numberOf(query, 'limit'),
      continueToken: query.get('continue') ?? '',
      resourceVersion: query.get('resourceVersion') ?? '',
      resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    },
  });
  await sendPage(ports.cluster, exchange, { page, type });
}

function sendWritten(ports: ResourcePorts, { exchange, type, path }: ResourceRequest, written: Written): void {
  const object = path.subresource === 'scale' ? scaleOf(written.object, type) : written.object;
  const code = written.created ? 201 : 200;
  sendObject(ports.cluster, exchange, { code, object, type, warnings: written.warnings });
}

async function serveCreate(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { exchange, type } = request;
  const { body, repeated } = await readWriteBody(exchange, type.kind);
  const review = answerReview(type.plural, body, {
    user: exchange.user,
    authenticator: ports,
    store: ports.cluster.store,
    namespace: request.path.namespace,
    now: ports.cluster.clock.now(),
  });
  if (review !== undefined) {
    sendJson(exchange, { code: 201, body: review });
    return;
  }
  // A custom resource may be posted to a path of its own; only its own name counts.
  const target = { ...targetOf(request), name: '' };
  sendWritten(
    ports,
    request,
    create(ports.cluster, target, { body, options: { ...writeOptions(ports, exchange), repeated } }),
  );
}

/** A write to `scale` is a write of one field of the object. */
function scaled(ports: ResourcePorts, request: ResourceRequest, scale: unknown): KubeObject {
  const live = read(ports.cluster, targetOf(request));
  const given = isRecord(scale) && isRecord(scale['metadata']) ? scale['metadata']['resourceVersion'] : undefined;
  const next = withScale(live, request.type, scale);
  return typeof given === 'string' && given !== ''
    ? { ...next, metadata: { ...next.metadata, resourceVersion: given } }
    : next;
}

async function serveUpdate(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { exchange, path } = request;
  const { body: sent, repeated } = await readWriteBody(
    exchange,
    request.path.subresource === 'scale' ? 'Scale' : request.type.kind,
  );
  const isScale = path.subresource === 'scale';
  const body = isScale ? scaled(ports, request, sent) : sent;
  const options = { ...writeOptions(ports, exchange), repeated };
  const subresource = path.subresource;
  sendWritten(ports, request, update(ports.cluster, targetOf(request), { body, subresource, options }));
}

async function servePatch(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { exchange, path, type } = request;
  const { cluster } = ports;
  const mediaType = mediaTypeOf(exchange);
  checkPatchType(mediaType, type);
  const target = targetOf(request);
  const asked = writeOptions(ports, exchange);
  const isApply = mediaType.startsWith('application/apply-patch');
  const isMissing = liveObject(cluster, target) === undefined;
  if (isMissing && !isApply) throw notFound(type, target.name);
  const { body, repeated } = await readWriteBody(exchange);
  const options = { ...asked, repeated };
  const creates = isApply && isMissing;
  if (creates) allow(ports, exchange, { path, verb: 'create' });
  if (path.subresource !== 'scale') {
    const { subresource } = path;
    sendWritten(ports, request, patch(cluster, target, { mediaType, body, subresource, options }));
    return;
  }
  // The patch is written for the Scale, so it is tried on one; what it says of the replicas goes to the object.
  const wanted = mediaType === 'application/json-patch+json' ? undefined : body;
  const merged = wanted ?? { spec: { replicas: jsonPatchReplicas(body) } };
  const next = withScale(read(cluster, target), type, merged);
  sendWritten(ports, request, update(cluster, target, { body: next, subresource: 'scale', options }));
}

function jsonPatchReplicas(operations: unknown): unknown {
  const list: readonly unknown[] = Array.isArray(operations) ? operations : [];
  const found = list.find((operation) => isRecord(operation) && operation['path'] === '/spec/replicas');
  if (!isRecord(found)) throw badRequest('a JSON patch of a Scale must set /spec/replicas');
  return found['value'];
}

const deletedStatus = ({ type, name }: Target, object: KubeObject): Record<string, unknown> => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { name, ...(type.group !== '' && { group: type.group }), kind: type.plural, uid: object.metadata.uid ?? '' },
});

/** Kinds whose delete answers with the object itself. */
const returned = new Set(
  ['pods', 'podtemplates', 'services', 'serviceaccounts', 'persistentvolumes', 'persistentvolumeclaims'].concat(
    ['namespaces', 'resourcequotas', 'storageclasses.storage.k8s.io', 'csidrivers.storage.k8s.io'],
    ['csinodes.storage.k8s.io', 'volumeattachments.storage.k8s.io', 'volumeattributesclasses.storage.k8s.io'],
    ['deviceclasses.resource.k8s.io', 'resourceclaims.resource.k8s.io', 'resourceclaimtemplates.resource.k8s.io'],
    ['resourceslices.resource.k8s.io'],
  ),
);

async function serveDelete(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { exchange, type } = request;
  const target = targetOf(request);
  const options = readDeleteOptions(await readBody(exchange), exchange.query);
  const { gone, object } = remove(ports.cluster, target, options);
  const warnings = deleteWarnings(type, options);
  if (gone && !returned.has(resourceText(type)))
    sendJson(exchange, { code: 200, body: deletedStatus(target, object), warnings });
  else sendObject(ports.cluster, exchange, { code: 200, object, type, warnings });
}

async function serveDeleteCollection(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { exchange, type, path } = request;
  const { cluster } = ports;
  const options: DeleteOptions = readDeleteOptions(await readBody(exchange), exchange.query);
  const selection = readSelection(exchange.query, type, path.namespace);
  const all = { limit: 0, continueToken: '', resourceVersion: '', resourceVersionMatch: '' };
  const page = list(cluster, type, { selection, options: all });
  for (const { metadata } of page.items)
    remove(cluster, { type, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }, options);
  await sendPage(cluster, exchange, { page, type });
}

function serveGet(ports: ResourcePorts, request: ResourceRequest): void {
  const { exchange, type, path } = request;
  const live = read(ports.cluster, targetOf(request));
  const object = path.subresource === 'scale' ? scaleOf(live, type) : live;
  sendObject(ports.cluster, exchange, { code: 200, object, type });
}

const serve: Readonly<Record<Verb, (ports: ResourcePorts, request: ResourceRequest) => Promise<void> | void>> = {
  get: serveGet,
  list: serveList,
  watch: serveWatch,
  create: serveCreate,
  update: serveUpdate,
  patch: servePatch,
  delete: serveDelete,
  deletecollection: serveDeleteCollection,
};

function checkServed({ type, path }: ResourceRequest, verb: Verb): void {
  if (path.subresource !== '') {
    if (!type.subresources.includes(path.subresource))
      throw type.custom === undefined ? pathNotFound() : notFound(type, path.name);
    const verbs = type.subresourceTypes[path.subresource]?.verbs ?? ['get', 'patch', 'update'];
    if (!verbs.includes(verb)) throw notHere();
    return;
  }
  const onCollection = ['list', 'watch', 'create', 'deletecollection'].includes(verb);
  const isPosted = verb === 'create' && type.custom !== undefined;
  if (onCollection !== (path.name === '') && path.watched !== true && !isPosted) throw notHere();
  // A namespaced resource without a namespace can only be read across all of them.
  const crossNamespace = type.namespaced && path.namespace === '' && verb !== 'list' && verb !== 'watch';
  if (crossNamespace && !['selfsubjectaccessreviews', 'subjectaccessreviews'].includes(type.plural))
    throw path.name === '' ? notHere() : notFound(type, path.name);
  if (!type.verbs.includes(verb)) throw notHere();
}

/** Asks the roles; a list or watch of one object by its name counts as one of that name. */
function allow(
  ports: ResourcePorts,
  { user, query }: Exchange,
  { path, verb }: Readonly<{ path: ResourcePath; verb: string }>,
): void {
  const { group, plural, subresource, namespace } = path;
  const named = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const byField = named ? /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1] : undefined;
  // A namespace lies in itself, as far as roles go.
  const isNamespace = group === '' && plural === 'namespaces' && namespace === '';
  authorize(ports.cluster.store, user, {
    kind: 'resource',
    verb,
    group,
    resource: plural,
    subresource,
    namespace: isNamespace ? path.name : namespace,
    name: path.name === '' ? (byField ?? '') : path.name,
  });
}

/** Serves one request for a resource. */
export async function serveResource(ports: ResourcePorts, exchange: Exchange, path: ResourcePath): Promise<void> {
  const type = ports.cluster.types.at(path.group, path.version, path.plural);
  const verb = verbOf(exchange, path);
  allow(ports, exchange, { path, verb: verb ?? exchange.method.toLowerCase() });
  if (type === undefined || verb === undefined) {
    // An unknown group is no page at all; an unknown resource of a known one is a Status.
    if (ports.cluster.types.serves(path.group, path.version)) throw pathNotFound();
    sendNoPage(exchange);
    return;
  }
  const request: ResourceRequest = { exchange, type, path };
  const deprecation = deprecationOf(type, ports.cluster.types);
  if (deprecation !== undefined) warn(exchange, deprecation);
  checkServed(request, verb);
  const access: Access = {
    verb,
    group: type.group,
    resource: type.plural,
    subresource: path.subresource,
    namespace: path.namespace,
    name: path.name,
    user: exchange.user.name,
  };
  for (const rule of ports.refusals) {
    const refused = rule(access);
    if (refused !== undefined) throw refused;
  }
  const own = special(resourceText(type), path.subresource, verb);
  await (own ?? serve[verb])(ports, request);
}
