import type { KubeObject } from '@tiphys/api';
import { difference, intersection, setOf, type FieldPath } from './field-set.ts';
import { ownerKey, readOwners, writeOwners, type Owner, type Owners } from './managers.ts';

/** A write of the replicas of an object through its `scale`. */
export type ScaleWrite = Readonly<{
  before: KubeObject;
  /** With the replicas as they are to be. */
  after: KubeObject;
  /** Path of the replicas, as FieldsV1 writes its elements. */
  path: FieldPath;
  isChanged: boolean;
  manager: string;
  apiVersion: string;
}>;

/**
 * The object `after` with the managedFields that a write through `scale` leaves behind. The API server makes a Scale of the
 * object, ownership of the replicas included, and takes ownership back from it; on that way an updater comes to be another
 * one (that of a Scale), whose entry nobody times. Where nobody owns the replicas, nobody comes to own them.
 */
export function trackScale({ before, after, path, isChanged, manager, apiVersion }: ScaleWrite): KubeObject {
  const { managedFields: stored, ...metadata } = after.metadata;
  const replicas = setOf(path);
  const owners = readOwners(before.metadata.managedFields) ?? new Map<string, Owner>();
  const result: Owners = new Map();
  let isOwned = false;
  for (const [key, owner] of owners) {
    const owns = intersection(owner.fields, replicas).size > 0;
    isOwned ||= owns;
    const isKept = !owns || (owner.operation === 'Apply' && !isChanged);
    const fields = isKept ? owner.fields : difference(owner.fields, replicas);
    if (fields.size > 0) result.set(key, { ...owner, fields });
    if (owns && !isKept && !isChanged) {
      const { time: _untimed, ...identity } = owner;
      result.set(`scale ${key}`, { ...identity, fields: replicas });
    }
  }
  if (isOwned && isChanged) {
    const writer = { manager, operation: 'Update', apiVersion, subresource: 'scale' } as const;
    result.set(`scale ${ownerKey(writer)}`, { ...writer, fields: replicas });
  }
  const managedFields = stored === undefined ? undefined : writeOwners(result);
  return { ...after, metadata: { ...metadata, ...(managedFields !== undefined && { managedFields }) } };
}
