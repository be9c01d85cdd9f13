import { isRecord, stringifyJson } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import { WireWriter } from '../protobuf/write.ts';
import type { TypeRegistry } from '../type-registry.ts';
import { groupPath, methodOf, patchMediaTypesOf, SchemaWriter } from './openapi.ts';

type Document = Record<string, unknown>;

/** What client-go asks for; the older spelling with `@` means the same. */
export const openApiV2MediaType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const queryParameter = (name: string, type: 'string' | 'boolean'): Document => ({
  name,
  in: 'query',
  type,
  uniqueItems: true,
});

const parametersOf = (verb: string): readonly Document[] => {
  const writes = ['create', 'update', 'patch'].includes(verb);
  const names = writes ? ['dryRun', 'fieldManager', 'fieldValidation'] : verb === 'delete' ? ['dryRun'] : [];
  const force = verb === 'patch' ? [queryParameter('force', 'boolean')] : [];
  return [...names.map((name) => queryParameter(name, 'string')), ...force];
};

function operationOf(type: ResourceType, verb: string, schema: Document): Document {
  const { group, version, kind } = type;
  const consumes = verb === 'patch' ? patchMediaTypesOf(type) : ['application/json', 'application/yaml'];
  const parameters = parametersOf(verb);
  return {
    operationId: `${verb}${type.namespaced ? 'Namespaced' : ''}${group}${version}${kind}`,
    consumes,
    produces: ['application/json', 'application/yaml'],
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: { description: 'OK', schema } },
    'x-kubernetes-action': methodOf(verb)?.action ?? verb,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function write(types: TypeRegistry): Document {
  const writer = new SchemaWriter('v2');
  const paths: Record<string, Document> = {};
  for (const type of types.all()) {
    const schema = writer.pointer(writer.add(type));
    const collection = `/${groupPath(type.group, type.version)}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}`;
    for (const verb of type.verbs) {
      const row = methodOf(verb);
      if (row === undefined) continue;
      const path = row.on === 'object' ? `${collection}/{name}` : collection;
      paths[path] = { ...paths[path], [row.method]: operationOf(type, verb, schema) };
    }
  }
  return { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.35.4' }, paths, definitions: writer.components };
}

/** The OpenAPI v2 document of everything that is served. */
export const openApiV2 = (types: TypeRegistry): Document => types.derived('openapi/v2', () => write(types));

/** The same as gnostic's protobuf message `openapi.v2.Document`, which Go clients read. */
export const openApiV2Bytes = (types: TypeRegistry): Uint8Array =>
  types.derived('openapi/v2 protobuf', () => documentMessage(openApiV2(types)).finish());

const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : [];

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A value of any form travels as YAML, of which JSON is a part. */
const any = (value: unknown): WireWriter => new WireWriter().text(2, stringifyJson(value));

const named = (name: string, value: WireWriter): WireWriter => new WireWriter().text(1, name).message(2, value);

function extensions(writer: WireWriter, number: number, source: unknown): WireWriter {
  for (const [key, value] of entries(source)) if (key.startsWith('x-')) writer.message(number, named(key, any(value)));
  return writer;
}

function schemaMessage(source: unknown): WireWriter {
  const schema: Document = isRecord(source) ? source : {};
  const writer = new WireWriter().text(1, textOf(schema['$ref'])).text(2, textOf(schema['format']));
  writer.text(4, textOf(schema['description']));
  if (schema['default'] !== undefined) writer.message(5, any(schema['default']));
  writer.double(7, numberOf(schema['maximum'])).bool(8, schema['exclusiveMaximum']);
  writer.double(9, numberOf(schema['minimum'])).bool(10, schema['exclusiveMinimum']);
  writer.int(11, numberOf(schema['maxLength'])).int(12, numberOf(schema['minLength']));
  writer.text(13, textOf(schema['pattern']));
  writer.int(14, numberOf(schema['maxItems'])).int(15, numberOf(schema['minItems'])).bool(16, schema['uniqueItems']);
  for (const name of listOf(schema['required'])) writer.text(19, textOf(name));
  for (const value of listOf(schema['enum'])) writer.message(20, any(value));
  const { additionalProperties, items, properties } = schema;
  if (additionalProperties !== undefined)
    writer.message(21, new WireWriter().message(1, schemaMessage(additionalProperties)));
  if (schema['type'] !== undefined) writer.message(22, new WireWriter().text(1, textOf(schema['type'])));
  if (items !== undefined) writer.message(23, new WireWriter().message(1, schemaMessage(items)));
  if (properties !== undefined) writer.message(25, namedSchemas(properties));
  return extensions(writer, 31, schema);
}

function namedSchemas(source: unknown): WireWriter {
  const writer = new WireWriter();
  for (const [name, schema] of entries(source)) writer.message(1, named(name, schemaMessage(schema)));
  return writer;
}

function parameterMessage(source: unknown): WireWriter {
  const parameter: Document = isRecord(source) ? source : {};
  const query = new WireWriter().text(2, 'query').text(4, textOf(parameter['name'])).text(6, textOf(parameter['type']));
  query.bool(20, parameter['uniqueItems']);
  const nonBody = new WireWriter().message(3, query);
  return new WireWriter().message(1, new WireWriter().message(2, nonBody));
}

function operationMessage(source: unknown): WireWriter {
  const operation: Document = isRecord(source) ? source : {};
  const writer = new WireWriter().text(5, textOf(operation['operationId']));
  for (const type of listOf(operation['produces'])) writer.text(6, textOf(type));
  for (const type of listOf(operation['consumes'])) writer.text(7, textOf(type));
  for (const parameter of listOf(operation['parameters'])) writer.message(8, parameterMessage(parameter));
  return extensions(writer, 13, operation);
}

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function pathMessage(source: unknown): WireWriter {
  const item: Document = isRecord(source) ? source : {};
  const writer = new WireWriter();
  for (const [method, number] of Object.entries(methods))
    if (item[method] !== undefined) writer.message(number, operationMessage(item[method]));
  return writer;
}

function documentMessage(document: Document): WireWriter {
  const info = new WireWriter().text(1, 'Kubernetes').text(2, 'v1.35.4');
  const paths = new WireWriter();
  for (const [path, item] of entries(document['paths'])) paths.message(2, named(path, pathMessage(item)));
  return new WireWriter()
    .text(1, '2.0')
    .message(2, info)
    .message(8, paths)
    .message(9, namedSchemas(document['definitions']));
}
