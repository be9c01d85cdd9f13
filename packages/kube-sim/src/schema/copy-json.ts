import { isRecord } from '@tiphys/api';

/** A deep copy in which no two places share a value: stored objects may, and a change in place would show at both. */
export function copyJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyJson);
  return isRecord(value) ? copyRecord(value) : value;
}

/** The same for an object. */
export const copyRecord = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([key, child]) => [key, copyJson(child)]));
