import type { CommandContext } from './context.ts';

/** An argument of a command as data: help, parsing and completion are read from it. `inferred` carries its type only. */
export type Argument<T> = Readonly<{
  kind: 'positional' | 'option';
  doc: string;
  /** `-x`, where there is one. */
  short?: string | undefined;
  /** How the flag is written where that is not the kebab-case of its name. */
  long?: string;
  /** What stands for the value in help; none for flags. */
  value?: string;
  /** How many values: one or none, at most one, any number. */
  arity: 'flag' | 'one' | 'optional' | 'many';
  /** Accepted, but not shown in help. */
  hidden?: boolean;
  choices?: readonly string[];
  convert?: (text: string) => T;
  inferred?: T;
}>;

/** The arguments of a command by name in camelCase; on the command line they are kebab-case. */
export type Arguments = Readonly<Record<string, Argument<unknown>>>;

type Values<A extends Arguments> = {
  readonly [K in keyof A]: A[K] extends Readonly<{ inferred?: infer T }> ? T : never;
};

/** A command: what it is called, what it takes, what it does. `run` gives the exit code; nothing means 0. */
export type Command<A extends Arguments = Arguments> = Readonly<{
  summary: string;
  description?: string;
  /** Lines to paste, without the program's name. */
  examples: readonly string[];
  args: A;
  /** The exit code of every error, wrong arguments included, where 1 and 20 would be mistaken for something else. */
  errorExit?: number;
  run: (args: Values<A>, context: CommandContext) => Promise<number | undefined>;
}>;

/** A command whose arguments have lost their types: what the registry holds. */
export type AnyCommand = Omit<Command, 'run'> &
  Readonly<{ run: (args: Readonly<Record<string, unknown>>, context: CommandContext) => Promise<number | undefined> }>;

/** A command's name and summary are known without loading it; the rest is loaded when it is called. */
export type CommandEntry = Readonly<{ name: string; summary: string; load: () => Promise<AnyCommand> }>;

/** All commands, and the groups that they stand in with what each is for. */
export type CommandTable = Readonly<{ commands: readonly CommandEntry[]; groups: Readonly<Record<string, string>> }>;

/** Makes a command. The parser builds `args` by the same declaration that gives them their types, hence the one assertion. */
export const defineCommand = <A extends Arguments>(command: Command<A>): AnyCommand => ({
  ...command,
  run: (args, context) => command.run(args as Values<A>, context),
});

type OptionExtras = Readonly<{ short?: string; long?: string; value?: string; hidden?: boolean }>;

/** A word that must be given. */
export const positional = (doc: string): Argument<string> => ({ kind: 'positional', doc, arity: 'one' });

/** A word that may be given. */
export const optionalPositional = (doc: string): Argument<string | undefined> => ({
  kind: 'positional',
  doc,
  arity: 'optional',
});

/** Any number of words. */
export const positionals = (doc: string): Argument<readonly string[]> => ({ kind: 'positional', doc, arity: 'many' });

/** `--name VALUE` */
export const option = (doc: string, extras: OptionExtras = {}): Argument<string | undefined> => ({
  kind: 'option',
  doc,
  arity: 'one',
  value: 'text',
  ...extras,
});

/** `--name VALUE`, any number of times. */
export const options = (doc: string, extras: OptionExtras = {}): Argument<readonly string[]> => ({
  kind: 'option',
  doc,
  arity: 'many',
  value: 'text',
  ...extras,
});

/** `--name`, `--name=true`, `--name=false`; undefined when it is not given. */
export const flag = (doc: string, extras: OptionExtras = {}): Argument<boolean | undefined> => ({
  kind: 'option',
  doc,
  arity: 'flag',
  ...extras,
});

/** `--name A` with one of the listed words. */
export const choice = <const V extends readonly string[]>(
  doc: string,
  choices: V,
  extras: OptionExtras = {},
): Argument<V[number] | undefined> => ({
  kind: 'option',
  doc,
  arity: 'one',
  value: 'word',
  choices,
  ...extras,
});

const wrong = (text: string, expected: string): never => {
  throw new TypeError(`expected ${expected}, got "${text}"`);
};

/** `--name 5` */
export const integer = (doc: string, extras: OptionExtras = {}): Argument<number | undefined> => ({
  kind: 'option',
  doc,
  arity: 'one',
  value: 'int',
  convert: (text) => (/^-?\d+$/.test(text) ? Number(text) : wrong(text, 'an integer')),
  ...extras,
});

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A Go duration (`1m30s`) or a bare number of seconds, in milliseconds; undefined when it is neither. */
export function durationMs(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  return Array.from(text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)).reduce(
    (sum, [, amount, unit]) =>
      sum + Number(amount) * (unit === 'ms' || unit === 's' || unit === 'm' ? unitMs[unit] : unitMs.h),
    0,
  );
}

/** The longest wait where nobody sets one, in milliseconds. */
export const dayMs = 24 * 3_600_000;

/** What a timer holds; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** `--name 300` (seconds) or `--name 5m`; in milliseconds. 0 is as good as no limit: a day. */
export const seconds = (doc: string, extras: OptionExtras = {}): Argument<number | undefined> => ({
  kind: 'option',
  doc,
  arity: 'one',
  value: 'seconds',
  convert: (text) => {
    const ms = durationMs(text) ?? wrong(text, 'seconds or a duration such as 5m');
    // Never undefined: the parser of the command line would make a text of it.
    return ms === 0 ? dayMs : Math.min(ms, maxTimerMs);
  },
  ...extras,
});

/** `selfHeal` -> `self-heal` */
export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** How the flag of an argument is written, without its dashes. */
export const flagName = (name: string, { long }: Pick<Argument<unknown>, 'long'>): string => long ?? kebab(name);
