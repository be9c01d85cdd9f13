import { isRecord } from '../object.ts';
import { nearestOf } from './nearest.ts';
import type { FieldNode, ObjectNode, Schema, SchemaNode } from './schema.ts';

/** A field whose value is not what its type says, or a rule that is broken. `path` is as in `spec.sources[1].helm.values`. */
export type Problem = Readonly<{ path: string; message: string; nearest?: string }>;

/** A field that the type does not have; it was kept. `nearest` is the known name beside it that was probably meant. */
export type UnknownField = Readonly<{ path: string; nearest?: string }>;

/**
 * What reading gave. `value` always has its type: an ill-typed field is left out (a required one gets the empty value), and is
 * listed in `problems`. Without problems and nulls it is the very value that was given.
 */
export type Parsed<T> = Readonly<{
  value: T;
  problems: readonly Problem[];
  unknown: readonly UnknownField[];
}>;

type Reading = { path: (string | number)[]; problems: Problem[]; unknown: UnknownField[] };

/** Stands for a value that must not be used. */
const bad = Symbol('bad');

/** `spec.sources[1].helm`; keys that are no identifiers are quoted: `metadata.labels["a.b/c"]`. */
export const formatPath = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');

/** A value in words, for messages: `the string "yes"`, `a list`. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)}`;
    case 'number':
    case 'bigint':
      return `the number ${value}`;
    case 'boolean':
      return `the boolean ${value}`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'a list' : 'a mapping';
    default:
      return 'nothing';
  }
}

function complain(reading: Reading, expected: string, value: unknown): typeof bad {
  reading.problems.push({ path: formatPath(reading.path), message: `expected ${expected}, got ${inWords(value)}` });
  return bad;
}

function complainChoice(reading: Reading, values: readonly string[], value: string): typeof bad {
  const nearest = nearestOf(value, values);
  const message = `expected one of ${values.join(', ')}, got ${inWords(value)}`;
  reading.problems.push({ path: formatPath(reading.path), message, ...(nearest !== undefined && { nearest }) });
  return bad;
}

function visit(node: SchemaNode, value: unknown, reading: Reading): unknown {
  switch (node.kind) {
    case 'text':
      if (typeof value !== 'string') return complain(reading, 'a string', value);
      return node.values === undefined || node.values.includes(value)
        ? value
        : complainChoice(reading, node.values, value);
    case 'time':
      return typeof value === 'string' ? value : complain(reading, 'a time (RFC 3339)', value);
    case 'flag':
      return typeof value === 'boolean' ? value : complain(reading, 'a boolean', value);
    case 'int64':
      return typeof value === 'number' && Number.isInteger(value) ? value : complain(reading, 'an integer', value);
    case 'int-or-text':
      return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
        ? value
        : complain(reading, 'an integer or a string', value);
    case 'json':
      return value;
    case 'json-object':
      return isRecord(value) ? value : complain(reading, 'a mapping', value);
    case 'list':
      return visitList(node.of, value, reading);
    case 'map':
      return visitMap(node.of, value, reading);
    case 'object':
      return visitObject(node, value, reading);
  }
}

function visitList(of: SchemaNode, value: unknown, reading: Reading): unknown {
  if (!Array.isArray(value)) return complain(reading, 'a list', value);
  const items: readonly unknown[] = value;
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    reading.path.push(index);
    // A null in a list holds nothing that could be used; in free-form lists it is kept.
    const read = items[index] === null && of.kind !== 'json' ? bad : visit(of, items[index], reading);
    reading.path.pop();
    if (read !== items[index]) copy ??= items.slice(0, index);
    if (read !== bad) copy?.push(read);
  }
  return copy ?? value;
}

function visitMap(of: SchemaNode, value: unknown, reading: Reading): unknown {
  if (!isRecord(value)) return complain(reading, 'a mapping', value);
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    reading.path.push(key);
    // Go reads a null in a map of strings as the empty string.
    const read = item === null ? emptyOf(of) : visit(of, item, reading);
    reading.path.pop();
    if (read === item) continue;
    copy ??= { ...value };
    if (read === bad) Reflect.deleteProperty(copy, key);
    else copy[key] = read;
  }
  return copy ?? value;
}

function visitObject(node: ObjectNode, value: unknown, reading: Reading): unknown {
  if (!isRecord(value)) return complain(reading, 'a mapping', value);
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const field = node.fields.get(key);
    reading.path.push(key);
    if (field === undefined) noteUnknown(node, key, reading);
    else if (isAbsent(field, item)) {
      copy ??= { ...value };
      Reflect.deleteProperty(copy, key);
    } else {
      const read = visit(field.node, item, reading);
      if (read === bad) {
        copy ??= { ...value };
        if (field.required) copy[key] = emptyOf(field.node);
        else Reflect.deleteProperty(copy, key);
      } else if (read !== item) (copy ??= { ...value })[key] = read;
    }
    reading.path.pop();
  }
  return fillRequired(node, { value, copy }, reading);
}

/** null is absence, as Go reads it; so is the empty string of an optional choice, which Go writes for one that was never made. */
const isAbsent = ({ node, required }: FieldNode, item: unknown): boolean =>
  item === null ||
  item === undefined ||
  (item === '' && !required && node.kind === 'text' && node.values !== undefined);

function noteUnknown(node: ObjectNode, key: string, reading: Reading): void {
  const nearest = nearestOf(key, node.fields.keys());
  reading.unknown.push({ path: formatPath(reading.path), ...(nearest !== undefined && { nearest }) });
}

type Candidate = Readonly<{ value: Record<string, unknown>; copy: Record<string, unknown> | undefined }>;

function fillRequired(node: ObjectNode, { value, copy }: Candidate, reading: Reading): unknown {
  let filled = copy;
  for (const [key, field] of node.fields) {
    if (!field.required || (filled ?? value)[key] !== undefined) continue;
    reading.problems.push({ path: formatPath([...reading.path, key]), message: 'is required' });
    filled ??= { ...value };
    filled[key] = emptyOf(field.node);
  }
  return filled ?? value;
}

/** The zero value of a kind. Every kind that a required field has is listed; the others have none that would mislead less. */
function emptyOf(node: SchemaNode): unknown {
  switch (node.kind) {
    case 'text':
      return node.values?.[0] ?? '';
    case 'time':
    case 'int-or-text':
      return '';
    case 'flag':
      return false;
    case 'int64':
      return 0;
    case 'json':
      return null;
    case 'list':
      return [];
    case 'json-object':
    case 'map':
      return {};
    case 'object':
      return Object.fromEntries(
        [...node.fields].filter(([, field]) => field.required).map(([key, field]) => [key, emptyOf(field.node)]),
      );
  }
}

/** Reads a value by its schema. Never throws. */
export function parseWith<T>(schema: Schema<T>, value: unknown): Parsed<T> {
  const reading: Reading = { path: [], problems: [], unknown: [] };
  const read = visit(schema.node, value, reading);
  // The one assertion of the parser: what visit returns has the type that the node was declared together with.
  return {
    value: (read === bad ? emptyOf(schema.node) : read) as T,
    problems: reading.problems,
    unknown: reading.unknown,
  };
}
