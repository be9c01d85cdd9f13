import { commands } from './commands/registry.ts';
import { type AnyCommand, type Argument, flagName } from './define-command.ts';
import { globalOptions } from './global-options.ts';

type Named = Readonly<Record<string, Argument<unknown>>>;

const escaped = (text: string): string => text.replaceAll('|', '\\|');

function flagText(name: string, argument: Argument<unknown>): string {
  const { short, value, arity, choices } = argument;
  const shown = choices === undefined ? value : choices.join('|');
  const long = `--${flagName(name, argument)}${arity === 'flag' ? '' : ` ${shown ?? 'value'}`}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function flagTable(args: Named): string {
  const rows = Object.entries(args)
    .filter(([, { kind, hidden }]) => kind === 'option' && hidden !== true)
    .map(([name, argument]) => `| \`${escaped(flagText(name, argument))}\` | ${escaped(argument.doc)} |`);
  return rows.length === 0 ? '' : ['', '| Flag | Meaning |', '| --- | --- |', ...rows].join('\n');
}

const words = (args: Named): string =>
  Object.entries(args)
    .filter(([, { kind }]) => kind === 'positional')
    .map(([name, { arity }]) => (arity === 'one' ? ` <${name}>` : arity === 'many' ? ` [${name}...]` : ` [${name}]`))
    .join('');

function section(name: string, { summary, description, args, examples }: AnyCommand): string {
  const lines = examples.map((line) => `tiphys ${line}`);
  return [
    `## ${name}`,
    '',
    description ?? `${summary}.`,
    '',
    '```sh',
    `tiphys ${name}${words(args)} [flags]`,
    '```',
    flagTable(args),
    '',
    'Examples:',
    '',
    '```sh',
    ...lines,
    '```',
  ].join('\n');
}

/** The reference page of the command line, in Markdown. */
export async function commandReference(): Promise<string> {
  const loaded = await Promise.all(commands.map(async ({ name, load }) => section(name, await load())));
  const intro =
    '# Command line\n\n' +
    'In core mode: straight through the Kubernetes API, with the rights of the kubeconfig. `argocd` is another name of the program.\n\n' +
    'Exit codes: 0; 1 for a wrong command line; 20 for what goes wrong at run time; 130 when interrupted. `app diff` ends with 0 without\n' +
    'a difference, 1 with one, 2 on an error. Errors go to standard error.\n\n## Global flags\n';
  return `${intro}${flagTable(globalOptions)}\n\n${loaded.join('\n\n')}\n`;
}
