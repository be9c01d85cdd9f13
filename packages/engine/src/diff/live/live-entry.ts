import { type KubeObject, trackedBy, type TrackingSettings } from '@tiphys/api';
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

/** Field sets of other managers than the comparison reads are often larger than the object itself. */
export function withoutForeignManagers(object: KubeObject): KubeObject {
  const { managedFields } = object.metadata;
  if (managedFields === undefined) return object;
  const kept = managedFields.filter(({ manager }) => manager !== undefined && ourManagers.has(manager));
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields: kept } };
}

/** The cache's projection. */
export function projectEntry(object: KubeObject, tracking: TrackingSettings): LiveEntry {
  const instance = trackedBy(object, tracking);
  const version = object.metadata.resourceVersion ?? '';
  return { instance, version, object: instance === undefined ? undefined : withoutForeignManagers(object) };
}
