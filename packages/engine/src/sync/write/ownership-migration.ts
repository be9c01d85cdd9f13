import { isRecord, type KubeObject, type ManagedFieldsEntry } from '@tiphys/api';
import { fieldManager } from '../../diff/ownership.ts';

type Fields = Readonly<Record<string, unknown>>;

function unionFields(a: Fields, b: Fields): Fields {
  const result: Record<string, unknown> = { ...a };
  for (const [key, below] of Object.entries(b)) {
    const other = result[key];
    result[key] = isRecord(other) && isRecord(below) ? unionFields(other, below) : below;
  }
  return result;
}

const isClientSide = (entry: ManagedFieldsEntry, managers: readonly string[]): boolean =>
  entry.operation === 'Update' && (entry.subresource ?? '') === '' && managers.includes(entry.manager ?? '');

/** Whether fields of an object are still held by managers of client-side apply. */
export const needsMigration = (live: KubeObject, from: string): boolean =>
  (live.metadata.managedFields ?? []).some((entry) => isClientSide(entry, [from, fieldManager]));

/**
 * The managedFields with what client-side apply held moved to our server-side entry: else fields that leave the manifest would
 * stay, held by a manager that nobody uses any more. `live` must be complete (all managers).
 */
export function migratedFields(live: KubeObject, from: string): readonly ManagedFieldsEntry[] {
  const entries = live.metadata.managedFields ?? [];
  const moved = entries.filter((entry) => isClientSide(entry, [from, fieldManager]));
  const ours = entries.find(
    ({ manager, operation, subresource }) =>
      manager === fieldManager && operation === 'Apply' && (subresource ?? '') === '',
  );
  const union = [...(ours === undefined ? [] : [ours]), ...moved].reduce<Fields>(
    (all, { fieldsV1 }) => unionFields(all, fieldsV1 ?? {}),
    {},
  );
  const rest = entries.filter((entry) => entry !== ours && !moved.includes(entry));
  const apiVersion = ours?.apiVersion ?? moved[0]?.apiVersion ?? live.apiVersion;
  // A set of fields is JSON by its nature.
  const fieldsV1 = union as NonNullable<ManagedFieldsEntry['fieldsV1']>;
  return [...rest, { manager: fieldManager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 }];
}
