import { CodedError } from '@tiphys/api';

/** Whether a text matches. The time grows with length of pattern times length of text, whatever the pattern. */
export type Matcher = (text: string) => boolean;

type Accepts = (char: string) => boolean;

/** A pattern taken apart: one character, any number of characters, or one of several sequences. */
type Piece =
  | { readonly kind: 'one'; readonly accepts: Accepts }
  | { readonly kind: 'many'; readonly accepts: Accepts }
  | { readonly kind: 'either'; readonly branches: readonly (readonly Piece[])[] };

type Dialect = Readonly<{
  /** Characters that `*` and `?` do not match. */
  separators: string;
  /** What negates a class: `[!a]`, and in some dialects `[^a]`. */
  negations: string;
  /** Whether `**` counts only as a whole path segment, and then stands for no segment too. */
  segments: boolean;
}>;

const maxPatternLength = 2048;
const maxNesting = 16;
const any: Accepts = () => true;
const exactly =
  (wanted: string): Accepts =>
  (char) =>
    char === wanted;

class Parser {
  #at = 0;
  #depth = 0;
  readonly #text: string;
  readonly #chars: readonly string[];
  readonly #dialect: Dialect;

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#chars = Array.from(text);
    this.#dialect = dialect;
    if (text.length > maxPatternLength) throw this.#invalid(`it is longer than ${maxPatternLength} characters`);
  }

  parse(): readonly Piece[] {
    const pieces = this.#sequence('');
    if (this.#at < this.#chars.length) throw this.#invalid('"}" without "{"');
    return pieces;
  }

  #invalid(why: string): CodedError {
    return new CodedError('language/invalid', `"${this.#text.slice(0, 80)}" is no glob: ${why}`);
  }

  #sequence(until: string): Piece[] {
    const pieces: Piece[] = [];
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined || char === '}' || until.includes(char)) return pieces;
      this.#at += 1;
      pieces.push(this.#piece(char));
    }
  }

  #piece(char: string): Piece {
    if (char === '*') return this.#star();
    if (char === '/' && this.#endsInSegments()) return this.#below();
    if (char === '?') return { kind: 'one', accepts: this.#notSeparator };
    if (char === '[') return this.#class();
    if (char === '{') return this.#alternatives();
    if (char !== '\\') return { kind: 'one', accepts: exactly(char) };
    const escaped = this.#chars[this.#at];
    if (escaped === undefined) throw this.#invalid('it ends in a backslash');
    this.#at += 1;
    return { kind: 'one', accepts: exactly(escaped) };
  }

  readonly #notSeparator: Accepts = (char) => !this.#dialect.separators.includes(char);

  #star(): Piece {
    const before = this.#chars[this.#at - 2];
    const start = this.#at;
    while (this.#chars[this.#at] === '*') this.#at += 1;
    if (this.#at === start) return { kind: 'many', accepts: this.#notSeparator };
    if (!this.#dialect.segments) return { kind: 'many', accepts: any };
    const after = this.#chars[this.#at];
    const whole = (before === undefined || '/{,'.includes(before)) && (after === undefined || '/},'.includes(after));
    if (!whole) return { kind: 'many', accepts: this.#notSeparator };
    if (after !== '/') return { kind: 'many', accepts: any };
    this.#at += 1;
    const below: Piece[] = [
      { kind: 'many', accepts: any },
      { kind: 'one', accepts: exactly('/') },
    ];
    return { kind: 'either', branches: [[], below] };
  }

  /** Whether `**` comes next and is the last of its sequence. */
  #endsInSegments(): boolean {
    const [a, b, c = '}'] = this.#chars.slice(this.#at, this.#at + 3);
    return this.#dialect.segments && a === '*' && b === '*' && '},'.includes(c);
  }

  /** A slash and `**` at the end: the folder itself, or anything below it. */
  #below(): Piece {
    this.#at += 2;
    const below: Piece[] = [
      { kind: 'one', accepts: exactly('/') },
      { kind: 'many', accepts: any },
    ];
    return { kind: 'either', branches: [[], below] };
  }

  #class(): Piece {
    const negated = this.#dialect.negations.includes(this.#chars[this.#at] ?? ' ');
    if (negated) this.#at += 1;
    const ranges: (readonly [string, string])[] = [];
    for (let low = this.#classChar(); low !== undefined; low = this.#classChar()) {
      let high: string | undefined = low;
      if (this.#chars[this.#at] === '-' && this.#chars[this.#at + 1] !== ']') {
        this.#at += 1;
        high = this.#classChar();
      }
      if (high === undefined || high < low) throw this.#invalid('a range in [] runs backwards');
      ranges.push([low, high]);
    }
    if (ranges.length === 0) throw this.#invalid('[] is empty');
    return {
      kind: 'one',
      accepts: (char) => ranges.some(([low, high]) => char >= low && char <= high) !== negated,
    };
  }

  /** The next character of a class; undefined at its closing bracket. */
  #classChar(): string | undefined {
    let char = this.#chars[this.#at];
    this.#at += 1;
    if (char === ']') return undefined;
    if (char === '\\') {
      char = this.#chars[this.#at];
      this.#at += 1;
    }
    if (char === undefined) throw this.#invalid('"[" without "]"');
    return char;
  }

  #alternatives(): Piece {
    this.#depth += 1;
    if (this.#depth > maxNesting) throw this.#invalid('its braces are nested too deep');
    const branches: (readonly Piece[])[] = [];
    for (;;) {
      branches.push(this.#sequence(','));
      const stop = this.#chars[this.#at];
      if (stop === undefined) throw this.#invalid('"{" without "}"');
      this.#at += 1;
      if (stop === ',') continue;
      this.#depth -= 1;
      return { kind: 'either', branches };
    }
  }
}

/** A state of the automaton that a pattern becomes: what it eats and where it goes, or where it goes without eating. */
type State = { accepts: Accepts | undefined; next: number[] };

function build(pieces: readonly Piece[]): readonly State[] {
  // State 0 is the end; each sequence is built from its end backwards and answers its first state.
  const states: State[] = [{ accepts: undefined, next: [] }];
  const add = (state: State): number => states.push(state) - 1;
  const sequence = (parts: readonly Piece[], end: number): number => parts.reduceRight((next, p) => link(p, next), end);
  const link = (piece: Piece, next: number): number => {
    if (piece.kind === 'one') return add({ accepts: piece.accepts, next: [next] });
    if (piece.kind === 'either')
      return add({ accepts: undefined, next: piece.branches.map((branch) => sequence(branch, next)) });
    const loop: State = { accepts: undefined, next: [] };
    const at = add(loop);
    loop.next = [add({ accepts: piece.accepts, next: [at] }), next];
    return at;
  };
  const start = sequence(pieces, 0);
  add({ accepts: undefined, next: [start] });
  return states;
}

function compile(pattern: string, dialect: Dialect): Matcher {
  const states = build(new Parser(pattern, dialect).parse());
  const reach = (into: Set<number>, from: number): void => {
    if (into.has(from)) return;
    into.add(from);
    const state = states[from];
    if (state?.accepts === undefined) for (const next of state?.next ?? []) reach(into, next);
  };
  return (text) => {
    let here = new Set<number>();
    reach(here, states.length - 1);
    for (const char of text) {
      const there = new Set<number>();
      for (const at of here) {
        const state = states[at];
        if (state?.accepts?.(char) === true) for (const next of state.next) reach(there, next);
      }
      if (there.size === 0) return false;
      here = there;
    }
    return here.has(0);
  };
}

/**
 * A glob as Argo CD's projects and directory sources read it (gobwas): `*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\`.
 * Without separators `*` crosses slashes.
 * @throws CodedError language/invalid
 */
export const compileGlob = (pattern: string, separators = ''): Matcher =>
  compile(pattern, { separators, negations: '!', segments: false });

/**
 * A glob over paths (doublestar), as in the value files of a chart: `*` and `?` stay within a segment, `**` stands for any number
 * of segments, also none; `[a-z]`, `[!a]`, `[^a]`, `{a,b}`, `\`.
 * @throws CodedError language/invalid
 */
export const compilePathGlob = (pattern: string): Matcher =>
  compile(pattern, { separators: '/', negations: '!^', segments: true });

/** Whether a text has a character that means something in a glob. */
export const isGlob = (text: string): boolean => /[*?[{\\]/.test(text);
