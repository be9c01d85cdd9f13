type Fault = string;

/** A character as Go's messages show it. */
function quoted(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

/** Reads JSON only to find out, in the words of Go's decoder, where it goes wrong. */
class SyntaxReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The fault of a whole text; undefined when there is none. */
  fault(): Fault | undefined {
    const found = this.#value();
    if (found !== undefined) return found;
    this.#blanks();
    return this.#at < this.#text.length ? this.#unexpected('after top-level value') : undefined;
  }

  #unexpected(where: string): Fault {
    const character = this.#text[this.#at];
    return character === undefined ? 'unexpected end of JSON input' : `invalid character ${quoted(character)} ${where}`;
  }

  #blanks(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #value(): Fault | undefined {
    this.#blanks();
    const first = this.#text[this.#at] ?? '';
    if (first === '{') return this.#members('}', () => this.#member(), 'after object key:value pair');
    if (first === '[') return this.#members(']', () => this.#value(), 'after array element');
    if (first === '"') return this.#string();
    if (first === '-' || /\d/.test(first)) return this.#number();
    const word = ['true', 'false', 'null'].find((one) => first !== '' && one.startsWith(first));
    return word === undefined ? this.#unexpected('looking for beginning of value') : this.#literal(word);
  }

  #members(end: string, one: () => Fault | undefined, after: string): Fault | undefined {
    this.#at++;
    this.#blanks();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return undefined;
    }
    for (;;) {
      const found = one();
      if (found !== undefined) return found;
      this.#blanks();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== end) return this.#unexpected(after);
      this.#at++;
      if (next === end) return undefined;
    }
  }

  #member(): Fault | undefined {
    this.#blanks();
    if (this.#text[this.#at] !== '"') return this.#unexpected('looking for beginning of object key string');
    const key = this.#string();
    if (key !== undefined) return key;
    this.#blanks();
    if (this.#text[this.#at] !== ':') return this.#unexpected('after object key');
    this.#at++;
    return this.#value();
  }

  #string(): Fault | undefined {
    this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character < ' ') return this.#unexpected('in string literal');
      this.#at++;
      if (character === '"') return undefined;
      if (character !== '\\') continue;
      const escape = this.#text[this.#at];
      if (escape === undefined || !'"\\/bfnrtu'.includes(escape)) return this.#unexpected('in string escape code');
      this.#at++;
      for (let digit = 0; escape === 'u' && digit < 4; digit++, this.#at++)
        if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? ''))
          return this.#unexpected('in \\u hexadecimal character escape');
    }
  }

  #literal(word: string): Fault | undefined {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) return this.#unexpected(`in literal ${word} (expecting ${quoted(letter)})`);
      this.#at++;
    }
    return undefined;
  }

  #digits(where: string): Fault | undefined {
    if (!/\d/.test(this.#text[this.#at] ?? '')) return this.#unexpected(where);
    while (/\d/.test(this.#text[this.#at] ?? '')) this.#at++;
    return undefined;
  }

  #number(): Fault | undefined {
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else {
      const whole = this.#digits('in numeric literal');
      if (whole !== undefined) return whole;
    }
    if (this.#text[this.#at] === '.') {
      this.#at++;
      const part = this.#digits('after decimal point in numeric literal');
      if (part !== undefined) return part;
    }
    if (!/[eE]/.test(this.#text[this.#at] ?? '')) return undefined;
    this.#at++;
    if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#digits('in exponent of numeric literal');
  }
}

/** What is wrong with a JSON text as the API server says it; undefined when nothing is. */
export const jsonFault = (text: string): string | undefined => new SyntaxReader(text).fault();
