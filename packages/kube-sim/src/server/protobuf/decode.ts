import { isRecord, parseApiVersion, parseJson, type KubeObject } from '@tiphys/api';
import { badRequest } from '../../schema/status-error.ts';
import { kubernetesMessages } from './generated/kubernetes-1.35.ts';
import { WireReader, type WireField } from './wire.ts';

/** `[number, name in JSON, type, flags]`; see tools/generate/kubernetes-protobuf.ts. */
type Row = readonly [number: number, name: string, type: string, flags?: string];

// The text is ours, written by the generator in this very shape.
const messages = parseJson(kubernetesMessages, 'protobuf messages') as Readonly<Record<string, readonly Row[]>>;

const utf8 = new TextDecoder();

const bytesOf = (value: bigint | Uint8Array): Uint8Array => {
  if (typeof value === 'bigint') throw new RangeError('protobuf: a number stands where bytes are expected');
  return value;
};

const numberOf = (value: bigint | Uint8Array): number | bigint => {
  if (typeof value !== 'bigint') throw new RangeError('protobuf: bytes stand where a number is expected');
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

const raw = (bytes: Uint8Array): unknown => (bytes.length === 0 ? undefined : parseJson(utf8.decode(bytes)));

type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  for (const { number, value } of new WireReader(bytes).fields() as Iterable<WireField>)
    fields.set(number, [...(fields.get(number) ?? []), value]);
  return fields;
}

const first = (fields: Fields, number: number): bigint | Uint8Array | undefined => fields.get(number)?.[0];

const integerAt = (fields: Fields, number: number): number => {
  const value = first(fields, number);
  return typeof value === 'bigint' ? Number(value) : 0;
};

const textAt = (fields: Fields, number: number): string => {
  const value = first(fields, number);
  return value === undefined || typeof value === 'bigint' ? '' : utf8.decode(value);
};

function timeOf(fields: Fields, digits: 0 | 6): string | undefined {
  if (!fields.has(1)) return undefined;
  const text = new Date(integerAt(fields, 1) * 1000).toISOString().slice(0, 19);
  if (digits === 0) return `${text}Z`;
  return `${text}.${String(Math.floor(integerAt(fields, 2) / 1000)).padStart(6, '0')}Z`;
}

function listOf(type: string, fields: Fields, number: number): unknown[] {
  return (fields.get(number) ?? []).map((value) => decodeValue(type, value));
}

/** Types that JSON writes in a way of its own. */
const own: Readonly<Record<string, (fields: Fields) => unknown>> = {
  'meta.v1.Time': (fields) => timeOf(fields, 0),
  'meta.v1.MicroTime': (fields) => timeOf(fields, 6),
  'meta.v1.Duration': (fields) => `${integerAt(fields, 1) / 1e9}s`,
  'meta.v1.FieldsV1': (fields) => raw(bytesOf(first(fields, 1) ?? new Uint8Array())),
  'meta.v1.Verbs': (fields) => listOf('s', fields, 1),
  'pkg.runtime.RawExtension': (fields) => raw(bytesOf(first(fields, 1) ?? new Uint8Array())),
  'api.resource.Quantity': (fields) => textAt(fields, 1),
  'util.intstr.IntOrString': (fields) => (integerAt(fields, 1) === 0 ? integerAt(fields, 2) : textAt(fields, 3)),
  'apiextensions.v1.JSON': (fields) => raw(bytesOf(first(fields, 1) ?? new Uint8Array())),
  'apiextensions.v1.JSONSchemaPropsOrBool': (fields) =>
    fields.has(2)
      ? decodeValue('apiextensions.v1.JSONSchemaProps', first(fields, 2) ?? 0n)
      : integerAt(fields, 1) !== 0,
  'apiextensions.v1.JSONSchemaPropsOrArray': (fields) =>
    fields.has(1)
      ? decodeValue('apiextensions.v1.JSONSchemaProps', first(fields, 1) ?? 0n)
      : listOf('apiextensions.v1.JSONSchemaProps', fields, 2),
  'apiextensions.v1.JSONSchemaPropsOrStringArray': (fields) =>
    fields.has(1) ? decodeValue('apiextensions.v1.JSONSchemaProps', first(fields, 1) ?? 0n) : listOf('s', fields, 2),
};

/** Messages that stand for a bare list, such as the extra values of a user. */
const isList = (rows: readonly Row[], type: string): boolean =>
  rows.length === 1 && rows[0]?.[1] === 'items' && /\.(ExtraValue|OptionalUsernames|RequestedExtra)$/.test(type);

function decodeValue(type: string, value: bigint | Uint8Array): unknown {
  switch (type) {
    case 's':
      return utf8.decode(bytesOf(value));
    case 'B':
      return Buffer.from(bytesOf(value)).toString('base64');
    case 'b':
      return numberOf(value) !== 0;
    case 'i':
      return numberOf(value);
    case 'd': {
      const bytes = bytesOf(value);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    }
    default:
      return decodeMessage(type, bytesOf(value));
  }
}

function decodeMap(type: string, entries: readonly (bigint | Uint8Array)[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map((entry) => {
      const fields = fieldsOf(bytesOf(entry));
      const value = first(fields, 2) ?? (type === 'b' || type === 'i' ? 0n : new Uint8Array());
      return [textAt(fields, 1), decodeValue(type, value)] as const;
    }),
  );
}

const isZero = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (isRecord(value) && Object.keys(value).length === 0);

function decodeField([, , type]: Row, values: readonly (bigint | Uint8Array)[]): unknown {
  if (type.startsWith('*')) return values.map((value) => decodeValue(type.slice(1), value));
  if (type.startsWith('%')) return decodeMap(type.slice(1), values);
  const last = values.at(-1);
  return last === undefined ? undefined : decodeValue(type, last);
}

function decodeMessage(type: string, bytes: Uint8Array): unknown {
  const fields = fieldsOf(bytes);
  const special = own[type];
  if (special !== undefined) return special(fields);
  const rows = messages[type];
  if (rows === undefined) throw badRequest(`protobuf: the message ${type} is not known`);
  if (isList(rows, type)) return listOf('s', fields, 1);
  const decoded: Record<string, unknown> = {};
  for (const row of rows) {
    const [number, name, , flags = ''] = row;
    const values = fields.get(number);
    if (values === undefined) continue;
    const value = decodeField(row, values);
    if (value === undefined || (flags.includes('?') && isZero(value))) continue;
    if (flags.includes('^') && isRecord(value)) Object.assign(decoded, value);
    else decoded[name] = value;
  }
  return decoded;
}

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** The name of the message of an API type: `apps/v1 Deployment` -> `apps.v1.Deployment`. */
function messageName(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  const own = kind === 'DeleteOptions' || kind.endsWith('PatchOptions') ? 'meta' : group.split('.', 1)[0] || 'core';
  const known = [`${own}.${version}.${kind}`, `meta.v1.${kind}`];
  return known.find((name) => name in messages) ?? `${own}.${version}.${kind}`;
}

/**
 * An object as Go clients send it: `k8s\0`, then a runtime.Unknown around the message of its kind.
 * @throws StatusError 400 for what cannot be read
 */
export function decodeProtobuf(body: Uint8Array): Record<string, unknown> {
  if (!magic.equals(body.subarray(0, 4)))
    throw badRequest('protobuf: the body does not start as Kubernetes protobuf does');
  try {
    const unknown = fieldsOf(body.subarray(4));
    const typeMeta = fieldsOf(bytesOf(first(unknown, 1) ?? new Uint8Array()));
    const [apiVersion, kind] = [textAt(typeMeta, 1), textAt(typeMeta, 2)];
    const content = decodeMessage(messageName(apiVersion, kind), bytesOf(first(unknown, 2) ?? new Uint8Array()));
    return { apiVersion, kind, ...(isRecord(content) && content) } satisfies Partial<KubeObject>;
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message);
    throw error;
  }
}
