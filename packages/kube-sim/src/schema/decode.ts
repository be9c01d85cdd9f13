import { isRecord } from '@tiphys/api';
import { expand } from './built-in.ts';
import { canonicalQuantity } from './quantity.ts';
import type { TypeSchema } from './types.ts';

/** What reading a value by its schema found out. */
export type Decoded = {
  /** `unknown field "spec.foo"`, in the order of the input. */
  unknown: string[];
  /** The first value of a wrong type, as the API server says it. */
  mismatch: string | undefined;
};

type Place = Readonly<{ path: string; /** The same without list positions. */ plain: string; owner: string }>;

const dropped = Symbol('dropped');

/**
 * Reads a value of a built-in kind as the API server does through its Go types: fields that the schema does not know
 * are left out, so are nulls and zero values of fields that are no pointers, and quantities and times get their
 * canonical form. A value of a wrong type is kept and noted.
 */
export function decode(value: unknown, schema: TypeSchema, found: Decoded): unknown {
  const result = decodeAt(value, schema, { place: { path: '', plain: '', owner: '' }, found });
  return result === dropped ? undefined : result;
}

type Reading = Readonly<{ place: Place; found: Decoded }>;

function decodeAt(value: unknown, node: TypeSchema, reading: Reading): unknown {
  const schema = expand(node);
  if (value === null) return dropped;
  if (schema.preserveUnknown === true) return value;
  if (schema.intOrString === true)
    return typeof value === 'string' || isInteger(value) ? value : mismatch(value, 'intstr.IntOrString', reading);
  if (schema.properties !== undefined || schema.additionalProperties !== undefined)
    return isRecord(value)
      ? decodeObject(value, schema, ownedBy(reading, node))
      : mismatch(value, goType(node), reading);
  if (schema.type === 'array')
    return Array.isArray(value) ? decodeList(value, schema, reading) : mismatch(value, goType(schema), reading);
  return decodeScalar(value, schema, reading);
}

const ownedBy = (reading: Reading, node: TypeSchema): Reading =>
  node.ref === undefined
    ? reading
    : { ...reading, place: { ...reading.place, owner: node.ref.slice(node.ref.lastIndexOf('.') + 1) } };

function decodeObject(value: Record<string, unknown>, schema: TypeSchema, reading: Reading): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const property = schema.properties?.[key] ?? schema.additionalProperties;
    if (property === undefined) {
      if (schema.properties !== undefined)
        reading.found.unknown.push(`unknown field "${below(reading.place.path, key)}"`);
      continue;
    }
    const decoded = decodeAt(child, property, step(reading, key, schema.properties?.[key] !== undefined));
    // An empty list of managed fields asks to forget them, which is not the same as none.
    if (decoded === dropped) {
      if (schema.properties === undefined) result[key] = zeroOf(property);
    } else if (property.zero !== 'omit' || !isZero(decoded) || key === 'managedFields') result[key] = decoded;
  }
  return result;
}

const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** Errors of decoding name the Go field; a key of a map is none. */
function step({ place, found }: Reading, key: string, isField: boolean): Reading {
  const plain = isField ? below(place.plain, key) : place.plain;
  return { found, place: { ...place, path: below(place.path, key), plain } };
}

function decodeList(value: readonly unknown[], schema: TypeSchema, reading: Reading): unknown {
  const items = schema.items ?? {};
  return value.map((item, index) => {
    const place = { ...reading.place, path: `${reading.place.path}[${index}]` };
    const decoded = decodeAt(item, items, { ...reading, place });
    return decoded === dropped ? zeroOf(items) : decoded;
  });
}

function decodeScalar(value: unknown, schema: TypeSchema, reading: Reading): unknown {
  switch (schema.type) {
    case 'string':
      return decodeString(value, schema, reading);
    case 'integer':
      return isInteger(value) ? value : mismatch(value, schema.format ?? 'int64', reading);
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : mismatch(value, 'float64', reading);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, 'bool', reading);
    default:
      return value;
  }
}

function decodeString(value: unknown, schema: TypeSchema, reading: Reading): unknown {
  if (schema.format === 'quantity') {
    const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
    const canonical = typeof text === 'string' ? canonicalQuantity(text.trim()) : undefined;
    if (canonical !== undefined) return canonical;
    reading.found.mismatch ??= notAQuantity;
    return value;
  }
  if (typeof value !== 'string') return mismatch(value, 'string', reading);
  if (schema.format === 'date-time') return decodeTime(value, reading);
  if (schema.format === 'byte') return decodeBytes(value, reading);
  return value;
}

const notAQuantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function decodeTime(value: string, reading: Reading): unknown {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const time = match === null ? Number.NaN : Date.parse(value);
  if (match === null || Number.isNaN(time)) {
    reading.found.mismatch ??= `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`;
    return value;
  }
  const seconds = new Date(time).toISOString().slice(0, 19);
  // Lease times and event times keep microseconds, all others whole seconds.
  const micro = /(renewTime|acquireTime|eventTime|lastObservedTime)$/.test(reading.place.plain);
  return micro ? `${seconds}.${(match[2] ?? '').slice(0, 6).padEnd(6, '0')}Z` : `${seconds}Z`;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBytes(value: string, reading: Reading): unknown {
  const text = value.replace(/[\r\n]/g, '');
  if (!base64.test(text)) {
    const bad = /[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length;
    reading.found.mismatch ??= `illegal base64 data at input byte ${bad}`;
  }
  return text;
}

const isInteger = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);

function mismatch(value: unknown, type: string, { place, found }: Reading): unknown {
  const field = place.owner === '' ? place.plain : `${place.owner}.${place.plain}`;
  found.mismatch ??= `json: cannot unmarshal ${jsonType(value)} into Go struct field ${field} of type ${type}`;
  return value;
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' && !Number.isInteger(value)) return `number ${value}`;
  return typeof value === 'string' ? 'string' : 'number';
}

/** The Go type of a node as error messages name it: `v1.PodSpec`, `map[string]string`, `[]v1.Container`. */
function goType(schema: TypeSchema): string {
  if (schema.ref !== undefined) return schema.ref.split('.').slice(-2).join('.');
  if (schema.additionalProperties !== undefined) return `map[string]${goType(schema.additionalProperties)}`;
  if (schema.type === 'array') return `[]${goType(schema.items ?? {})}`;
  if (schema.type === 'integer') return schema.format ?? 'int64';
  if (schema.type === 'boolean') return 'bool';
  return schema.type ?? 'interface {}';
}

/** Whether Go's omitempty leaves the value out. */
export function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === '' || value === 0 || value === false || value === 0n;
}

/** The zero value of a node, as Go writes it where it cannot leave it out. */
export function zeroOf(node: TypeSchema): unknown {
  const schema = expand(node);
  if (schema.properties !== undefined) return {};
  if (schema.format === 'quantity') return '0';
  if (schema.intOrString === true || schema.type === 'integer' || schema.type === 'number') return 0;
  if (schema.type === 'boolean') return false;
  // No bytes are told apart from zero bytes until they have been stored.
  if (schema.type === 'string' && schema.format !== 'date-time' && schema.format !== 'byte') return '';
  return null;
}

/** The value with every zero that Go writes although nobody set it: `status: {}`, `resources: {}`, `rules: null`. */
export function encode(value: unknown, node: TypeSchema): unknown {
  const schema = expand(node);
  if (Array.isArray(value)) {
    const items = schema.items;
    return items === undefined ? value : value.map((item: unknown) => encode(item, items));
  }
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const property = schema.properties?.[key] ?? schema.additionalProperties;
    if (child !== undefined) result[key] = property === undefined ? child : encode(child, property);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (result[key] !== undefined) continue;
    if (property.zero === 'write') result[key] = encode(zeroOf(property), property);
    else if (property.zero === 'null') result[key] = null;
  }
  return result;
}

/** The value as it comes back from storage, which keeps no difference between an empty list or map and none. */
export function settle(value: unknown, node: TypeSchema): unknown {
  const schema = expand(node);
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item: unknown) => settle(item, items));
  }
  if (value === null && schema.format === 'byte') return '';
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const property = schema.properties?.[key] ?? schema.additionalProperties;
      if (property === undefined) return [key, child];
      const isCollection =
        Array.isArray(child) || (isRecord(child) && expand(property).additionalProperties !== undefined);
      return [key, property.zero === 'null' && isCollection && isZero(child) ? null : settle(child, property)];
    }),
  );
}
