import { Argument as Word, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '@tiphys/api';
import { type AnyCommand, type Argument, type Arguments, flagName } from './define-command.ts';
import { globalOptions } from './global-options.ts';
import type { CliIo } from './io.ts';

/** What a command line came to: values to run with, or an end with an exit code (help was shown, or an error told). */
export type Invocation = Readonly<
  | { kind: 'run'; values: Readonly<Record<string, unknown>>; global: Readonly<Record<string, unknown>> }
  | { kind: 'end'; exit: number }
>;

function optionOf(name: string, argument: Argument<unknown>, group: string): Option {
  const value = argument.arity === 'flag' ? '' : ` <${argument.value ?? 'value'}>`;
  const made = new Option(
    `${argument.short === undefined ? '' : `-${argument.short}, `}--${flagName(name, argument)}${value}`,
    argument.doc,
  );
  made.helpGroup(group);
  if (argument.hidden === true) made.hideHelp();
  if (argument.choices !== undefined) made.choices(argument.choices);
  const { convert } = argument;
  if (convert !== undefined) made.argParser((text: string) => converted(convert, text));
  if (argument.arity === 'many')
    made.argParser((text: string, before: unknown) => [...(Array.isArray(before) ? (before as unknown[]) : []), text]);
  return made;
}

function converted(convert: (text: string) => unknown, text: string): unknown {
  try {
    return convert(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

function wordOf(name: string, { arity, doc, convert }: Argument<unknown>): Word {
  const word = new Word({ one: `<${name}>`, optional: `[${name}]`, many: `[${name}...]`, flag: name }[arity], doc);
  if (convert !== undefined) word.argParser((text: string) => converted(convert, text));
  return word;
}

function addArguments(command: Command, args: Arguments, group: string): void {
  for (const [name, argument] of Object.entries(args))
    if (argument.kind === 'positional') command.addArgument(wordOf(name, argument));
    else {
      command.addOption(optionOf(name, argument, group));
      if (argument.arity === 'flag') command.addOption(new Option(`--no-${flagName(name, argument)}`).hideHelp());
    }
}

/** The forms of flags that Go's parser reads and this one does not: `--prune=false`, `-o=json`. */
function plainFlags(argv: readonly string[], args: Arguments): string[] {
  const flags = new Set(
    Object.entries(args).flatMap(([name, argument]) => (argument.arity === 'flag' ? [flagName(name, argument)] : [])),
  );
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const plain = argv.slice(0, end).flatMap((argument) => {
    const [, short, text = ''] = /^(-[a-zA-Z])=(.*)$/s.exec(argument) ?? [];
    if (short !== undefined) return [short, text];
    const [, name = '', value = ''] = /^--([\w-]+)=(true|false|1|0)$/.exec(argument) ?? [];
    if (!flags.has(name)) return [argument];
    return [value === 'true' || value === '1' ? `--${name}` : `--no-${name}`];
  });
  return [...plain, ...argv.slice(end)];
}

function helpText(examples: readonly string[], program: string): string {
  if (examples.length === 0) return '';
  return `\nExamples:\n${examples.map((line) => (line.startsWith('#') ? `  ${line}` : `  ${program} ${line}`)).join('\n')}\n`;
}

/** The global flags that a command does not use for something of its own (`app list --cluster`, `repo add --username`). */
function globalsOf({ args }: AnyCommand): Arguments {
  const shorts = new Set(Object.values(args).map(({ short }) => short));
  const left = Object.entries<Argument<unknown>>(globalOptions).filter(([name]) => !(name in args));
  return Object.fromEntries(
    left.map(([name, argument]) => [name, shorts.has(argument.short) ? { ...argument, short: undefined } : argument]),
  );
}

/** Whether a command line may hold an option: its name, or its letter among others. */
function isMentioned(name: string, argument: Argument<unknown>, argv: readonly string[]): boolean {
  const long = flagName(name, argument);
  return argv.some(
    (word) =>
      word === `--${long}` ||
      word === `--no-${long}` ||
      word.startsWith(`--${long}=`) ||
      (argument.short !== undefined && /^-[^-]/.test(word) && word.includes(argument.short)),
  );
}

const mentioned = (args: Arguments, argv: readonly string[]): Arguments =>
  Object.fromEntries(
    Object.entries(args).filter(([name, one]) => one.kind === 'positional' || isMentioned(name, one, argv)),
  );

/** Reads a command line that is right, by the options that it mentions alone; undefined for one that is not, or asks for help. */
function parseRight(command: AnyCommand, argv: readonly string[]): Command | undefined {
  const parser = new Command();
  parser.exitOverride();
  parser.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  addArguments(parser, mentioned(command.args, argv), '');
  addArguments(parser, mentioned(globalsOf(command), argv), '');
  try {
    return parser.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return undefined;
    throw error;
  }
}

function build(name: string, command: AnyCommand, io: CliIo): Command {
  const parser = new Command(`${io.settings.program} ${name}`);
  parser.description(command.description ?? `${command.summary}.`);
  parser.exitOverride();
  parser.configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
    getOutHelpWidth: () => io.stdout.columns ?? 100,
    getErrHelpWidth: () => io.stderr.columns ?? 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  parser.showHelpAfterError(`see: ${io.settings.program} ${name} --help`);
  parser.optionsGroup('Options:');
  addArguments(parser, command.args, 'Options:');
  addArguments(parser, globalsOf(command), 'Global options:');
  parser.addHelpText('after', helpText(command.examples, io.settings.program));
  return parser;
}

/** Reads a command line with all options at hand, and tells what is wrong or was asked. */
function parseAloud(parser: Command, argv: readonly string[]): Command | Invocation {
  try {
    return parser.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { kind: 'end', exit: error.exitCode };
    throw error;
  }
}

/** Reads a command line, without the words that name the command. Help and errors are written. */
export function parseArguments(
  { name, command }: Readonly<{ name: string; command: AnyCommand }>,
  argv: readonly string[],
  io: CliIo,
): Invocation {
  const words = plainFlags(argv, { ...globalOptions, ...command.args });
  // Some sixty options are made only for those who want to see them: that takes longer than all else before a first call.
  const parser = parseRight(command, words) ?? parseAloud(build(name, command, io), words);
  if ('kind' in parser) return parser;
  const opts: Readonly<Record<string, unknown>> = parser.opts();
  const positionals = Object.entries(command.args).filter(([, argument]) => argument.kind === 'positional');
  const values = Object.fromEntries([
    ...Object.entries(command.args).map(
      ([key, { arity }]) => [key, opts[key] ?? (arity === 'many' ? [] : undefined)] as const,
    ),
    ...positionals.map(
      ([key, { arity }], index) => [key, parser.processedArgs[index] ?? (arity === 'many' ? [] : undefined)] as const,
    ),
  ]);
  const global = Object.fromEntries(Object.keys(globalsOf(command)).map((key) => [key, opts[key]] as const));
  return { kind: 'run', values, global };
}
