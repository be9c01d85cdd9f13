import { parseArgs } from 'node:util';
import { CodedError, messageOf } from '@tiphys/api';
import { nearestOf } from '@tiphys/api';

/** One flag of a role's command line. */
export type Flag = Readonly<{ value?: string; doc: string; short?: string }>;

/** What a role's command is: shown by `--help`, read by `readFlags`. */
export type RoleUsage<F extends Record<string, Flag>> = Readonly<{
  usage: string;
  summary: string;
  flags: F;
  examples: readonly string[];
}>;

/** Values of flags: text for those with a value, true for the others, undefined when not given. */
export type FlagValues<F extends Record<string, Flag>> = {
  readonly [K in keyof F]: F[K] extends { value: string } ? string | undefined : boolean | undefined;
};

const usageError = (message: string): CodedError => new CodedError('cli/usage', message);

/**
 * Reads a role's flags (`--flag value`, `--flag=value`).
 * @throws CodedError cli/usage that names the flag and the nearest known one
 */
export function readFlags<F extends Record<string, Flag>>(
  argv: readonly string[],
  { flags }: RoleUsage<F>,
): FlagValues<F> {
  const known = Object.keys(flags);
  for (const word of argv) {
    const name = /^--([^=]+)/.exec(word)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const guess = nearestOf(name, known);
    throw usageError(`unknown flag --${name}${guess === undefined ? '' : `; did you mean --${guess}?`}`);
  }
  try {
    const options = Object.fromEntries(
      Object.entries(flags).map(([name, { value }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    );
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    // parseArgs gives exactly the types that `options` declares, which are built from the same table as FlagValues.
    return values as FlagValues<F>;
  } catch (error) {
    throw usageError(messageOf(error));
  }
}

/** The help text of a role. */
export function helpText<F extends Record<string, Flag>>({ usage, summary, flags, examples }: RoleUsage<F>): string {
  const rows = Object.entries(flags).map(
    ([name, { value, doc }]) => [`  --${name}${value === undefined ? '' : ` ${value}`}`, doc] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return [
    summary,
    '',
    'Usage:',
    `  ${usage}`,
    '',
    'Flags:',
    ...rows.map(([left, doc]) => `${left.padEnd(width)}${doc}`),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}
