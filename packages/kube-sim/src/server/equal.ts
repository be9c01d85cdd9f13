import { isRecord, type KubeObject } from '@tiphys/api';
import { omit } from '../schema/omit.ts';

// An empty object is something that was said; empty maps are gone when an object has been read.
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** Deep equality of JSON values; a key that is absent equals one that is undefined. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equal(a[key], b[key]));
}

/** Like `equal`, but nothing, null and an empty list are the same (Kubernetes' semantic equality). */
export function semanticallyEqual(a: unknown, b: unknown): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => semanticallyEqual(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => semanticallyEqual(a[key], b[key]));
}

const withoutTimes = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    managedFields: (object.metadata.managedFields ?? []).map((entry) => omit(entry, 'time')),
  },
});

/** Whether a write changes nothing: times of managed fields and the resourceVersion aside. */
export const isSameObject = (a: KubeObject, b: KubeObject): boolean =>
  equal(
    { ...withoutTimes(a), metadata: { ...withoutTimes(a).metadata, resourceVersion: '' } },
    { ...withoutTimes(b), metadata: { ...withoutTimes(b).metadata, resourceVersion: '' } },
  );
