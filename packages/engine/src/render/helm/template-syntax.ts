/**
 * As much of the syntax of Go templates as is needed to see what a template does with its context. What cannot be read is undefined:
 * whoever asks has to expect anything of it.
 */

/** One value of a command, with the fields that are taken from it: `.Values.x` is the dot with two, `.` the dot with none. */
export type Operand = Readonly<{
  kind: 'dot' | 'root' | 'variable' | 'word' | 'constant' | 'group';
  /** Of a word. */
  name: string;
  fields: readonly string[];
  /** Of a group in parentheses. */
  group: Pipeline;
}>;
export type Pipeline = readonly (readonly Operand[])[];

/** An action: its keyword (`if`, `define`, ...; '' for a plain pipeline), and what follows it. */
export type Action = Readonly<{ keyword: string; pipeline: Pipeline }>;

type Token = Readonly<{ kind: 'space' | 'field' | 'dot' | 'variable' | 'word' | 'constant' | 'mark'; text: string }>;

const tokenPatterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /\s+/y],
  ['constant', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y],
  ['constant', /[+-]?(?:\d[\w.]*|\.\d[\w.]*)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['mark', /:=|[()|,=]/y],
];

const keywords = new Set(['if', 'else', 'end', 'with', 'range', 'define', 'block', 'template', 'break', 'continue']);

/** The tokens from a place up to the end of the action, and where that is; undefined for what is no action. */
function tokensAt(text: string, start: number): { tokens: readonly Token[]; end: number } | undefined {
  const tokens: Token[] = [];
  for (let at = start; at < text.length;) {
    const close = /(?:\s-)?\}\}/y;
    close.lastIndex = at;
    if (close.test(text)) return { tokens, end: close.lastIndex };
    const found = tokenPatterns.find(([, pattern]) => {
      pattern.lastIndex = at;
      return pattern.test(text);
    });
    if (found === undefined) return undefined;
    const [kind, pattern] = found;
    tokens.push({ kind, text: text.slice(at, pattern.lastIndex) });
    at = pattern.lastIndex;
  }
  return undefined;
}

/** What may stand before a comma or an assignment. */
function isVariable([command = [], ...more]: Pipeline): boolean {
  const [first, ...others] = command;
  return first?.kind === 'variable' && first.fields.length === 0 && others.length === 0 && more.length === 0;
}

/** Reads pipelines from tokens, one after another. */
class Reader {
  #at = 0;
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get isDone(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** A pipeline up to the end or a closing parenthesis; undefined for what is none. Assignments are left away: their value counts. */
  pipeline(): Pipeline | undefined {
    const commands: Operand[][] = [[]];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || token.text === ')') return commands;
      this.#at += 1;
      if (token.kind === 'space') continue;
      if (token.kind === 'mark' && token.text !== '(') {
        if (token.text === '|') commands.push([]);
        // `$a, $b := value`: what is assigned begins anew.
        else if (!isVariable(commands)) return undefined;
        else commands.splice(0, commands.length, []);
        continue;
      }
      const operand = this.#operand(token);
      if (operand === undefined) return undefined;
      commands.at(-1)?.push(operand);
    }
  }

  #operand(token: Token): Operand | undefined {
    const plain = { name: '', fields: this.#fieldsAfter(token), group: [] };
    if (token.kind === 'dot') return { ...plain, kind: 'dot' };
    if (token.kind === 'field') return { ...plain, kind: 'dot', fields: [token.text.slice(1), ...plain.fields] };
    if (token.kind === 'variable') return { ...plain, kind: token.text === '$' ? 'root' : 'variable' };
    if (token.kind === 'constant') return { ...plain, kind: 'constant' };
    if (token.kind === 'word') return { ...plain, kind: 'word', name: token.text };
    const group = this.pipeline();
    if (group === undefined || this.#tokens[this.#at]?.text !== ')') return undefined;
    this.#at += 1;
    return { kind: 'group', name: '', fields: this.#fields(), group };
  }

  #fieldsAfter({ text }: Token): readonly string[] {
    return text === '(' ? [] : this.#fields();
  }

  #fields(): readonly string[] {
    const fields: string[] = [];
    for (let next = this.#tokens[this.#at]; next?.kind === 'field'; next = this.#tokens[this.#at]) {
      fields.push(next.text.slice(1));
      this.#at += 1;
    }
    return fields;
  }
}

function actionOf(tokens: readonly Token[]): Action | undefined {
  const words = tokens[0]?.kind === 'space' ? tokens.slice(1) : tokens;
  const [first] = words;
  const keyword = first?.kind === 'word' && keywords.has(first.text) ? first.text : '';
  const reader = new Reader(keyword === '' ? words : words.slice(1));
  const pipeline = reader.pipeline();
  return pipeline === undefined || !reader.isDone ? undefined : { keyword, pipeline };
}

/** The actions of a template in their order; undefined when it cannot be read. */
export function actionsOf(text: string): readonly Action[] | undefined {
  const actions: Action[] = [];
  for (let from = text.indexOf('{{'); from >= 0;) {
    const inside = /-(?=\s)/y;
    inside.lastIndex = from + 2;
    const start = inside.test(text) ? inside.lastIndex : from + 2;
    const comment = /\s*\/\*/y;
    comment.lastIndex = start;
    if (comment.test(text)) {
      const close = /\*\/(?:\s+-)?\}\}/g;
      close.lastIndex = comment.lastIndex;
      if (close.exec(text) === null) return undefined;
      from = text.indexOf('{{', close.lastIndex);
      continue;
    }
    const found = tokensAt(text, start);
    const action = found === undefined ? undefined : actionOf(found.tokens);
    if (found === undefined || action === undefined) return undefined;
    actions.push(action);
    from = text.indexOf('{{', found.end);
  }
  return actions;
}
