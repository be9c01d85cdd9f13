import { nearestOf } from '@tiphys/api';
import { commands, groups } from './commands/registry.ts';
import type { CommandEntry } from './define-command.ts';
import { wordPositions } from './global-options.ts';

/** What the words of a command line name. `rest` is the command line without them. */
export type Found = Readonly<
  | { kind: 'command'; entry: CommandEntry; rest: readonly string[] }
  | { kind: 'help'; group: string | undefined; asked: boolean }
  | { kind: 'unknown'; message: string }
>;

const asksForHelp = (argv: readonly string[]): boolean => argv.includes('--help') || argv.includes('-h');

function unknown(word: string, group: string | undefined): Found {
  const prefix = group === undefined ? '' : `${group} `;
  const candidates =
    group === undefined ? [...Object.keys(groups), ...commands.map(({ name }) => name)] : verbsOf(group);
  const nearest = nearestOf(word, candidates);
  const hint = nearest === undefined ? '' : `; did you mean "${prefix}${nearest}"?`;
  return { kind: 'unknown', message: `unknown command "${prefix}${word}"${hint}` };
}

/** The verbs of a group. */
export const verbsOf = (group: string): readonly string[] =>
  commands.flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []));

/** Finds the command that a command line names (CLI-05: one that does not exist is told with the nearest). */
export function findCommand(argv: readonly string[]): Found {
  const positions = wordPositions(argv);
  const [first, second] = positions.map((position) => argv[position] ?? '');
  if (first === undefined) return { kind: 'help', group: undefined, asked: asksForHelp(argv) || argv.length === 0 };
  if (first === 'help') return findCommand([...argv.slice((positions[0] ?? 0) + 1), '--help']);
  const isGroup = first in groups;
  if (isGroup && second === undefined) return { kind: 'help', group: first, asked: asksForHelp(argv) };
  const name = isGroup ? `${first} ${second ?? ''}` : first;
  const entry = commands.find((command) => command.name === name);
  if (entry === undefined) return isGroup ? unknown(second ?? '', first) : unknown(first, undefined);
  const taken = new Set(positions.slice(0, isGroup ? 2 : 1));
  return { kind: 'command', entry, rest: argv.filter((_, index) => !taken.has(index)) };
}
