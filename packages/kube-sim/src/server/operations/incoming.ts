import { formatApiVersion, isRecord, stringAt, stringifyJson, type KubeObject, type ObjectMeta } from '@tiphys/api';
import { builtInResources } from '../../schema/built-in.ts';
import { pruneUnknown } from '../../schema/prune.ts';
import { badRequest } from '../../schema/status-error.ts';
import type { ResourceType } from '../../schema/types.ts';
import { checkDecodable } from '../../schema/validate.ts';
import type { Target, WriteOptions } from '../cluster.ts';
import { omit } from '../../schema/omit.ts';
import { fieldError, invalid } from '../refusal.ts';

/** An object as sent, reduced to what its schema knows. */
export type Incoming = Readonly<{ object: KubeObject; warnings: readonly string[] }>;

const versionOf = (type: ResourceType): string => formatApiVersion(type.group, type.version);

const isNullish = (value: unknown): boolean => value === undefined || value === null;

/** Drops nulls and empty values of metadata that the server would not write back. */
export function plainMetadata(metadata: Readonly<Record<string, unknown>>): ObjectMeta {
  const rest = omit(metadata, 'selfLink');
  // Metadata has passed checkDecodable: its fields have their types.
  return Object.fromEntries(
    Object.entries(rest).filter(
      ([, value]) =>
        !isNullish(value) &&
        value !== '' &&
        !(Array.isArray(value) && value.length === 0) &&
        !(isRecord(value) && Object.keys(value).length === 0),
    ),
  );
}

/**
 * Reads the object of a create or update: right kind and version, fields of the right types, unknown fields dropped,
 * reported or refused as `fieldValidation` says.
 */
export function readObject(body: unknown, type: ResourceType, options: WriteOptions): Incoming {
  const named = identify(body, type);
  checkDecodable(named, type);
  return reduce(named, type, options);
}

/** Whether a server of built-in kinds knows a kind at all; custom resources are read as whatever they say. */
const isKnown = (kind: string, apiVersion: string, type: ResourceType): boolean =>
  type.custom !== undefined ||
  kind === '' ||
  apiVersion === '' ||
  (kind === type.kind && apiVersion === versionOf(type)) ||
  builtInResources.some((one) => one.kind === kind && versionOf(one) === apiVersion);

/** A custom resource has to say what it is, and first of all in which version. */
function checkCustomKind(
  { kind, apiVersion }: Readonly<{ kind: string; apiVersion: string }>,
  body: Readonly<Record<string, unknown>>,
  type: ResourceType,
): void {
  const expected = versionOf(type);
  if (apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  if (kind === type.kind) return;
  const fault = fieldError('kind', 'FieldValueInvalid', `Invalid value: ${JSON.stringify(kind)}: must be ${type.kind}`);
  throw invalid({ group: type.group, kind }, stringAt(body, 'metadata', 'name') ?? '', [fault]);
}

/** The body as an object of the type; it may leave out what the path says anyway, but not contradict it. */
export function identify(body: unknown, type: ResourceType): KubeObject {
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${type.kind})`);
  const apiVersion = typeof body['apiVersion'] === 'string' ? body['apiVersion'] : '';
  const kind = typeof body['kind'] === 'string' ? body['kind'] : '';
  const expected = versionOf(type);
  if (kind === '' && type.custom !== undefined) {
    const text = stringifyJson(body);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): Object 'Kind' is missing in '${text}' (${text})`,
    );
  }
  if (type.custom !== undefined) checkCustomKind({ kind, apiVersion }, body, type);
  if (!isKnown(kind, apiVersion, type))
    throw badRequest(
      `${kind} in version ${JSON.stringify(apiVersion.replace(/^.*\//, ''))} cannot be handled as a ${type.kind}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  if (kind !== '' && kind !== type.kind)
    throw badRequest(
      `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${type.kind}: the object provided is unrecognized (must be of type ${type.kind})`,
    );
  if (apiVersion !== '' && apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  const { metadata } = body;
  if (!isNullish(metadata) && !isRecord(metadata))
    throw badRequest(
      `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: metadata must be an object`,
    );
  return {
    ...body,
    apiVersion: expected,
    kind: type.kind,
    metadata: isRecord(metadata) ? metadata : {},
  };
}

/** Drops what the schema does not know. */
export function reduce(object: KubeObject, type: ResourceType, options: WriteOptions): Incoming {
  const pruned = pruneUnknown(object, type);
  // For custom resources the API server sorts what it does not know.
  const unknown = type.custom === undefined ? pruned.unknown : pruned.unknown.toSorted();
  const isUnknown = (path: string): boolean =>
    unknown.some((fault) => path.startsWith(fault.replace(/^unknown field "(.*)"$/, '$1.')));
  const repeated = (options.repeated ?? []).filter(({ path }) => !isUnknown(path));
  const faults = [...repeated.map(({ path }) => `duplicate field "${path}"`), ...unknown];
  if (faults.length > 0 && options.fieldValidation === 'Strict')
    throw badRequest(
      `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: strict decoding error: ${faults.join(', ')}`,
    );
  const warnings = options.fieldValidation === 'Warn' ? faults : [];
  const reduced = { ...pruned.object, metadata: plainMetadata(pruned.object.metadata) };
  return { object: reduced, warnings };
}

/** The object with the namespace and name of the request; they may not contradict each other. */
export function placed(object: KubeObject, { type, namespace, name }: Target): KubeObject {
  const { namespace: own = '', name: ownName = '' } = object.metadata;
  if (type.namespaced && own !== '' && own !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (name !== '' && ownName !== '' && ownName !== name)
    throw badRequest(`the name of the object (${ownName}) does not match the name on the URL (${name})`);
  const metadata = omit(object.metadata, 'namespace');
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(type.namespaced && { namespace }),
      ...(name !== '' && { name }),
    },
  };
}
