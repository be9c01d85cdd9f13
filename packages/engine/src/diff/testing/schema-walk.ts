import { at, isRecord, stringAt } from '@tiphys/api';

/** A schema of an OpenAPI v3 document, and the document's schemas by name. */
export type Schema = Readonly<Record<string, unknown>>;
export type Schemas = Readonly<Record<string, Schema>>;
export type Path = readonly (string | number)[];

type Named = Readonly<{ name: string; schema: Schema }>;

/** A schema without the references in front of it; `name` is that of the last one. */
export function resolved(schema: unknown, all: Schemas): Named {
  let here = isRecord(schema) ? schema : {};
  let name = '';
  for (;;) {
    const ref = stringAt(here, '$ref') ?? stringAt(here, 'allOf', 0, '$ref');
    if (ref === undefined) return { name, schema: here };
    name = ref.slice(ref.lastIndexOf('/') + 1);
    here = { ...all[name] };
  }
}

/** Texts that the validation of a field accepts, where `x` would not do. */
const texts: Readonly<Record<string, string>> = {
  apiVersion: 'v1',
  cidr: '10.0.0.0/8',
  devicePath: '/dev/x',
  driver: 'a.example.com',
  driverName: 'a.example.com',
  duration: '60s',
  expression: 'true',
  fieldPath: 'metadata.name',
  host: 'a.example.com',
  ip: '10.0.0.9',
  kind: 'ConfigMap',
  mountPath: '/mnt/x',
  namespace: 'default',
  operator: 'Exists',
  path: '/x',
  resource: 'limits.cpu',
  scopeName: 'PriorityClass',
};
const numbers: Readonly<Record<string, number>> = { port: 8080, containerPort: 8081 };

const enumOf = ({ schema }: Named): readonly unknown[] => (Array.isArray(schema['enum']) ? schema['enum'] : []);

const special: readonly (readonly [ending: string, sample: unknown, values: readonly unknown[]])[] = [
  ['resource.Quantity', '1500m', [0, '0', '1000m', 1, '0.5Gi', '1e3', 1.5]],
  ['util.intstr.IntOrString', 1, [0, 1, '1', '50%', 'http']],
  ['v1.Time', '2026-01-01T00:00:00Z', ['2026-01-01T00:00:00Z']],
  ['v1.MicroTime', '2026-01-01T00:00:00.000000Z', ['2026-01-01T00:00:00.000000Z']],
];

/** A value with what is required and nothing else; mostly one that the server accepts. */
export function sampleOf(schema: unknown, all: Schemas, key = ''): unknown {
  const named = resolved(schema, all);
  const known = special.find(([ending]) => named.name.endsWith(ending));
  if (known !== undefined) return known[1];
  if (enumOf(named).length > 0) return enumOf(named).at(-1);
  switch (named.schema['type']) {
    case 'string':
      return named.schema['format'] === 'byte' ? 'YQ==' : (texts[key] ?? 'x');
    case 'integer':
      return numbers[key] ?? 3;
    case 'number':
      return 1.5;
    case 'boolean':
      return true;
    case 'array':
      return [sampleOf(named.schema['items'], all, key.replace(/s$/, ''))];
  }
  const properties = named.schema['properties'];
  if (isRecord(properties)) {
    const required = Array.isArray(named.schema['required']) ? named.schema['required'].map(String) : [];
    return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name], all, name)]));
  }
  if (named.schema['additionalProperties'] !== undefined)
    return { k: sampleOf(named.schema['additionalProperties'], all, 'v') };
  return { any: 1 };
}

/** Values to write into a field: null, the zero of its type, an empty one, and some that say something. */
export function valuesOf(schema: unknown, all: Schemas, key: string): readonly unknown[] {
  const named = resolved(schema, all);
  const known = special.find(([ending]) => named.name.endsWith(ending));
  if (known !== undefined) return [null, ...known[2]];
  if (enumOf(named).length > 0) return [null, '', ...enumOf(named).slice(0, 6)];
  const sample = sampleOf(schema, all, key);
  switch (named.schema['type']) {
    case 'string':
      return [null, '', sample, 'other'];
    case 'integer':
      return [null, 0, 1, 7];
    case 'number':
      return [null, 0, 1.5];
    case 'boolean':
      return [null, false, true];
    case 'array':
      return [null, [], sample];
  }
  return named.schema['additionalProperties'] === undefined ? [null, {}, sample] : [null, {}, sample, { k: '' }];
}

/** A value with another one at a path. */
export function withAt(value: unknown, [step, ...rest]: Path, replacement: unknown): unknown {
  if (step === undefined) return replacement;
  if (Array.isArray(value) && typeof step === 'number') return value.with(step, withAt(value[step], rest, replacement));
  const record = isRecord(value) ? value : {};
  return { ...record, [step]: withAt(record[step], rest, replacement) };
}

/** A value without what is at a path. */
export function withoutAt(value: unknown, path: Path): unknown {
  const parent = at(value, ...path.slice(0, -1));
  const kept = Object.entries(isRecord(parent) ? parent : {}).filter(([key]) => key !== path.at(-1));
  return withAt(value, path.slice(0, -1), Object.fromEntries(kept));
}

/** A field of an object to be tried: its name in the schemas, where it is, and what to write into it. */
export type Trial = Readonly<{ field: string; path: Path; values: readonly unknown[]; schema: unknown }>;

/** The fields of the struct at a path, or undefined when a list or a scalar is there. */
export function fieldsAt(object: unknown, place: Readonly<{ path: Path; schema: unknown }>, all: Schemas): Trial[] {
  const { name, schema } = resolved(place.schema, all);
  const properties = schema['properties'];
  if (!isRecord(properties) || !isRecord(at(object, ...place.path))) return [];
  return Object.entries(properties).map(([key, below]) => ({
    field: `${name}.${key}`,
    path: [...place.path, key],
    values: valuesOf(below, all, key),
    schema: below,
  }));
}

/** The elements of a list at a path, as places to go on from. */
export function elementsAt(
  object: unknown,
  { path, schema }: Readonly<{ path: Path; schema: unknown }>,
  all: Schemas,
): { path: Path; schema: unknown }[] {
  const here = at(object, ...path);
  if (!Array.isArray(here)) return [{ path, schema }];
  const { items } = resolved(schema, all).schema;
  return here.map((_, index) => ({ path: [...path, index], schema: items }));
}
