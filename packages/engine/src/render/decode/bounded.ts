import { CodedError } from '@tiphys/api';

/** Levels of a value, and characters of its JSON (about). */
export type ValueLimits = Readonly<{ depth: number; characters: number }>;

/** Deeper than a manifest is; far from what a stack of calls holds. */
export const maxDepth = 500;

type Measured = Readonly<{ depth: number; characters: number }>;

/**
 * Refuses values that are small as a text and large when written out: aliases that stand for one another, and what is nested without
 * end. Each shared part is looked at once, so this is quick where writing the value out would take for ever.
 * @throws CodedError api/invalid-yaml naming the place
 */
export function requireBounded(value: unknown, place: string, limits: ValueLimits): void {
  const known = new Map<object, Measured | 'open'>();
  const refuse = (why: string): CodedError => new CodedError('api/invalid-yaml', `${place}: ${why}`);
  const measure = (part: unknown, level: number): Measured => {
    if (typeof part === 'string') return { depth: 0, characters: part.length + 2 };
    if (typeof part !== 'object' || part === null) return { depth: 0, characters: 8 };
    const found = known.get(part);
    if (found === 'open') throw refuse('an alias leads into itself');
    if (level + (found?.depth ?? 0) > limits.depth) throw refuse(`nested deeper than ${limits.depth} levels`);
    if (found !== undefined) return found;
    known.set(part, 'open');
    let depth = 0;
    let characters = 2;
    for (const [key, child] of Object.entries(part)) {
      const measured = measure(child, level + 1);
      depth = Math.max(depth, measured.depth + 1);
      characters += measured.characters + key.length + 4;
      if (characters > limits.characters) throw refuse(`written out it is larger than ${limits.characters} bytes`);
    }
    const total = { depth, characters };
    known.set(part, total);
    return total;
  };
  measure(value, 0);
}
