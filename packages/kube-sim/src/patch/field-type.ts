import { isRecord } from '@tiphys/api';
import { expand } from '../schema/built-in.ts';
import type { TypeSchema } from '../schema/types.ts';
import { elementJson, emptySet, type FieldSet } from './field-set.ts';

/**
 * The type of a value for server-side apply: which maps and lists are one leaf (atomic), which are merged item by item,
 * and by which keys. `open` types accept fields that they do not declare.
 */
export type FieldType = Readonly<{ schema: TypeSchema; open: boolean }>;

export type Shape = 'map' | 'list' | 'scalar';

/** Decided by each value itself: maps are merged, lists are leaves. */
const deduced: FieldType = { schema: {}, open: true };

export const typeOf = (schema: TypeSchema | undefined): FieldType =>
  schema === undefined ? deduced : resolved(schema, false);

function resolved(node: TypeSchema, inherited: boolean): FieldType {
  const schema = expand(node);
  // A named type says for itself whether it is open.
  const open = node.ref === undefined && inherited;
  return { schema, open: open || schema.preserveUnknown === true };
}

const shapeOfValue = (value: unknown): Shape => (Array.isArray(value) ? 'list' : isRecord(value) ? 'map' : 'scalar');

/** The shape in which a value of this type is handled: the type's own, or where that is free, the value's. */
export function shapeOf({ schema }: FieldType, value: unknown): Shape {
  if (schema.type === 'object') return 'map';
  if (schema.type === 'array') return 'list';
  if (schema.type !== undefined) return 'scalar';
  return value === null || value === undefined ? 'map' : shapeOfValue(value);
}

export const isAtomic = ({ schema }: FieldType, shape: Shape): boolean =>
  shape === 'map' ? schema.mapType === 'atomic' : !isAssociative(schema);

const mergesByStrategy = (schema: TypeSchema): boolean =>
  schema.listType === undefined && (schema.patchStrategy ?? '').split(',').includes('merge');

const isAssociative = (schema: TypeSchema): boolean =>
  schema.listType === 'map' || schema.listType === 'set' || mergesByStrategy(schema);

const keysOf = (schema: TypeSchema): readonly string[] => {
  if (mergesByStrategy(schema)) return schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey];
  return schema.listType === 'map' ? (schema.listMapKeys ?? []) : [];
};

/** The type of a field; undefined when the type declares no such field. */
export function fieldType({ schema, open }: FieldType, name: string): FieldType | undefined {
  const declared = schema.properties?.[name] ?? schema.additionalProperties;
  if (declared !== undefined) return resolved(declared, open);
  return open || schema.properties === undefined ? deduced : undefined;
}

export const declares = ({ schema }: FieldType, name: string): boolean => schema.properties?.[name] !== undefined;

export const itemType = ({ schema, open }: FieldType): FieldType =>
  schema.items === undefined ? deduced : resolved(schema.items, open);

/** The path element of an item of an associative list, or why it has none. */
export function itemElement(type: FieldType, item: unknown): Readonly<{ element: string } | { error: string }> {
  const keys = keysOf(type.schema);
  if (keys.length === 0) return setElement(item);
  if (item === null) return { error: 'associative list with keys may not have a null element' };
  if (!isRecord(item)) return { error: 'associative list with keys may not have non-map elements' };
  const fields = itemType(type).schema.properties;
  const found = keys.flatMap((key): [string, unknown][] => {
    const value = item[key] === undefined ? fields?.[key]?.default : item[key];
    return value === undefined ? [] : [[key, value]];
  });
  if (found.length > 0) return { element: `k:${elementJson(Object.fromEntries(found))}` };
  return {
    error: `associative list with keys has an element that omits all key fields [${keys
      .map((key) => JSON.stringify(key))
      .join(' ')}] (and doesn't have default values for any key fields)`,
  };
}

function setElement(item: unknown): Readonly<{ element: string } | { error: string }> {
  if (item === null) return { error: "associative list without keys has an element that's an explicit null" };
  if (isRecord(item)) return { error: "associative list without keys has an element that's a map type" };
  if (Array.isArray(item)) return { error: 'not supporting lists of lists' };
  return { element: `v:${elementJson(item)}` };
}

/** An associative list's items with their path elements; items without one are left out (they were refused before). */
export function itemsOf(type: FieldType, list: unknown): { element: string; value: unknown }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown) => {
    const found = itemElement(type, value);
    return 'element' in found ? [{ element: found.element, value }] : [];
  });
}

/** The set with every declared field on the way to a member a member too: such a field exists as soon as one below does. */
export function withNamedFields(set: FieldSet, type: FieldType | undefined): FieldSet {
  const result = new Map<string, { member: boolean; below: FieldSet }>();
  for (const [element, node] of set) {
    const isField = element.startsWith('f:');
    const name = element.slice(2);
    const named = isField && type !== undefined && node.below.size > 0 && declares(type, name);
    const below = withNamedFields(node.below, type === undefined ? undefined : typeBelow(type, element));
    result.set(element, { member: node.member || named, below });
  }
  return result;
}

/** Whether all values of a type are one leaf. */
const isLeaf = (type: FieldType): boolean =>
  (type.schema.type === 'object' && isAtomic(type, 'map')) || (type.schema.type === 'array' && isAtomic(type, 'list'));

/** The set as the type has it now: whoever owns a part of what has become one leaf owns the leaf. */
export function withLeaves(set: FieldSet, type: FieldType): FieldSet {
  let isSame = true;
  const result = new Map<string, { member: boolean; below: FieldSet }>();
  for (const [element, node] of set) {
    const below = typeBelow(type, element);
    const leaves = below === undefined || node.below.size === 0 ? node.below : withLeaves(node.below, below);
    const collapses = below !== undefined && node.below.size > 0 && isLeaf(below);
    isSame = isSame && !collapses && leaves === node.below;
    result.set(element, collapses ? { member: true, below: emptySet } : { member: node.member, below: leaves });
  }
  return isSame ? set : result;
}

const typeBelow = (type: FieldType, element: string): FieldType | undefined => {
  if (element.startsWith('f:')) return fieldType(type, element.slice(2));
  return element.startsWith('k:') ? itemType(type) : undefined;
};
