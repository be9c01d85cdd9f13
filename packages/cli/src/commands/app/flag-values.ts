import { CodedError } from '@tiphys/api';

/** `name=value` taken apart at the first `=`. @throws CodedError cli/usage */
export function pairOf(text: string, name: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new CodedError('cli/usage', `--${name} takes name=value, not "${text}"`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Several `name=value` as a map. */
export const mapOf = (texts: readonly string[], name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(texts.map((text) => pairOf(text, name)));

/** Entries with those of the same name replaced where they stand, the others behind them; of two new ones the later counts. */
export function mergeBy<T>(nameOf: (entry: T) => string, before: readonly T[], more: readonly T[]): readonly T[] {
  const merged = new Map(before.map((entry) => [nameOf(entry), entry]));
  for (const entry of more) merged.set(nameOf(entry), entry);
  return [...merged.values()];
}

/** The same for entries that have a name of their own. */
export const mergeByName = <T extends Readonly<{ name?: string }>>(
  before: readonly T[],
  more: readonly T[],
): readonly T[] => mergeBy(({ name = '' }) => name, before, more);
