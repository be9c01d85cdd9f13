import { CodedError, messageOf } from './error.ts';

/** Numbers that a double cannot hold: only texts that may have one take the slow path. Digits inside a string (a commit) do not count. */
const longDigits = /(?:^|[:,[\s])-?\d{16}/;

const integerSource = /^-?\d+$/;

function keepInt64(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return integerSource.test(source) ? BigInt(source) : value;
}

/**
 * Reads JSON of Kubernetes objects: integers beyond 2^53 become bigint, so that they survive diff, patch and write.
 * @throws CodedError api/invalid-json
 */
export function parseJson(text: string, what = 'input'): unknown {
  try {
    // The reviver's third argument (the source text) is in the language since ES2025; the library types lag behind.
    return longDigits.test(text) ? JSON.parse(text, keepInt64) : JSON.parse(text);
  } catch (error) {
    throw new CodedError('api/invalid-json', `${what}: ${messageOf(error)}`, { cause: error });
  }
}

// JSON.rawJSON writes a bigint as a bare number; it is in the language, not yet in the library types.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

const writeInt64 = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? rawJSON(value.toString()) : value;

/** Writes JSON; bigint becomes a number. */
export const stringifyJson = (value: unknown, indent?: number): string => JSON.stringify(value, writeInt64, indent);

const sortKeys = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return rawJSON(value.toString());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
};

/** Writes JSON with sorted keys: equal values give equal texts, whatever the order they were built in. For hashes and comparison. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortKeys);
