import { goText } from './go-text.ts';
import { isRecord } from '@tiphys/api';
import { elementText, type FieldSet } from './field-set.ts';
import {
  fieldType,
  isAtomic,
  itemElement,
  itemsOf,
  itemType,
  shapeOf,
  type FieldType,
  type Shape,
} from './field-type.ts';

/** `config` laid over `live`: its leaves win, what it does not say stays, and its lists give the order of their items. */
export function mergeTyped(live: unknown, config: unknown, type: FieldType): unknown {
  const shape = shapeOf(type, config === undefined ? live : config);
  if (shape === 'scalar' || isAtomic(type, shape) || (!filled(live, shape) && !filled(config, shape)))
    return config === undefined ? live : config;
  return shape === 'map' ? mergeFields(live, config, type) : mergeItems(live, config, type);
}

const filled = (value: unknown, shape: Shape): boolean =>
  shape === 'map' ? isRecord(value) && Object.keys(value).length > 0 : Array.isArray(value) && value.length > 0;

function mergeFields(live: unknown, config: unknown, type: FieldType): unknown {
  const left = isRecord(live) ? live : {};
  const right = isRecord(config) ? config : {};
  const result: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const below = fieldType(type, key);
    const merged = below === undefined ? left[key] : mergeTyped(left[key], right[key], below);
    if (merged !== undefined) result[key] = merged;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

type Item = Readonly<{ element: string; value: unknown }>;

/**
 * Items of both lists. Those that only `live` has stay where they are relative to the items around them; those that
 * both have stand in the order of `config`.
 */
function mergeItems(live: unknown, config: unknown, type: FieldType): unknown {
  const left = itemsOf(type, live);
  const right = itemsOf(type, config);
  const inLive = firstOf(left);
  const inConfig = new Map(right.map((item) => [item.element, item.value]));
  const items = itemType(type);
  const merged = order(left, right).map(({ element, value, from }) =>
    from === 'live'
      ? mergeTyped(value, undefined, items)
      : mergeTyped(inLive.get(element), inConfig.get(element), items),
  );
  const result = merged.filter((value) => value !== undefined);
  return result.length > 0 ? result : undefined;
}

/** An item that stands twice in the live list is not merged with anything. */
function firstOf(items: readonly Item[]): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { element, value } of items) values.set(element, values.has(element) ? null : value);
  return values;
}

type Placed = Item & Readonly<{ from: 'live' | 'config' }>;

function order(live: readonly Item[], config: readonly Item[]): Placed[] {
  const inLive = new Set(live.map((item) => item.element));
  const inConfig = new Set(config.map((item) => item.element));
  const shared = config.map((item) => item.element).filter((element) => inLive.has(element));
  const taken = new Set<string>();
  const result: Placed[] = [];
  let l = 0;
  let r = 0;
  while (l < live.length || r < config.length) {
    const left = live[l];
    const right = config[r];
    if (left !== undefined && right !== undefined) {
      if (left.element === right.element) {
        taken.add(left.element);
        result.push({ ...right, from: 'config' });
        shared.shift();
        l += 1;
        r += 1;
        continue;
      }
      // A shared item whose turn has not come: it will be placed by the other list.
      if (inConfig.has(left.element) && shared[0] !== undefined && shared[0] !== left.element) {
        l += 1;
        continue;
      }
    }
    if (left !== undefined) {
      if (!inConfig.has(left.element)) {
        result.push({ ...left, from: 'live' });
        l += 1;
        continue;
      }
      if (taken.has(left.element)) l += 1;
    }
    if (right !== undefined) {
      taken.add(right.element);
      result.push({ ...right, from: 'config' });
      r += 1;
      if (shared[0] === right.element) shared.shift();
    }
  }
  return result;
}

/** The value without the members of a set; null where nothing is left of a map or list. */
export function removeFields(value: unknown, set: FieldSet, type: FieldType): unknown {
  const shape = shapeOf(type, value);
  if (shape === 'scalar') return value;
  if (!filled(value, shape) || isAtomic(type, shape)) return null;
  return shape === 'map' ? removeFromMap(value, set, type) : removeFromList(value, set, type);
}

function removeFromMap(value: unknown, set: FieldSet, type: FieldType): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(isRecord(value) ? value : {})) {
    const node = set.get(`f:${key}`);
    const below = fieldType(type, key);
    if (node?.member === true) continue;
    result[key] = node === undefined || below === undefined ? child : removeFields(child, node.below, below);
  }
  return Object.keys(result).length > 0 ? result : null;
}

function removeFromList(value: unknown, set: FieldSet, type: FieldType): unknown {
  const items = itemType(type);
  const result: unknown[] = [];
  for (const item of Array.isArray(value) ? value : []) {
    const found = itemElement(type, item);
    const node = 'element' in found ? set.get(found.element) : undefined;
    if (node?.member === true) continue;
    result.push(node === undefined ? item : removeFields(item, node.below, items));
  }
  return result.length > 0 ? result : null;
}

/** Why a value does not fit its type; one text per fault, with its path in front. */
export function faultsOf(value: unknown, type: FieldType): string[] {
  if (value === null) return [];
  const shape = shapeOf(type, value);
  if (shape === 'map') return mapFaults(value, type);
  if (shape === 'list') return listFaults(value, type);
  return scalarFaults(value, type);
}

const describe = (value: unknown): string => {
  if (isRecord(value)) return `&{map[${Object.keys(value).join(' ')}]}`;
  return `&{${Array.isArray(value) ? `[${value.map(String).join(' ')}]` : String(value)}}`;
};

/** With `%#v`, as the one message about texts has it. */
function describeInFull(value: unknown): string {
  const inner = Array.isArray(value)
    ? `[]interface {}{${value.map(literal).join(', ')}}`
    : isRecord(value)
      ? `map[string]interface {}{${Object.entries(value)
          .map(([key, child]) => `${JSON.stringify(key)}:${literal(child)}`)
          .join(', ')}}`
      : String(value);
  return `&value.valueUnstructured{Value:${inner}}`;
}

const literal = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : goText(value));

function mapFaults(value: unknown, type: FieldType): string[] {
  if (!isRecord(value)) return [`: expected map, got ${describe(value)}`];
  return Object.entries(value).flatMap(([key, child]) => {
    const below = fieldType(type, key);
    if (below === undefined) return [`.${key}: field not declared in schema`];
    return faultsOf(child, below).map((fault) => `.${key}${fault}`);
  });
}

function listFaults(value: unknown, type: FieldType): string[] {
  if (!Array.isArray(value)) return [`: expected list, got ${describe(value)}`];
  const seen = new Set<string>();
  const items = itemType(type);
  const faults: string[] = [];
  for (const [index, item] of value.entries()) {
    let text = `[${index}]`;
    if (!isAtomic(type, 'list')) {
      const found = itemElement(type, item);
      if ('error' in found) return [...faults, `: element ${index}: ${found.error}`];
      text = elementText(found.element);
      if (seen.has(found.element)) faults.push(`: duplicate entries for key ${text}`);
      seen.add(found.element);
    }
    faults.push(...faultsOf(item, items).map((fault) => `${text}${fault}`));
  }
  return faults;
}

const isNumeric = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';

function scalarFaults(value: unknown, { schema }: FieldType): string[] {
  const container = Array.isArray(value) || isRecord(value);
  if (schema.type === 'integer' || schema.type === 'number')
    return isNumeric(value) ? [] : [`: expected numeric (int or float), got ${goTypeOf(value)}`];
  if (schema.type === 'boolean')
    return typeof value === 'boolean' ? [] : [`: expected boolean, got ${describe(value)}`];
  const plain = schema.type === 'string' && (schema.format === undefined || schema.format === 'byte');
  if (plain) return typeof value === 'string' ? [] : [`: expected string, got ${describeInFull(value)}`];
  return container ? [`: expected any scalar, got ${describe(value)}`] : [];
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
