import { type KubeObject, type ManagedFieldsEntry, stringifyJson, trackedBy, type TrackingSettings } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import { ourManagers } from '../ownership.ts';

/** What the cache keeps of a live object: all of a managed one, next to nothing of the rest. */
export type LiveEntry = Readonly<{
  /** The tracking name of the application it belongs to. */
  instance: string | undefined;
  /** Its resourceVersion, to tell our own writes when they come back. */
  version: string;
  /** The object without other managers' field sets; undefined for an object that is not managed. */
  object: KubeObject | undefined;
}>;

/** Field sets that are shared: more than these are rare ones. */
const maxFieldSets = 2000;

/**
 * Trims objects to what is kept of them. Field sets of other managers than the comparison reads are often larger than the object
 * itself and go; of the others most objects of a kind have the same, which is then kept once.
 */
export function openTrim(): (object: KubeObject) => KubeObject {
  const fieldSets = new LRUCache<string, NonNullable<ManagedFieldsEntry['fieldsV1']>>({ max: maxFieldSets });
  const shared = (entry: ManagedFieldsEntry): ManagedFieldsEntry => {
    const { fieldsV1 } = entry;
    if (fieldsV1 === undefined) return entry;
    const text = stringifyJson(fieldsV1);
    const known = fieldSets.get(text) ?? fieldsV1;
    if (known === fieldsV1) fieldSets.set(text, known);
    return { ...entry, fieldsV1: known };
  };
  return (object) => {
    const { managedFields } = object.metadata;
    if (managedFields === undefined) return object;
    const kept = managedFields.filter(({ manager }) => manager !== undefined && ourManagers.has(manager)).map(shared);
    const { managedFields: _, ...metadata } = object.metadata;
    return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields: kept } };
  };
}

/** The cache's projection. `keep`: what is kept of a managed object. */
export function projectEntry(
  object: KubeObject,
  tracking: TrackingSettings,
  keep: (object: KubeObject) => KubeObject,
): LiveEntry {
  const instance = trackedBy(object, tracking);
  const version = object.metadata.resourceVersion ?? '';
  return { instance, version, object: instance === undefined ? undefined : keep(object) };
}
