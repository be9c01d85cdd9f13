import { omit } from './omit.ts';
import { isRecord, type KubeObject } from '@tiphys/api';
import { decode, type Decoded } from './decode.ts';
import { objectMetaSchema } from './object-meta.ts';
import type { ResourceType, TypeSchema } from './types.ts';

/** What a custom resource keeps: its metadata as for built-in kinds, and of the rest what its schema says. */
export function pruneCustom(object: KubeObject, type: ResourceType): { object: KubeObject; unknown: string[] } {
  const found: Decoded = { unknown: [], mismatch: undefined };
  const metadata = decode({ metadata: object.metadata }, objectMetaSchema, found);
  if (type.schema === undefined)
    return { object: { ...object, ...(isRecord(metadata) && metadata) }, unknown: found.unknown };
  const { apiVersion, kind } = object;
  const rest = omit(object, 'apiVersion', 'kind', 'metadata');
  const unknown: string[] = [];
  const pruned = prune(rest, { ...type.schema, embedded: false }, { path: '', unknown });
  const kept = { apiVersion, kind, ...(isRecord(metadata) && metadata), ...(isRecord(pruned) && pruned) };
  // Identity and metadata are carried over above.
  return { object: kept as KubeObject, unknown: [...unknown, ...found.unknown] };
}

type Walk = Readonly<{ path: string; unknown: string[] }>;

function prune(value: unknown, schema: TypeSchema, walk: Walk): unknown {
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items === undefined) return value;
    return value.map((item: unknown, index) => prune(item, items, { ...walk, path: `${walk.path}[${index}]` }));
  }
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const path = walk.path === '' ? key : `${walk.path}.${key}`;
    const property = schema.properties?.[key] ?? schema.additionalProperties;
    if (child === null && property !== undefined && dropsNull(property)) continue;
    if (property !== undefined) result[key] = prune(child, property, { ...walk, path });
    else if (keptAnyway(key, schema)) result[key] = child;
    else walk.unknown.push(`unknown field "${path}"`);
  }
  return result;
}

/** A null where none is allowed counts as absent; with a default it is replaced by that. */
const dropsNull = (schema: TypeSchema): boolean => schema.nullable !== true && schema.default === undefined;

const embeddedFields = new Set(['apiVersion', 'kind', 'metadata']);

const keptAnyway = (key: string, schema: TypeSchema): boolean =>
  schema.preserveUnknown === true || (schema.embedded === true && embeddedFields.has(key)) || !describesObject(schema);

/** A schema that only says int-or-string, or nothing, has no opinion about fields. */
const describesObject = (schema: TypeSchema): boolean => schema.type === 'object' || schema.properties !== undefined;
