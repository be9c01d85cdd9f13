import { parseJson } from '@tiphys/api';

/** A key that an object of a JSON text has more than once. */
export type DuplicateField = Readonly<{
  /** `spec.containers[0].image` */
  path: string;
  key: string;
  /** Where it stands for the second time; the first line is 1. */
  line: number;
}>;

const token = /\s*(?:"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+)/gy;

type Level = { path: string; seen: Set<string> | undefined; index: number; key: string };

const pathIn = ({ path, seen, index, key }: Level): string =>
  seen === undefined ? `${path}[${index}]` : path === '' ? key : `${path}.${key}`;

/** How many keys the objects of a value have together. */
function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children: readonly unknown[] = Object.values(value);
  return children.reduce<number>((sum, child) => sum + keysIn(child), Array.isArray(value) ? 0 : children.length);
}

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/**
 * Keys that are there more than once, in the order in which they repeat, each place once.
 * @param text JSON that can be read
 * @param value what was read of it
 */
export function duplicateFields(text: string, value: unknown): readonly DuplicateField[] {
  // Colons after quotes are at least as many as keys; where they are as many, nothing can be there twice.
  if ((text.match(/"\s*:/g)?.length ?? 0) === keysIn(value)) return [];
  const found = new Map<string, DuplicateField>();
  const levels: Level[] = [];
  let isKey = false;
  for (const match of text.matchAll(token)) {
    const word = match[0].trim();
    const level = levels.at(-1);
    if (word === '{' || word === '[') {
      const seen = word === '{' ? new Set<string>() : undefined;
      levels.push({ path: level === undefined ? '' : pathIn(level), seen, index: 0, key: '' });
      isKey = word === '{';
    } else if (word === '}' || word === ']') levels.pop();
    else if (word === ',' && level !== undefined) {
      level.index++;
      isKey = level.seen !== undefined;
    } else if (isKey && level?.seen !== undefined) {
      isKey = false;
      level.key = String(parseJson(word));
      const path = pathIn(level);
      if (level.seen.has(level.key) && !found.has(path))
        found.set(path, { path, key: level.key, line: lineOf(text, match.index + match[0].length) });
      level.seen.add(level.key);
    }
  }
  return [...found.values()];
}
