import { createHash } from 'node:crypto';
import { resolveSchema } from '../../schema/built-in.ts';
import type { ResourceType, TypeSchema } from '../../schema/types.ts';
import type { TypeRegistry } from '../type-registry.ts';

type Document = Record<string, unknown>;

export const schemaName = (ref: string): string =>
  ref.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${ref}` : `io.k8s.api.${ref}`;

/** Keywords that mean the same in OpenAPI and are spelled the same. */
const plain = [
  'type',
  'description',
  'format',
  'pattern',
  'enum',
  'default',
  'nullable',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'required',
] as const satisfies readonly (keyof TypeSchema)[];

const extensions: Readonly<Record<string, keyof TypeSchema>> = {
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
  'x-kubernetes-map-type': 'mapType',
  'x-kubernetes-patch-strategy': 'patchStrategy',
  'x-kubernetes-patch-merge-key': 'patchMergeKey',
  'x-kubernetes-preserve-unknown-fields': 'preserveUnknown',
  'x-kubernetes-int-or-string': 'intOrString',
  'x-kubernetes-embedded-resource': 'embedded',
};

const own = (schema: TypeSchema): Document => ({
  ...Object.fromEntries(plain.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]])),
  ...Object.fromEntries(
    Object.entries(extensions)
      .filter(([, key]) => schema[key] !== undefined)
      .map(([name, key]) => [name, schema[key]]),
  ),
});

/** What is told differently in OpenAPI v2, which cannot say everything. */
export type Flavour = 'v2' | 'v3';

/** Writes schemas as OpenAPI and collects the named ones that they refer to. */
export class SchemaWriter {
  readonly components: Record<string, Document> = {};
  readonly #flavour: Flavour;

  constructor(flavour: Flavour) {
    this.#flavour = flavour;
  }

  pointer(name: string): Document {
    return { $ref: `#/${this.#flavour === 'v2' ? 'definitions' : 'components/schemas'}/${name}` };
  }

  write(schema: TypeSchema): Document {
    if (this.#flavour === 'v2') return this.#writeOld(schema);
    const facts = own(schema);
    if (schema.ref !== undefined) {
      const target = this.#component(schema.ref);
      return Object.keys(facts).length === 0 ? target : { ...facts, allOf: [target] };
    }
    return {
      ...facts,
      ...(schema.properties !== undefined && {
        properties: Object.fromEntries(
          Object.entries(schema.properties).map(([key, value]) => [key, this.write(value)]),
        ),
      }),
      ...(schema.additionalProperties !== undefined && {
        additionalProperties: this.write(schema.additionalProperties),
      }),
      ...(schema.items !== undefined && { items: this.write(schema.items) }),
      ...(schema.allOf !== undefined && { allOf: schema.allOf.map((part) => this.write(part)) }),
      ...(schema.anyOf !== undefined && { anyOf: schema.anyOf.map((part) => this.write(part)) }),
      ...(schema.oneOf !== undefined && { oneOf: schema.oneOf.map((part) => this.write(part)) }),
      ...(schema.not !== undefined && { not: this.write(schema.not) }),
    };
  }

  /** Clients of v2 check by types alone, so nothing with a second form may name one. */
  #writeOld(schema: TypeSchema): Document {
    const { nullable, ...facts } = own(schema);
    if (schema.ref !== undefined) return { ...facts, ...this.#component(schema.ref) };
    const { type, ...untyped } = facts;
    if (schema.intOrString === true)
      return 'x-kubernetes-int-or-string' in facts && type === undefined
        ? untyped
        : { ...untyped, type: 'string', format: 'int-or-string' };
    if (schema.preserveUnknown === true || nullable === true) return untyped;
    const { properties, additionalProperties, items } = schema;
    return {
      ...facts,
      ...(properties !== undefined && {
        properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, this.write(value)])),
      }),
      ...(additionalProperties !== undefined && { additionalProperties: this.write(additionalProperties) }),
      ...(items !== undefined && { items: this.write(items) }),
    };
  }

  #component(ref: string): Document {
    const name = schemaName(ref);
    if (!(name in this.components)) {
      this.components[name] = {};
      this.components[name] = this.write(resolveSchema(ref));
    }
    return this.pointer(name);
  }

  /** The named schema of a type, written and marked with its kind; its name. */
  add(type: ResourceType): string {
    const written = type.schema === undefined ? { type: 'object' } : this.write(type.schema);
    const { group, version, kind } = type;
    const ref = type.schema?.ref;
    const name = ref === undefined ? componentName(type) : schemaName(ref);
    const component = ref === undefined ? written : this.components[name];
    this.components[name] = { ...component, 'x-kubernetes-group-version-kind': [{ group, version, kind }] };
    return name;
  }
}

const parameter = (name: string, type: 'string' | 'boolean'): Document => ({
  name,
  in: 'query',
  schema: { type, uniqueItems: true },
});

const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => parameter(name, 'string'));

const verbs: Readonly<Record<string, Readonly<{ method: string; on: 'object' | 'collection'; action: string }>>> = {
  get: { method: 'get', on: 'object', action: 'get' },
  update: { method: 'put', on: 'object', action: 'put' },
  patch: { method: 'patch', on: 'object', action: 'patch' },
  delete: { method: 'delete', on: 'object', action: 'delete' },
  list: { method: 'get', on: 'collection', action: 'list' },
  create: { method: 'post', on: 'collection', action: 'post' },
  deletecollection: { method: 'delete', on: 'collection', action: 'deletecollection' },
};

const patchMediaTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];

/** Custom resources take no strategic merge, and kubectl goes by what is listed here. */
export const patchMediaTypesOf = (type: ResourceType): readonly string[] =>
  type.custom === undefined ? [...patchMediaTypes, 'application/strategic-merge-patch+json'] : patchMediaTypes;

export const methodOf = (verb: string): (typeof verbs)[string] | undefined => verbs[verb];

function operation(type: ResourceType, verb: string, schema: Document): Document {
  const { group, version, kind } = type;
  const content = { 'application/json': { schema } };
  const takesBody = verb === 'create' || verb === 'update';
  const parameters = [
    ...(takesBody || verb === 'patch' ? writeParameters : []),
    ...(verb === 'patch' ? [parameter('force', 'boolean')] : []),
    ...(verb === 'delete' ? [parameter('dryRun', 'string')] : []),
  ];
  return {
    operationId: `${verb}${type.namespaced ? 'Namespaced' : ''}${group}${version}${kind}`,
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody && { requestBody: { content, required: true } }),
    ...(verb === 'patch' && {
      requestBody: {
        content: Object.fromEntries(
          patchMediaTypesOf(type).map((mediaType) => [mediaType, { schema: { type: 'object' } }]),
        ),
        required: true,
      },
    }),
    responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': verbs[verb]?.action ?? verb,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function pathsOf(type: ResourceType, root: string, schema: Document): Record<string, Document> {
  const collection = `${root}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}`;
  const item = `${collection}/{name}`;
  const paths: Record<string, Document> = {};
  for (const verb of type.verbs) {
    const row = verbs[verb];
    if (row === undefined) continue;
    const path = row.on === 'object' ? item : collection;
    paths[path] = { ...paths[path], [row.method]: operation(type, verb, schema) };
  }
  return paths;
}

export const groupPath = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

const componentName = ({ group, version, kind }: ResourceType): string =>
  group === '' ? `io.k8s.api.core.${version}.${kind}` : `${group.split('.').reverse().join('.')}.${version}.${kind}`;

/** The OpenAPI v3 document of one group and version, as far as clients use it: schemas, and which verbs take which parameters. */
export const openApiDocument = (types: TypeRegistry, group: string, version: string): Document | undefined =>
  types.derived(`openapi/v3 ${group}/${version}`, () => writeDocument(types, group, version));

function writeDocument(types: TypeRegistry, group: string, version: string): Document | undefined {
  const members = types.all().filter((type) => type.group === group && type.version === version);
  if (members.length === 0) return undefined;
  const writer = new SchemaWriter('v3');
  const paths: Record<string, Document> = {};
  for (const type of members) {
    const schema = writer.pointer(writer.add(type));
    Object.assign(paths, pathsOf(type, `/${groupPath(group, version)}`, schema));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.4' },
    paths,
    components: { schemas: writer.components },
  };
}

/** The index of OpenAPI v3: where each group's document lies, with a hash that changes when it does. */
export const openApiIndex = (types: TypeRegistry): Document => types.derived('openapi/v3', () => writeIndex(types));

function writeIndex(types: TypeRegistry): Document {
  const versions = new Map<string, ResourceType[]>();
  for (const type of types.all()) {
    const path = groupPath(type.group, type.version);
    versions.set(path, [...(versions.get(path) ?? []), type]);
  }
  const hash = (members: readonly ResourceType[]): string =>
    createHash('sha256').update(JSON.stringify(members)).digest('hex').toUpperCase();
  return {
    paths: Object.fromEntries(
      [...versions].map(([path, members]) => [
        path,
        { serverRelativeURL: `/openapi/v3/${path}?hash=${hash(members)}` },
      ]),
    ),
  };
}
