import { CodedError, isCoded, messageOf } from '@tiphys/api';
import { commands, groups } from './commands/registry.ts';
import type { CommandContext } from './context.ts';
import type { AnyCommand } from './define-command.ts';
import { findCommand, verbsOf } from './find-command.ts';
import { connectionOf, namespaceOf } from './global-options.ts';
import type { CliIo } from './io.ts';
import { openStyle } from './output/style.ts';
import { formatTable } from './output/table.ts';
import { parseArguments } from './parse-arguments.ts';

const runtimeError = 20;
const argumentError = 1;

const summaryOf = (name: string): string => commands.find((command) => command.name === name)?.summary ?? '';

function helpOf(group: string | undefined, { program, roles = {} }: CliIo['settings']): string {
  const names =
    group === undefined
      ? [...Object.keys(groups), ...commands.map(({ name }) => name).filter((name) => !name.includes(' '))]
      : verbsOf(group);
  const rows = names.map((name) => [
    `  ${name}`,
    groups[name] ?? summaryOf(group === undefined ? name : `${group} ${name}`),
  ]);
  const usage = `${program}${group === undefined ? '' : ` ${group}`} <command>`;
  const about = group === undefined ? 'From a Git commit to a healthy cluster.' : `${groups[group] ?? ''}.`;
  const programs = Object.entries(group === undefined ? roles : {}).map(([name, doc]) => [`  ${name}`, doc]);
  const services = programs.length === 0 ? '' : `\nServices:\n${formatTable(programs)}`;
  return `${about}\n\nUsage: ${usage} [options]\n\nCommands:\n${formatTable(rows)}${services}\nHelp for a command: ${usage} --help\n`;
}

/**
 * Runs one command line, without the program's name, and gives its exit code: 0, 20 for what goes wrong at run time, 1 for a
 * wrong command line, 130 when the run was ended from outside; `app diff` has codes of its own.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const found = findCommand(argv);
  switch (found.kind) {
    case 'help':
      (found.asked ? io.stdout : io.stderr).write(helpOf(found.group, io.settings));
      return found.asked ? 0 : argumentError;
    case 'unknown':
      io.stderr.write(`error: ${found.message}\n`);
      return argumentError;
    case 'command':
      return runCommand(
        { name: found.entry.name, command: await found.entry.load() },
        [...io.settings.options, ...found.rest],
        io,
      );
  }
}

async function runCommand(
  named: Readonly<{ name: string; command: AnyCommand }>,
  argv: readonly string[],
  io: CliIo,
): Promise<number> {
  const invocation = parseArguments(named, argv, io);
  if (invocation.kind === 'end') return invocation.exit === 0 ? 0 : (named.command.errorExit ?? invocation.exit);
  const session = openSession(invocation.global, io);
  try {
    return (await named.command.run(invocation.values, session.context)) ?? 0;
  } catch (error) {
    if (io.signal?.aborted === true) {
      io.stderr.write('interrupted\n');
      return 130;
    }
    io.stderr.write(`${errorText(error)}\n`);
    return named.command.errorExit ?? (isCoded(error, 'cli/usage') ? argumentError : runtimeError);
  } finally {
    await session.close();
  }
}

const errorText = (error: unknown): string =>
  error instanceof CodedError && error.code !== 'cli/usage'
    ? `error: ${error.message} [${error.code}]`
    : `error: ${messageOf(error)}`;

type Session = Readonly<{ context: CommandContext; close: () => Promise<void> }>;

function openSession(global: Readonly<Record<string, unknown>>, io: CliIo): Session {
  let connected: ReturnType<CliIo['connect']> | undefined;
  const context: CommandContext = {
    io,
    actor: { username: io.settings.username },
    signal: io.signal ?? new AbortController().signal,
    style: openStyle(io.terminal.stdout && !io.settings.noColor),
    ports: async () => {
      connected ??= io.connect(connectionFlags(global));
      return {
        kube: await connected,
        namespace: namespaceOf(global) ?? io.settings.namespace ?? 'argocd',
        clock: io.clock,
      };
    },
    print: (text) => void io.stdout.write(text),
    notice: (line) => void io.stderr.write(`${line}\n`),
  };
  const close = async (): Promise<void> => {
    // A connection that failed has nothing to close, and its error was told already.
    const client = await connected?.catch(() => undefined);
    await client?.close();
  };
  return { context, close };
}

function connectionFlags(global: Readonly<Record<string, unknown>>): ReturnType<typeof connectionOf> {
  try {
    return connectionOf(global);
  } catch (error) {
    throw new CodedError('cli/usage', messageOf(error), { cause: error });
  }
}
