import { isRecord } from '@tiphys/api';
import { FieldSetBuilder, type FieldPath, type FieldSet } from './field-set.ts';
import { declares, fieldType, isAtomic, itemsOf, itemType, shapeOf, type FieldType, type Shape } from './field-type.ts';
import { sameJson } from './same-json.ts';

/** The fields in which two objects differ. */
export type Comparison = Readonly<{ added: FieldSet; removed: FieldSet; modified: FieldSet }>;

type Found = { added: FieldSetBuilder; removed: FieldSetBuilder; modified: FieldSetBuilder };

/** What `after` adds to, takes from and changes in `before`, leaf by leaf. */
export function compare(before: unknown, after: unknown, type: FieldType): Comparison {
  const found: Found = {
    added: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
  };
  compareAt({ before, after, type, path: [] }, found);
  return { added: found.added.build(), removed: found.removed.build(), modified: found.modified.build() };
}

/** Two values at one place; undefined where there is none. */
type Pair = Readonly<{ before: unknown; after: unknown; type: FieldType; path: FieldPath }>;

function compareAt(pair: Pair, found: Found): void {
  const { before, after, type, path } = pair;
  const left = shapeOf(type, before);
  const right = shapeOf(type, after);
  let leaf: boolean;
  if (after === undefined) leaf = compareAs(left, pair, found);
  else if (before === undefined || left === right) leaf = compareAs(right, pair, found);
  else {
    compareAs(left, pair, found);
    leaf = compareAs(right, pair, found);
  }
  if (leaf) return;
  if (before === undefined) found.added.add(path);
  else if (after === undefined) found.removed.add(path);
}

/** Compares in one shape; whether the place is a leaf in it. */
function compareAs(shape: Shape, pair: Pair, found: Found): boolean {
  const isShape = (value: unknown): boolean => (shape === 'map' ? isRecord(value) : Array.isArray(value));
  const filled = (value: unknown): boolean =>
    shape === 'map' ? isRecord(value) && Object.keys(value).length > 0 : Array.isArray(value) && value.length > 0;
  if (shape === 'scalar' || isAtomic(pair.type, shape) || (!filled(pair.before) && !filled(pair.after))) {
    compareLeaf(pair, found);
    return true;
  }
  const before = isShape(pair.before) ? pair.before : undefined;
  const after = isShape(pair.after) ? pair.after : undefined;
  if (shape === 'map') compareFields({ ...pair, before, after }, found);
  else compareItems({ ...pair, before, after }, found);
  return false;
}

function compareLeaf({ before, after, path }: Pair, found: Found): void {
  if (before === undefined) found.added.add(path);
  else if (after === undefined) found.removed.add(path);
  else if (!sameJson(before, after)) found.modified.add(path);
}

function compareFields({ before, after, type, path }: Pair, found: Found): void {
  const left = isRecord(before) ? before : {};
  const right = isRecord(after) ? after : {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const below = fieldType(type, key);
    if (below === undefined) continue;
    compareAt({ before: left[key], after: right[key], type: below, path: [...path, `f:${key}`] }, found);
  }
}

function grouped(type: FieldType, list: unknown): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const { element, value } of itemsOf(type, list)) {
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [value]);
    else group.push(value);
  }
  return groups;
}

function compareItems({ before, after, type, path }: Pair, found: Found): void {
  const left = grouped(type, before);
  const right = grouped(type, after);
  const items = itemType(type);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const a = left.get(element) ?? [];
    const b = right.get(element) ?? [];
    const here = [...path, element];
    // Items that share a key cannot be told apart: together they are one leaf.
    if (a.length > 1 && b.length > 1) {
      if (!sameJson(a, b)) found.modified.add(here);
    } else if (a.length > 1) {
      if (b.length > 0) compareAt({ before: undefined, after: b[0], type: items, path: here }, found);
      found.removed.add(here);
    } else if (b.length > 1) {
      if (a.length > 0) compareAt({ before: a[0], after: undefined, type: items, path: here }, found);
      found.added.add(here);
    } else compareAt({ before: a[0], after: b[0], type: items, path: here }, found);
  }
}

/** Every leaf that a value sets, and every item and open map entry on the way. */
export function fieldsOf(value: unknown, type: FieldType): FieldSet {
  const builder = new FieldSetBuilder();
  collect({ value, type, path: [] }, builder);
  return builder.build();
}

type Place = Readonly<{ value: unknown; type: FieldType; path: FieldPath }>;

function collect(place: Place, builder: FieldSetBuilder): void {
  const { value, type, path } = place;
  const shape = shapeOf(type, value);
  if (shape === 'scalar' || isAtomic(type, shape)) builder.add(path);
  else if (shape === 'map') collectFields(place, builder);
  else collectItems(place, builder);
}

function collectFields({ value, type, path }: Place, builder: FieldSetBuilder): void {
  if (!isRecord(value)) return;
  for (const [key, child] of Object.entries(value)) {
    const below = fieldType(type, key);
    if (below === undefined || child === undefined) continue;
    const here = [...path, `f:${key}`];
    collect({ value: child, type: below, path: here }, builder);
    const empty = child === null || (isRecord(child) && Object.keys(child).length === 0);
    if (empty || !declares(type, key)) builder.add(here);
  }
}

function collectItems({ value, type, path }: Place, builder: FieldSetBuilder): void {
  const items = itemType(type);
  for (const [element, values] of grouped(type, value)) {
    const here = [...path, element];
    if (values.length === 1) collect({ value: values[0], type: items, path: here }, builder);
    builder.add(here);
  }
}
