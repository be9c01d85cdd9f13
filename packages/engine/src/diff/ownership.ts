import { canonicalJson, isRecord, parseJson, type KubeObject } from '@tiphys/api';
import { marks } from '../sync/marks.ts';
import { childShape, elementKey, itemShape, shapeOfField, type FieldShape } from './field-shape.ts';

/**
 * A set of fields as a tree with the steps of FieldsV1: `f:name` a field, `k:{...}` an element of a map list by its key,
 * `v:...` an element of a set. A node without children claims all that is below it.
 */
export type FieldSet = ReadonlyMap<string, FieldSet>;

class Everything extends Map<string, FieldSet> {
  override get(): FieldSet {
    return this;
  }
  override has(step: string): boolean {
    return step !== presenceStep;
  }
}

/** A claim on all that is below: what server-side apply holds of a list that is replaced whole. */
export const everything: FieldSet = new Everything();

/** The manager under which everything is written. */
export const fieldManager = 'argocd-controller';

/**
 * Managers whose writes are ours where the last-applied annotation names the field: our own, and those under which objects came in
 * with the same annotation: kubectl's in its releases, an older Argo CD's, and what was there before managers were told apart.
 */
export const ourManagers: ReadonlySet<string> = new Set([
  fieldManager,
  'argocd-application-controller',
  'before-first-apply',
  'kubectl',
  'kubectl-client-side-apply',
  'kubectl-create',
  'kubectl-last-applied',
]);

/** Managers whose server-side applies are ours. */
const ourAppliers: ReadonlySet<string> = new Set([fieldManager, 'kubectl-client-side-apply', 'kubectl-last-applied']);

const nothing: FieldSet = new Map();

/** An empty object or list once said that it shall be there; what others fill in is not claimed with it. */
export const presenceStep = '.';
const presence: FieldSet = new Map([[presenceStep, nothing]]);

export const fieldStep = (name: string): string => `f:${name}`;
export const elementStep = (key: Readonly<Record<string, unknown>>): string => `k:${canonicalJson(key)}`;
/** Only in what a manifest says: managedFields do not look into lists that are replaced whole. */
export const indexStep = (index: number): string => `i:${index}`;
export const valueStep = (value: unknown): string => `v:${canonicalJson(value)}`;

/** `k:` and `v:` steps hold JSON whose key order is the server's; ours is sorted. */
function readStep(step: string): string {
  if (!step.startsWith('k:') && !step.startsWith('v:')) return step;
  try {
    return `${step.slice(0, 2)}${canonicalJson(parseJson(step.slice(2)))}`;
  } catch {
    return step;
  }
}

function readFieldsV1(fields: unknown): FieldSet {
  if (!isRecord(fields)) return nothing;
  return new Map(
    Object.entries(fields)
      .filter(([step]) => step !== '.')
      .map(([step, below]) => [readStep(step), readFieldsV1(below)]),
  );
}

/** The fields that a manifest sets. */
function fieldsOf(value: unknown, shape: FieldShape | undefined): FieldSet {
  if (isRecord(value)) {
    const said = Object.entries(value).filter(([, entry]) => entry !== null);
    if (said.length === 0) return presence;
    return new Map(said.map(([key, entry]) => [fieldStep(key), fieldsOf(entry, childShape(shape, key))]));
  }
  if (!Array.isArray(value)) return nothing;
  if (value.length === 0) return presence;
  if (shape?.list === 'set') return new Map(value.map((entry) => [valueStep(entry), nothing]));
  if (shape?.list !== 'map')
    return new Map(value.map((entry, index) => [indexStep(index), fieldsOf(entry, itemShape(shape))]));
  return new Map(
    value.flatMap((entry) => {
      const key = elementKey(entry, shape);
      return key === undefined ? [] : [[elementStep(key), fieldsOf(entry, itemShape(shape))] as const];
    }),
  );
}

function union(a: FieldSet, b: FieldSet): FieldSet {
  // A claim on the whole holds more than a claim on parts.
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const result = new Map(a);
  for (const [step, below] of b) {
    const other = result.get(step);
    result.set(
      step,
      other === undefined ? below : other.size === 0 || below.size === 0 ? nothing : union(other, below),
    );
  }
  return result;
}

function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (b.size === 0) return a;
  if (a.size === 0) return a;
  const result = new Map<string, FieldSet>();
  for (const [step, below] of a) {
    const other = step === presenceStep ? nothing : b.get(step);
    if (other === undefined) continue;
    const both = intersection(below, other);
    if (both.size > 0 || below.size === 0) result.set(step, both);
  }
  return result;
}

/** The last-applied annotation of a live object as JSON; undefined when there is none or it is no object. */
export function lastAppliedOf(live: KubeObject): Readonly<Record<string, unknown>> | undefined {
  const text = live.metadata.annotations?.[marks.lastApplied];
  if (text === undefined) return undefined;
  try {
    const parsed = parseJson(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    // Somebody's broken annotation claims nothing.
    return undefined;
  }
}

/**
 * What we set on a live object and would have to take back: what server-side apply holds for our manager, and what the
 * last-applied annotation names as far as our managers still hold it (another manager that wrote the field since owns it).
 * Empty when nothing is known to be ours.
 */
export function ownedFields(live: KubeObject): FieldSet {
  const entries = (live.metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => manager !== undefined && ourManagers.has(manager) && (subresource ?? '') === '',
  );
  const applied = entries
    .filter(({ manager = '', operation }) => operation === 'Apply' && ourAppliers.has(manager))
    .map(({ fieldsV1 }) => readFieldsV1(fieldsV1))
    .reduce(union, nothing);
  const last = lastAppliedOf(live);
  if (last === undefined) return applied;
  const said: FieldSet = new Map(
    Object.entries(last)
      .filter(([, value]) => value !== null)
      .map(([field, value]) => [fieldStep(field), fieldsOf(value, shapeOfField(live, field))]),
  );
  const held = entries.map(({ fieldsV1 }) => readFieldsV1(fieldsV1)).reduce(union, nothing);
  return union(applied, intersection(said, held));
}
