import { isRecord, type KubeObject } from '@tiphys/api';
import type { ResourceType, TypeSchema } from './types.ts';

/** The defaults of a custom resource's own schema; metadata has none. */
export function defaultCustom(object: KubeObject, type: ResourceType): KubeObject {
  if (type.schema === undefined) return object;
  const { metadata, ...rest } = object;
  const completed = complete(rest, type.schema);
  // Identity is carried over: completing only adds.
  return { ...object, ...(isRecord(completed) && completed), metadata };
}

/** Whether a default stands in for the value: it is absent, or null where null is not allowed. */
const stands = (value: unknown, schema: TypeSchema): boolean =>
  schema.default !== undefined && (value === undefined || (value === null && schema.nullable !== true));

const settle = (value: unknown, schema: TypeSchema): unknown =>
  complete(stands(value, schema) ? schema.default : value, schema);

function complete(value: unknown, schema: TypeSchema): unknown {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((item: unknown) => settle(item, items));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = { ...value };
  for (const [key, property] of Object.entries(properties ?? {})) {
    const settled = settle(value[key], property);
    if (settled !== undefined) result[key] = settled;
  }
  if (additionalProperties !== undefined)
    for (const [key, child] of Object.entries(value))
      if (properties?.[key] === undefined) result[key] = settle(child, additionalProperties);
  return result;
}
