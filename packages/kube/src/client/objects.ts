import {
  asObject,
  describeKey,
  formatApiVersion,
  gvkOf,
  isCoded,
  isRecord,
  keyOf,
  parseJson,
  stringAt,
  stringifyJson,
  type KubeObject,
} from '@tiphys/api';
import { KubeError } from './error.ts';
import { asKind, metadataForm, type ClientParts } from './parts.ts';
import type { DiscoverySource } from './read-discovery.ts';
import { nameCall, objectParts, resourcePath, type PathParts } from './resource-path.ts';
import type {
  ApiResource,
  CallOptions,
  DeleteOptions,
  DeleteOutcome,
  KubeClient,
  Patch,
  RawRequest,
  WriteOptions,
} from './types.ts';
import { readBody } from './verdict.ts';

const contentType: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML.
  apply: 'application/apply-patch+yaml',
};

export async function resourceFor(
  { source }: ClientParts,
  gvk: ReturnType<typeof gvkOf>,
  options: CallOptions = {},
): Promise<ApiResource> {
  const lookIn = (discovery: Awaited<ReturnType<DiscoverySource['get']>>): ApiResource | undefined =>
    gvk.version === '' ? discovery.byGroupKind(gvk) : discovery.find(gvk);
  const found = lookIn(await source.get(options));
  if (found !== undefined) return found;
  const fresh = await source.afterMiss(options);
  const late = lookIn(fresh);
  if (late !== undefined) return late;
  const asked = `${formatApiVersion(gvk.group, gvk.version)}, kind ${gvk.kind}`;
  const served = fresh.resources.filter(({ group, kind }) => group === gvk.group && kind === gvk.kind);
  const failed = fresh.failedGroups.includes(formatApiVersion(gvk.group, gvk.version));
  const hint = failed
    ? '; its API group cannot be discovered at present'
    : served.length > 0
      ? `; it serves ${served.map((one) => formatApiVersion(one.group, one.version)).join(', ')}`
      : '';
  throw new KubeError('kube/kind-not-found', `the cluster does not serve ${asked}${hint}`, {
    status: 404,
    reason: 'NotFound',
    causes: [],
  });
}

type ObjectCall = Readonly<{
  resource: ApiResource;
  parts: PathParts;
  /** Named in errors where the path does not name the object. */
  about?: PathParts | undefined;
  query?: RawRequest['query'];
  headers?: RawRequest['headers'];
  body?: unknown;
  options: CallOptions;
  /** `Warning` headers of the answer. */
  onWarning?: WriteOptions['onWarning'];
}>;

/** Sends a call about one object and reads the object (or Status) of the answer. */
function callObject(
  parts: ClientParts,
  verb: RawRequest['method'],
  call: ObjectCall,
): Promise<Record<string, unknown>> {
  const { resource, options, body } = call;
  const what = nameCall(verb, resource, call.about ?? call.parts);
  const request = {
    what,
    method: verb,
    path: resourcePath(resource, call.parts),
    query: call.query,
    headers: body === undefined ? call.headers : { 'content-type': 'application/json', ...call.headers },
    body: body === undefined ? undefined : stringifyJson(body),
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    sent: body === undefined ? undefined : { plural: resource.plural, body },
  } as const;
  return parts.caller.send(request, async (response) => {
    if (call.onWarning !== undefined) readWarnings(response.headers['warning']).forEach(call.onWarning);
    const text = (await readBody(response.body, parts.settings.maxResponseBytes, what)).toString();
    const value = parseJson(text, what);
    return isRecord(value) ? value : {};
  });
}

/** Texts of `Warning` headers: `299 - "text"`, several joined by commas. */
function readWarnings(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, said = '']) => said.replace(/\\(.)/g, '$1'));
}

const writeQuery = (options: WriteOptions): RawRequest['query'] => ({
  dryRun: options.dryRun === true ? 'All' : undefined,
  fieldManager: options.fieldManager,
  fieldValidation: options.fieldValidation,
});

/**
 * The path of a kind or version that was taken away answers 404 as well: then the kind is missing, and nothing is known of the
 * object. A miss of that sort is proof that what is remembered of the cluster is too old.
 * @throws KubeError kube/kind-not-found
 */
async function requireServed(
  parts: ClientParts,
  gvk: ReturnType<typeof gvkOf>,
  { error, options }: Readonly<{ error: unknown; options: CallOptions }>,
): Promise<void> {
  if (!(error instanceof KubeError) || error.detail.namesObject === true) return;
  await parts.source.get({ ...options, fresh: true });
  const { version } = await resourceFor(parts, gvk, options);
  // The router says so in plain text; the list of what is served lags behind it for a moment.
  if (error.detail.reason !== '') return;
  const message = `the cluster does not serve ${formatApiVersion(gvk.group, version)}, kind ${gvk.kind}, at present; its list of kinds names it still`;
  throw new KubeError('kube/kind-not-found', message, { status: 404, reason: 'NotFound', causes: [] });
}

export async function getObject(
  parts: ClientParts,
  ref: Parameters<KubeClient['get']>[0],
  options: NonNullable<Parameters<KubeClient['get']>[1]> = {},
): Promise<KubeObject | undefined> {
  const resource = await resourceFor(parts, ref.gvk, options);
  const path = objectParts(resource, { ...ref, subresource: options.subresource });
  const headers = options.metadataOnly === true ? { accept: metadataForm('PartialObjectMetadata') } : {};
  try {
    const object = asObject(await callObject(parts, 'GET', { resource, parts: path, headers, options }));
    return options.metadataOnly === true ? asKind(object, resource) : object;
  } catch (error) {
    if (!isCoded(error, 'kube/not-found')) throw error;
    await requireServed(parts, ref.gvk, { error, options });
    return undefined;
  }
}

export async function deleteObject(
  parts: ClientParts,
  ref: Parameters<KubeClient['delete']>[0],
  options: DeleteOptions = {},
): Promise<DeleteOutcome> {
  const resource = await resourceFor(parts, ref.gvk, options);
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
  };
  try {
    const answer = await callObject(parts, 'DELETE', { resource, parts: objectParts(resource, ref), body, options });
    // A Status says that it is gone; the object itself comes back while it waits for finalizers or its grace period.
    return stringAt(answer, 'metadata', 'deletionTimestamp') === undefined ? 'deleted' : 'deleting';
  } catch (error) {
    if (!isCoded(error, 'kube/not-found')) throw error;
    await requireServed(parts, ref.gvk, { error, options });
    return 'absent';
  }
}

export async function writeObject(
  parts: ClientParts,
  verb: 'POST' | 'PUT',
  { object, options, subresource }: { object: KubeObject; options: WriteOptions; subresource?: string | undefined },
): Promise<KubeObject> {
  const resource = await resourceFor(parts, gvkOf(object), options);
  const { name, namespace } = object.metadata;
  const what = verb === 'POST' ? { namespace, name: name ?? object.metadata.generateName } : { namespace, name };
  objectParts(resource, what);
  const path = { namespace, name: verb === 'POST' ? undefined : name, subresource };
  const call = {
    resource,
    parts: path,
    about: { ...what, subresource },
    query: writeQuery(options),
    body: object,
    options,
    onWarning: options.onWarning,
  };
  return asObject(await callObject(parts, verb, call), describeKey(keyOf(object)));
}

export async function patchObject(
  parts: ClientParts,
  { ref, patch }: { ref: Parameters<KubeClient['patch']>[0]; patch: Patch },
  options: WriteOptions = {},
): Promise<KubeObject> {
  const resource = await resourceFor(parts, ref.gvk, options);
  const call: ObjectCall = {
    resource,
    parts: { ...objectParts(resource, ref), subresource: patch.subresource },
    query: { ...writeQuery(options), force: patch.type === 'apply' ? patch.force : undefined },
    headers: { 'content-type': contentType[patch.type] },
    body: patch.body,
    options,
    onWarning: options.onWarning,
  };
  return asObject(await callObject(parts, 'PATCH', call));
}
