import type { FieldNode, ObjectNode, Schema, SchemaNode } from './schema.ts';

/** A JSON schema in the dialect of OpenAPI v3, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** How much of a type goes into a custom resource definition. */
export type StructuralOptions = Readonly<{
  /** Objects by name whose insides are left to the parser: they repeat so often that the definition would outgrow its limits. */
  opaque: ReadonlySet<string>;
  /** Top-level fields that controllers write: nothing in them is required, so that a patch in parts is never refused. */
  lenient: ReadonlySet<string>;
}>;

const keep = { 'x-kubernetes-preserve-unknown-fields': true };

function scalar(node: Exclude<SchemaNode, Readonly<{ kind: 'list' | 'map' | 'object' }>>): JsonSchema {
  switch (node.kind) {
    case 'text':
      return { type: 'string' };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'flag':
      return { type: 'boolean' };
    case 'int64':
      return { type: 'integer', format: 'int64' };
    case 'int-or-text':
      return { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
    case 'json':
      return keep;
    case 'json-object':
      return { type: 'object', ...keep };
  }
}

type Level = Readonly<{ options: StructuralOptions; lenient: boolean; described: boolean }>;

function structural(node: SchemaNode, level: Level): JsonSchema {
  switch (node.kind) {
    case 'list':
      return { type: 'array', items: structural(node.of, level) };
    case 'map':
      return { type: 'object', additionalProperties: structural(node.of, level) };
    case 'object':
      return structuralObject(node, level);
    default:
      return scalar(node);
  }
}

function structuralObject(node: ObjectNode, level: Level): JsonSchema {
  if (level.options.opaque.has(node.name)) return { type: 'object', ...keep };
  const required = level.lenient ? [] : [...node.fields].filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries([...node.fields].map(([name, field]) => [name, property(field, level)])),
    // Unknown fields are kept (and warned about by the controller): dropping them would lose what somebody wrote.
    ...keep,
  };
}

const property = ({ node, doc }: FieldNode, level: Level): JsonSchema => ({
  ...(level.described && { description: doc }),
  ...structural(node, level),
});

/**
 * The structural schema for a custom resource definition. Only types are checked there, no values: what a value may be is the
 * parser's business, whose messages say more.
 */
export function structuralSchema(schema: Readonly<{ node: ObjectNode }>, options: StructuralOptions): JsonSchema {
  const { fields } = schema.node;
  const properties = [...fields].map(([name, field]) => {
    if (name === 'metadata') return [name, { type: 'object' }] as const;
    const lenient = options.lenient.has(name);
    const inner: StructuralOptions = lenient ? options : { ...options, opaque: withoutSources(options.opaque) };
    return [name, property(field, { options: inner, lenient, described: !lenient })] as const;
  });
  const required = [...fields].filter(([name, field]) => field.required && name !== 'apiVersion' && name !== 'kind');
  return { type: 'object', required: required.map(([name]) => name), properties: Object.fromEntries(properties) };
}

/** Sources are spelled out in what users write; in a status, which repeats them a dozen times, they are opaque. */
const statusOnly = new Set(['ApplicationSource', 'SourceHydrator']);
const withoutSources = (names: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...names].filter((name) => !statusOnly.has(name)));

function reference(node: SchemaNode, found: Map<string, JsonSchema>): JsonSchema {
  switch (node.kind) {
    case 'list':
      return { type: 'array', items: reference(node.of, found) };
    case 'map':
      return { type: 'object', additionalProperties: reference(node.of, found) };
    case 'object':
      collect(node, found);
      return { $ref: `#/components/schemas/${node.name}` };
    case 'text':
      return node.values === undefined ? { type: 'string' } : { type: 'string', enum: node.values };
    default:
      return scalar(node);
  }
}

function collect(node: ObjectNode, found: Map<string, JsonSchema>): void {
  if (found.has(node.name)) return;
  found.set(node.name, {}); // holds the place: the name is known before its fields are
  const required = [...node.fields].filter(([, field]) => field.required).map(([name]) => name);
  const properties = [...node.fields].map(([name, field]) => [
    name,
    { ...reference(field.node, found), description: field.doc },
  ]);
  found.set(node.name, {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(properties),
  });
}

/** The schemas of a REST description (OpenAPI 3.1): every named object once, by name. */
export function restSchemas(schemas: readonly Schema<unknown>[]): Readonly<Record<string, JsonSchema>> {
  const found = new Map<string, JsonSchema>();
  for (const { node } of schemas) reference(node, found);
  return Object.fromEntries(found);
}
