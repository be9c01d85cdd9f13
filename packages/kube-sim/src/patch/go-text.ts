import { isRecord, stringifyJson } from '@tiphys/api';

/** A value as Go prints it with `%v`: `map[image:nginx ports:[80]]`. The API server's messages quote patches that way. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isRecord(value)) return typeof value === 'string' ? value : stringifyJson(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`;
}
