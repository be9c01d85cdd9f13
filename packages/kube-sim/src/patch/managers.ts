import { canonicalJson, isRecord, stringAt, type ManagedFieldsEntry } from '@tiphys/api';
import { fromFieldsV1, toFieldsV1, union, type FieldSet } from './field-set.ts';

/** Who owns what. `time` is absent for an entry that was never timed. */
export type Owner = Readonly<{
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  fields: FieldSet;
  time?: string;
}>;

/** Owners by identity: an applier is the same in all versions, an updater is another one in each. */
export type Owners = Map<string, Owner>;

/** The identity of an owner; also what the API server sorts managers by. */
export const ownerKey = ({ manager, operation, apiVersion, subresource }: Omit<Owner, 'fields' | 'time'>): string =>
  [manager, operation, operation === 'Apply' ? '' : apiVersion, subresource].map((part) => JSON.stringify(part)).join();

/** Reads managedFields; undefined when an entry is not one that the API server wrote or accepts. */
export function readOwners(entries: unknown): Owners | undefined {
  const owners: Owners = new Map();
  if (entries === undefined || entries === null) return owners;
  if (!Array.isArray(entries)) return undefined;
  for (const entry of entries) {
    const owner = readOwner(entry);
    if (owner === undefined) return undefined;
    owners.set(ownerKey(owner), owner);
  }
  return owners;
}

function readOwner(entry: unknown): Owner | undefined {
  const operation = stringAt(entry, 'operation');
  const apiVersion = stringAt(entry, 'apiVersion') ?? '';
  if ((operation !== 'Apply' && operation !== 'Update') || apiVersion === '') return undefined;
  if (!isRecord(entry) || entry['fieldsType'] !== 'FieldsV1') return undefined;
  const time = stringAt(entry, 'time');
  return {
    manager: stringAt(entry, 'manager') ?? '',
    operation,
    apiVersion,
    subresource: stringAt(entry, 'subresource') ?? '',
    fields: fromFieldsV1(entry['fieldsV1']),
    ...(time !== undefined && { time }),
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** managedFields in the API server's order; undefined when nobody owns anything. */
export function writeOwners(owners: Owners): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const sorted = [...owners.values()].sort(
    (a, b) =>
      compareText(a.operation, b.operation) ||
      compareText(a.time ?? '', b.time ?? '') ||
      compareText(a.manager, b.manager) ||
      compareText(a.apiVersion, b.apiVersion) ||
      compareText(a.subresource, b.subresource),
  );
  return sorted.map(({ manager, operation, apiVersion, subresource, fields, time }) => ({
    ...(manager !== '' && { manager }),
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    // FieldsV1 is JSON by construction.
    fieldsV1: toFieldsV1(fields) as NonNullable<ManagedFieldsEntry['fieldsV1']>,
    ...(subresource !== '' && { subresource }),
  }));
}

/** So many updaters an object may have; the oldest beyond that are put together. */
const maxUpdaters = 10;

/** Puts the oldest updaters of a version together under one name when there are too many. */
export function capUpdaters(owners: Owners): void {
  const updaters = [...owners]
    .filter(([, owner]) => owner.operation === 'Update')
    .sort(([a, x], [b, y]) => compareText(x.time ?? '', y.time ?? '') || compareText(a, b));
  let count = updaters.length;
  const first = new Map<string, string>();
  for (const [key, owner] of updaters) {
    if (count <= maxUpdaters) return;
    const { apiVersion } = owner;
    const earlier = first.get(apiVersion);
    if (earlier === undefined) {
      first.set(apiVersion, key);
      continue;
    }
    const name = { manager: 'ancient-changes', operation: 'Update', apiVersion, subresource: '' } as const;
    const bucket = ownerKey(name);
    const before = owners.get(bucket) ?? owners.get(earlier);
    if (!owners.has(bucket)) owners.delete(earlier);
    owners.delete(key);
    owners.set(bucket, {
      ...name,
      fields: union(owner.fields, before?.fields ?? new Map()),
      ...(owner.time !== undefined && { time: owner.time }),
    });
    count -= 1;
  }
}

/** Whether a client asks to forget all ownership: an empty list, or one empty entry. */
export const isReset = (entries: unknown): boolean =>
  Array.isArray(entries) && (entries.length === 0 || (entries.length === 1 && canonicalJson(entries[0]) === '{}'));
