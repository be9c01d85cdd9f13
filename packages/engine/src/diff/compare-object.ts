import type { KubeObject } from '@tiphys/api';
import type { Difference } from './change.ts';
import { shapeOfField, shapeOfKind } from './field-shape.ts';
import { ignoredPointers, withoutIgnored, type IgnoreRule } from './ignore.ts';
import { normalise, type CompareOptions } from './normalise.ts';
import { fieldStep, ownedFields, type FieldSet } from './ownership.ts';
import { predict } from './predict.ts';

/** What shapes a comparison, for every object alike. */
export type CompareSettings = Readonly<{ options: CompareOptions; ignore: readonly IgnoreRule[] }>;

/** One object compared: where it differs, and what of it would change on apply. */
export type Compared = Readonly<{
  differences: readonly Difference[];
  /** The live object as compared (normalised). */
  before: KubeObject;
  /** The same after applying desired; the same reference-free value as `before` when nothing differs. */
  after: KubeObject;
}>;

const comparedApart = new Set(['apiVersion', 'kind']);

/**
 * Compares one desired object with its live one (design decision 9): a difference counts where desired says something that live
 * does not hold, or where we own a field that desired no longer names.
 */
export function compareObject(desired: KubeObject, live: KubeObject, settings: CompareSettings): Compared {
  const pointers = ignoredPointers(desired, settings.ignore);
  const target = withoutIgnored(normalise(desired, settings.options), pointers);
  const before = withoutIgnored(normalise(live, settings.options), pointers);
  const owned: FieldSet = ownedFields(live);
  const kind = shapeOfKind(desired)?.struct;
  const differences: Difference[] = [];
  const after: Record<string, unknown> = { apiVersion: live.apiVersion, kind: live.kind };
  for (const field of new Set([...Object.keys(before), ...Object.keys(target)])) {
    if (comparedApart.has(field)) continue;
    const place = {
      shape: shapeOfField(desired, field),
      owned: owned.get(fieldStep(field)),
      path: `/${field}`,
      field: kind === undefined ? undefined : { struct: kind, field, siblings: before },
    };
    const value = predict(target[field], before[field], { place, differences });
    if (value !== undefined) after[field] = value;
  }
  return {
    differences,
    before,
    after: { ...after, apiVersion: live.apiVersion, kind: live.kind, metadata: asMetadata(after) },
  };
}

/** Metadata is a record on both sides, so it is one here. */
const asMetadata = (after: Readonly<Record<string, unknown>>): KubeObject['metadata'] => after['metadata'] ?? {};
