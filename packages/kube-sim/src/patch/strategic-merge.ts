import { copyRecord } from '../schema/copy-json.ts';
import { omit } from '../schema/omit.ts';
import { isRecord, type KubeObject } from '@tiphys/api';
import { expand } from '../schema/built-in.ts';
import { badRequest, StatusError } from '../schema/status-error.ts';
import type { TypeSchema } from '../schema/types.ts';
import { goText } from './go-text.ts';
import { sameJson } from './same-json.ts';

const patchMarker = '$patch';
const retainMarker = '$retainKeys';
const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

type Fields = Record<string, unknown>;

/** The API server answers with a bare error, without a reason. */
const internal = (message: string): StatusError => new StatusError({ code: 500, reason: '', message });

/**
 * Strategic merge patch by the schema's patch strategies and merge keys, on a copy of `live`.
 * @throws StatusError 400 for directives of a wrong form, 500 (as the API server answers) for others that do not fit
 */
export function strategicMergePatch(live: KubeObject, patch: unknown, schema: TypeSchema): KubeObject {
  if (!isRecord(patch)) throw badRequest('json: cannot unmarshal array into Go value of type map[string]interface {}');
  // Both sides are copied once, then merged in place. Merging into an object gives one; the server checks its identity.
  return mergeMap(copyRecord(live), copyRecord(patch), schema) as KubeObject;
}

const childOf = (schema: TypeSchema, key: string): TypeSchema => {
  const { properties, additionalProperties } = expand(schema);
  return properties?.[key] ?? additionalProperties ?? {};
};

/** `retainKeys` shapes what clients send; here only the other strategy counts. */
const strategyOf = (schema: TypeSchema): string =>
  (schema.patchStrategy ?? '').split(',').find((strategy) => strategy !== 'retainKeys') ?? '';

function mergeMap(original: Fields, patch: Fields, schema: TypeSchema): Fields {
  const directive = patch[patchMarker];
  if (directive === 'replace') {
    return omit(patch, patchMarker);
  }
  if (directive === 'delete') return {};
  if (directive !== undefined) throw internal(`unknown patch type found: ${JSON.stringify(directive)}`);
  retainKeys(original, patch);
  for (const key of Object.keys(patch)) if (key.startsWith(orderPrefix)) mergeOrdered(original, patch, { key, schema });
  for (const [key, value] of Object.entries(patch)) mergeField({ original, key, value, schema });
  return original;
}

function retainKeys(original: Fields, patch: Fields): void {
  const kept = patch[retainMarker];
  if (kept === undefined) return;
  Reflect.deleteProperty(patch, retainMarker);
  const malformed = badRequest('invalid patch format of retainKeys');
  if (!Array.isArray(kept)) throw malformed;
  const keys = new Set<unknown>(kept);
  for (const [key, value] of Object.entries(patch)) {
    const directive = value === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
    if (!directive && !keys.has(key)) throw malformed;
  }
  for (const key of Object.keys(original)) if (!keys.has(key)) Reflect.deleteProperty(original, key);
}

function mergeField(field: { original: Fields; key: string; value: unknown; schema: TypeSchema }): void {
  const { original, value, schema } = field;
  const removal = field.key.startsWith(deletePrefix);
  const key = removal ? field.key.slice(deletePrefix.length) : field.key;
  if (value === null) {
    Reflect.deleteProperty(original, key);
    return;
  }
  const current = original[key];
  const node = childOf(schema, key);
  if (removal) {
    if (!Array.isArray(value)) throw badRequest('invalid patch format of primitive list');
    if (Array.isArray(current)) original[key] = current.filter((item) => !value.some((gone) => sameJson(gone, item)));
    return;
  }
  if (isRecord(current) && isRecord(value)) {
    original[key] = strategyOf(node) === 'replace' ? value : mergeMap(current, value, node);
    return;
  }
  if (Array.isArray(current) && Array.isArray(value)) {
    original[key] = strategyOf(node) === 'merge' ? mergeList(current, value, node) : value;
    return;
  }
  take(original, key, value);
}

/** Takes a value for which there is nothing to merge with: without nulls and without directives. */
function take(original: Fields, key: string, value: unknown): void {
  const plain = withoutDirectives(value);
  if (plain === undefined) Reflect.deleteProperty(original, key);
  else original[key] = plain;
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isRecord(value)) return value;
  if (value[patchMarker] !== undefined) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]) => {
      const plain = child === null ? undefined : withoutDirectives(child);
      return plain === undefined ? [] : [[key, plain]];
    }),
  );
}

/** A list together with the order that its elements shall have. */
function mergeOrdered(original: Fields, patch: Fields, at: { key: string; schema: TypeSchema }): void {
  const key = at.key.slice(orderPrefix.length);
  const order = patch[at.key];
  const change = patch[key];
  const current = original[key];
  Reflect.deleteProperty(patch, at.key);
  const malformed = badRequest('invalid patch format of setElementOrder list');
  if (!Array.isArray(order)) throw malformed;
  if (change !== undefined && change !== null && !Array.isArray(change)) throw malformed;
  if (current !== undefined && !Array.isArray(current)) throw malformed;
  const node = childOf(at.schema, key);
  if (change === null) return;
  checkOrder(change ?? [], order, node.patchMergeKey);
  const list = orderedSource(current, change, node);
  if (list === undefined) return;
  original[key] = ordered({ list, order, server: current ?? [], mergeKey: node.patchMergeKey });
  Reflect.deleteProperty(patch, key);
}

function orderedSource(
  current: unknown[] | undefined,
  change: unknown[] | undefined,
  node: TypeSchema,
): unknown[] | undefined {
  if (change === undefined) return current;
  if (current !== undefined) return strategyOf(node) === 'merge' ? mergeList(current, change, node) : change;
  const plain = withoutDirectives(change);
  return Array.isArray(plain) ? plain : undefined;
}

/** The elements of a patch list have to stand in the order list, in its order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (change.length === 0 || order.length === 0) return;
  const named = change.filter((item) => !(isRecord(item) && item[patchMarker] !== undefined));
  let place = 0;
  for (const item of order) if (place < named.length && sameElement(named[place], item, mergeKey)) place += 1;
  if (place < named.length)
    throw internal(
      `The order in patch list:\n${JSON.stringify(change)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    );
}

const keyOf = (item: unknown, mergeKey: string | undefined): unknown =>
  mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item;

const sameElement = (a: unknown, b: unknown, mergeKey: string | undefined): boolean =>
  sameJson(keyOf(a, mergeKey), keyOf(b, mergeKey));

function mergeList(original: unknown[], patch: unknown[], node: TypeSchema): unknown[] {
  const first: unknown = [...original, ...patch][0];
  if (first === undefined) return original;
  if (!isRecord(first)) {
    if (Array.isArray(first)) throw internal('lists of lists are not supported');
    const list = [...original, ...patch].filter(
      (item, i, all) => all.findIndex((other) => sameJson(other, item)) === i,
    );
    return ordered({ list, order: patch, server: original, mergeKey: undefined });
  }
  const mergeKey = node.patchMergeKey;
  if (mergeKey === undefined) throw internal('cannot merge lists without merge key');
  return mergeObjects({ original, patch, mergeKey, items: node.items ?? {} });
}

type ObjectLists = { original: unknown[]; patch: unknown[]; mergeKey: string; items: TypeSchema };

function mergeObjects({ original, patch, mergeKey, items }: ObjectLists): unknown[] {
  let server = original;
  const changes: Fields[] = [];
  let replaced = false;
  for (const item of patch) {
    if (!isRecord(item)) throw internal(`list element types are not identical: ${JSON.stringify([original, patch])}`);
    const directive = item[patchMarker];
    if (directive === undefined) changes.push(item);
    else if (directive === 'delete') {
      requireKey(item, mergeKey);
      server = server.filter((other) => !sameElement(other, item, mergeKey));
    } else if (directive === 'replace') replaced = true;
    else if (directive === 'merge') throw internal('merging lists cannot yet be specified in the patch');
    else throw internal(`unknown patch type found: ${JSON.stringify(directive)}`);
  }
  if (replaced) return changes;
  const list = [...server];
  for (const change of changes) {
    requireKey(change, mergeKey);
    const place = list.findIndex((other) => sameElement(other, change, mergeKey));
    const current = list[place];
    if (isRecord(current)) list[place] = mergeMap(current, change, items);
    else list.push(change);
  }
  return ordered({ list, order: changes, server, mergeKey });
}

function requireKey(item: Fields, mergeKey: string): void {
  if (item[mergeKey] === undefined)
    throw internal(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
}

type Ordering = {
  list: unknown[];
  order: readonly unknown[];
  server: readonly unknown[];
  mergeKey: string | undefined;
};

/** Elements that the patch names stand in its order; the others keep theirs, and their place among the named ones. */
function ordered({ list, order, server, mergeKey }: Ordering): unknown[] {
  const placeIn = (places: readonly unknown[], item: unknown): number =>
    places.findIndex((other) => sameElement(other, item, mergeKey));
  const sorted = (items: unknown[], places: readonly unknown[]): unknown[] =>
    items.toSorted((a, b) => placeIn(places, a) - placeIn(places, b));
  const named = sorted(
    list.filter((item) => placeIn(order, item) >= 0),
    order,
  );
  const others = sorted(
    list.filter((item) => placeIn(order, item) < 0),
    server,
  );
  const result: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const left = placeIn(server, others[0]);
    const right = placeIn(server, named[0]);
    const next = left >= 0 && right >= 0 && left < right ? others : named;
    result.push(next.shift());
  }
  return [...result, ...named, ...others];
}
