import { isRecord, stringifyJson } from '@tiphys/api';

/** An object for people to read: the bookkeeping of field managers is left out. */
export function withoutManagedFields(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['metadata'])) return value;
  const metadata = Object.entries(value['metadata']).filter(([field]) => field !== 'managedFields');
  return { ...value, metadata: Object.fromEntries(metadata) };
}

/** A value as JSON or YAML, ending with a line break. YAML is loaded only when it is wanted. */
export async function formatValue(value: unknown, as: 'json' | 'yaml'): Promise<string> {
  if (as === 'json') return `${stringifyJson(value, 2)}\n`;
  const { yamlText } = await import('./yaml-text.ts');
  return yamlText(value);
}
