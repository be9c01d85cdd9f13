import { labelValueForm, qualifiedName } from '../schema/validation/text-forms.ts';

/** One condition of a label selector in a query. */
export type LabelRequirement = Readonly<{
  key: string;
  operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  values: readonly string[];
}>;

/** A selector that cannot be read; the message says where, in the words of the API server. */
export class SelectorFault extends Error {}

const operators = ['=', '==', '!=', '>', '<', '!', '(', ')', ','] as const;

type Token = Readonly<{ kind: 'word' | 'end' | 'error' | (typeof operators)[number]; text: string }>;

const end: Token = { kind: 'end', text: '' };

/** The longest sign that a run of signs begins with. */
function signAt(text: string): Token {
  const known = operators.filter((sign) => text.startsWith(sign)).toSorted((a, b) => b.length - a.length)[0];
  return known === undefined ? { kind: 'error', text } : { kind: known, text: known };
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const [blank] = /^[ \t\r\n]+/.exec(rest) ?? [''];
    if (blank !== '') {
      at += blank.length;
      continue;
    }
    const [word] = /^[^ \t\r\n=!(),<>]+/.exec(rest) ?? [''];
    const token: Token = word === '' ? signAt(rest) : { kind: 'word', text: word };
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

const wordOperators = '=, ==, !=, gt, lt';

class SelectorReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  read(): readonly LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const first = this.#peek();
      if (first.kind === 'end') return requirements;
      if (first.kind !== 'word' && first.kind !== '!')
        throw new SelectorFault(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#one());
      const next = this.#take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') throw new SelectorFault(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after.kind !== 'word' && after.kind !== '!')
        throw new SelectorFault(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #one(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (!(error instanceof SelectorFault)) throw error;
      throw new SelectorFault(`unable to parse requirement: ${error.message}`);
    }
  }

  #requirement(): LabelRequirement {
    const isAbsent = this.#peek().kind === '!';
    if (isAbsent) this.#take();
    const key = this.#take();
    if (key.kind !== 'word') throw new SelectorFault(`found '${key.text}', expected: identifier`);
    checkKey(key.text);
    const after = this.#peek().kind;
    if (isAbsent) return { key: key.text, operator: 'absent', values: [] };
    if (after === 'end' || after === ',') return { key: key.text, operator: 'exists', values: [] };
    const requirement = { key: key.text, ...this.#condition() };
    checkValues(requirement);
    return requirement;
  }

  #condition(): Pick<LabelRequirement, 'operator' | 'values'> {
    const token = this.#take();
    if (token.kind === 'word' && (token.text === 'in' || token.text === 'notin'))
      return { operator: token.text, values: this.#list() };
    if (token.kind === '=' || token.kind === '==') return { operator: 'in', values: [this.#exact()] };
    if (token.kind === '!=') return { operator: 'notin', values: [this.#exact()] };
    if (token.kind === '>' || token.kind === '<')
      return { operator: token.kind === '>' ? 'gt' : 'lt', values: [this.#exact()] };
    throw new SelectorFault(`found '${token.text}', expected: in, notin, ${wordOperators}`);
  }

  #exact(): string {
    const { kind } = this.#peek();
    if (kind === 'end' || kind === ',') return '';
    const token = this.#take();
    if (token.kind !== 'word') throw new SelectorFault(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #list(): readonly string[] {
    const open = this.#take();
    if (open.kind !== '(') throw new SelectorFault(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    let isValueNext = true;
    for (;;) {
      const token = this.#take();
      if (token.kind === ')') {
        if (isValueNext) values.add('');
        return [...values].sort();
      }
      if (token.kind === 'word' && isValueNext) values.add(token.text);
      else if (token.kind === ',') {
        if (isValueNext) values.add('');
      } else this.#failInList(token, { isFirst: values.size === 0, isValueNext });
      isValueNext = token.kind === ',';
    }
  }

  #failInList(token: Token, { isFirst, isValueNext }: Readonly<{ isFirst: boolean; isValueNext: boolean }>): never {
    const expected = isFirst ? "',', ')' or identifier" : isValueNext ? "',', or identifier" : "',' or ')'";
    throw new SelectorFault(`found '${token.text}', expected: ${expected}`);
  }
}

function checkKey(key: string): void {
  const faults = qualifiedName(key).map((fault) => fault.replace(/^a qualified name/, 'a valid label key'));
  refuse(faults.map((fault) => `<nil>: Invalid value: ${JSON.stringify(key)}: ${fault}`));
}

function checkValues({ key, operator, values }: LabelRequirement): void {
  const isNumeric = operator === 'gt' || operator === 'lt';
  refuse(
    values.flatMap((value, index) => {
      if (isNumeric && !/^[+-]?\d+$/.test(value))
        return `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`;
      return labelValueForm(value).map(
        (fault) => `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${fault}`,
      );
    }),
  );
}

function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new SelectorFault(faults.length === 1 ? faults.join() : `[${faults.join(', ')}]`);
}

/**
 * Reads `app=x,tier in (a, b),!old`.
 * @throws SelectorFault
 */
export const parseLabelRequirements = (text: string): readonly LabelRequirement[] => new SelectorReader(text).read();

function isMet({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      const [number, limit] = [BigInt(value), BigInt(values[0] ?? '0')];
      return operator === 'gt' ? number > limit : number < limit;
    }
  }
}

/** Whether labels meet every requirement. */
export const meetsLabels = (
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>> = {},
): boolean => requirements.every((requirement) => isMet(requirement, labels));
