import { isRecord } from '@tiphys/api';
import { expand } from '../built-in.ts';
import type { TypeSchema } from '../types.ts';
import type { Faults } from './faults.ts';

/** For built-in kinds without rules of their own: fields that must be there, and values out of a closed list. */
export function checkValues(object: Record<string, unknown>, schema: TypeSchema, faults: Faults): void {
  for (const [key, property] of Object.entries(expand(schema).properties ?? {}))
    if (key !== 'metadata' && key !== 'status' && object[key] !== undefined)
      check(object[key], property, { path: key, faults });
}

type Place = Readonly<{ path: string; faults: Faults }>;

function check(value: unknown, node: TypeSchema, place: Place): void {
  const schema = expand(node);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined)
      for (const [index, item] of value.entries()) check(item, items, { ...place, path: `${place.path}[${index}]` });
    return;
  }
  if (isRecord(value)) {
    checkFields(value, schema, place);
    return;
  }
  const { enum: allowed } = schema;
  if (allowed !== undefined && typeof value === 'string' && value !== '' && !allowed.includes(value))
    place.faults.unsupported(place.path, value, allowed.map(String));
}

function checkFields(value: Record<string, unknown>, schema: TypeSchema, { path, faults }: Place): void {
  for (const name of schema.required ?? []) {
    const found = value[name];
    if (found === undefined || found === null || found === '') faults.required(`${path}.${name}`);
  }
  for (const [key, child] of Object.entries(value)) {
    const property = schema.properties?.[key] ?? schema.additionalProperties;
    if (property !== undefined) check(child, property, { path: `${path}.${key}`, faults });
  }
}
