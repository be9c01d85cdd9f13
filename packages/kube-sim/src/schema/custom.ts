import { at, isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import type { PrinterColumn, ResourceType, TypeSchema, ValidationRule } from './types.ts';

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const partVerbs = ['get', 'patch', 'update'];

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

const records = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** The resources that a CustomResourceDefinition serves: one per served version, newest priority first. */
export function fromDefinition(definition: KubeObject): ResourceType[] {
  return records(at(definition, 'spec', 'versions'))
    .filter((version) => version['served'] === true)
    .map((version) => fromVersion(definition, version))
    .sort((a, b) => compareVersions(a.version, b.version));
}

function fromVersion(definition: KubeObject, version: Record<string, unknown>): ResourceType {
  const names = at(definition, 'spec', 'names');
  const kind = stringAt(names, 'kind') ?? '';
  const group = stringAt(definition, 'spec', 'group') ?? '';
  const columns = records(version['additionalPrinterColumns']).map(column);
  const schema = at(version, 'schema', 'openAPIV3Schema');
  const parts = subresourcesOf(version, { group, version: stringAt(version, 'name') ?? '', kind });
  return {
    group,
    version: stringAt(version, 'name') ?? '',
    kind,
    plural: stringAt(names, 'plural') ?? '',
    singular: stringAt(names, 'singular') ?? kind.toLowerCase(),
    shortNames: strings(at(names, 'shortNames')),
    namespaced: at(definition, 'spec', 'scope') === 'Namespaced',
    verbs,
    categories: strings(at(names, 'categories')),
    subresources: Object.keys(parts),
    subresourceTypes: parts,
    schema: isRecord(schema) ? rootSchema(schema) : undefined,
    ...(columns.length > 0 && { columns }),
    custom: traitsOf(definition, version),
  };
}

function subresourcesOf(
  version: Record<string, unknown>,
  own: { group: string; version: string; kind: string },
): ResourceType['subresourceTypes'] {
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: partVerbs };
  return {
    ...(isRecord(at(version, 'subresources', 'status')) && { status: { ...own, verbs: partVerbs } }),
    ...(isRecord(at(version, 'subresources', 'scale')) && { scale }),
  };
}

function traitsOf(definition: KubeObject, version: Record<string, unknown>): NonNullable<ResourceType['custom']> {
  const scale = at(version, 'subresources', 'scale');
  const warning = stringAt(version, 'deprecationWarning');
  const selector = stringAt(scale, 'labelSelectorPath');
  return {
    definition: definition.metadata.name ?? '',
    storage: version['storage'] === true,
    deprecated: version['deprecated'] === true,
    ...(warning !== undefined && { deprecationWarning: warning }),
    ...(isRecord(scale) && {
      scale: {
        specReplicasPath: stringAt(scale, 'specReplicasPath') ?? '',
        statusReplicasPath: stringAt(scale, 'statusReplicasPath') ?? '',
        ...(selector !== undefined && { labelSelectorPath: selector }),
      },
    }),
    selectableFields: listAt(version, 'selectableFields').flatMap((field) => stringAt(field, 'jsonPath') ?? []),
  };
}

function column(source: Record<string, unknown>): PrinterColumn {
  const format = stringAt(source, 'format');
  const description = stringAt(source, 'description');
  const priority = source['priority'];
  return {
    name: stringAt(source, 'name') ?? '',
    type: stringAt(source, 'type') ?? 'string',
    jsonPath: stringAt(source, 'jsonPath') ?? '',
    ...(format !== undefined && { format }),
    ...(description !== undefined && { description }),
    ...(typeof priority === 'number' && { priority }),
  };
}

function rootSchema(source: Record<string, unknown>): TypeSchema {
  const schema = toTypeSchema(source);
  return {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { ...schema.properties?.['metadata'], ref: 'meta.v1.ObjectMeta' },
    },
  };
}

/** Keys of JSONSchemaProps that a TypeSchema holds, by their name there. */
const renamed: Readonly<Record<string, string>> = {
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
  'x-kubernetes-map-type': 'mapType',
  'x-kubernetes-preserve-unknown-fields': 'preserveUnknown',
  'x-kubernetes-int-or-string': 'intOrString',
  'x-kubernetes-embedded-resource': 'embedded',
};
const same = new Set(
  [
    'type',
    'description',
    'required',
    'default',
    'enum',
    'nullable',
    'format',
    'pattern',
    'minimum',
    'maximum',
    'exclusiveMinimum',
  ].concat(
    [
      'exclusiveMaximum',
      'multipleOf',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'uniqueItems',
      'minProperties',
    ],
    ['maxProperties'],
  ),
);
const nested = new Set(['items', 'not']);
const lists = new Set(['allOf', 'anyOf', 'oneOf']);

/** JSONSchemaProps of a CustomResourceDefinition as a TypeSchema; what serving does not need is left out. */
export function toTypeSchema(source: Record<string, unknown>): TypeSchema {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    if (value === null) continue;
    const name = renamed[key];
    if (name !== undefined) result[name] = value;
    else if (same.has(key)) result[key] = value;
    else if (nested.has(key) && isRecord(value)) result[key] = toTypeSchema(value);
    else if (lists.has(key)) result[key] = records(value).map(toTypeSchema);
    else if (key === 'properties' && isRecord(value)) result[key] = mapValues(value);
    else if (key === 'additionalProperties') {
      const values = additional(value);
      if (values !== undefined) result[key] = values;
    } else if (key === 'x-kubernetes-validations') result['rules'] = records(value).flatMap(rule);
  }
  // Every key above is one of TypeSchema and holds what the definition's own schema requires there.
  return result;
}

const mapValues = (source: Record<string, unknown>): Record<string, TypeSchema> =>
  Object.fromEntries(
    Object.entries(source).flatMap(([key, value]) => (isRecord(value) ? [[key, toTypeSchema(value)]] : [])),
  );

function additional(value: unknown): TypeSchema | undefined {
  if (isRecord(value)) return toTypeSchema(value);
  return value === true ? { preserveUnknown: true } : undefined;
}

function rule(source: Record<string, unknown>): ValidationRule[] {
  const text = stringAt(source, 'rule');
  if (text === undefined) return [];
  const { message, messageExpression, reason, fieldPath, optionalOldSelf } = source;
  return [
    {
      rule: text,
      ...(typeof message === 'string' && { message }),
      ...(typeof messageExpression === 'string' && { messageExpression }),
      ...(typeof reason === 'string' && { reason }),
      ...(typeof fieldPath === 'string' && { fieldPath }),
      ...(typeof optionalOldSelf === 'boolean' && { optionalOldSelf }),
    },
  ];
}

const versionForm = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** The order in which Kubernetes prefers versions: stable before beta before alpha, higher before lower, others last. */
export function compareVersions(a: string, b: string): number {
  const left = versionForm.exec(a);
  const right = versionForm.exec(b);
  if (left === null || right === null) return left === right ? (a < b ? -1 : 1) : left === null ? 1 : -1;
  const rank = (match: RegExpExecArray): number => ({ alpha: 0, beta: 1 })[match[2] ?? ''] ?? 2;
  return rank(right) - rank(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}
export { validateDefinition } from './definition.ts';
