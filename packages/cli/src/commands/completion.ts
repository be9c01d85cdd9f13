import {
  type AnyCommand,
  type Arguments,
  type CommandTable,
  defineCommand,
  flagName,
  positional,
} from '../define-command.ts';
import { CodedError } from '@tiphys/api';
import { globalOptions } from '../global-options.ts';

type Words = Readonly<{ path: string; words: readonly string[] }>;

const flagsOf = (args: Arguments): readonly string[] =>
  Object.entries(args).flatMap(([name, argument]) =>
    argument.kind === 'option' && argument.hidden !== true ? [`--${flagName(name, argument)}`] : [],
  );

/** For each place in a command line, the words that may follow. */
async function completions({ commands, groups }: CommandTable): Promise<readonly Words[]> {
  const top = [...Object.keys(groups), ...commands.flatMap(({ name }) => (name.includes(' ') ? [] : [name]))];
  const verbs = Object.keys(groups).map((group) => ({
    path: group,
    words: commands.flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [])),
  }));
  const leaves = await Promise.all(
    commands.map(async ({ name, load }) => ({
      path: name,
      words: [...flagsOf((await load()).args), ...flagsOf(globalOptions)],
    })),
  );
  return [{ path: '', words: [...top, 'help'] }, ...verbs, ...leaves];
}

const bash = (
  program: string,
  all: readonly Words[],
): string => `# Completion of ${program} for bash: source <(${program} completion bash)
_${program}_complete() {
  local word path="" current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case "$path $word" in
${all
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      "${path.includes(' ') ? path : ` ${path}`}") path="${path}" ;;`)
  .join('\n')}
    esac ;; esac
  done
  case "$path" in
${all.map(({ path, words }) => `    "${path}") COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _${program}_complete ${program}
`;

const zsh = (program: string, all: readonly Words[]): string => `#compdef ${program}
# Completion of ${program} for zsh: source <(${program} completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bash(program, all)}`;

const fish = (program: string, all: readonly Words[]): string => {
  const lines = all.flatMap(({ path, words }) => {
    const steps = path === '' ? [] : path.split(' ');
    const here =
      steps.length === 0
        ? '__fish_use_subcommand'
        : steps.map((step) => `__fish_seen_subcommand_from ${step}`).join('; and ');
    return words.map((word) =>
      word.startsWith('--')
        ? `complete -c ${program} -n '${here}' -l ${word.slice(2)}`
        : `complete -c ${program} -n '${here}' -f -a ${word}`,
    );
  });
  return `# Completion of ${program} for fish: ${program} completion fish | source\n${lines.join('\n')}\n`;
};

const shells = { bash, zsh, fish };

/** The command that prints completion scripts; it is given all commands, itself included. */
export const completion = (table: CommandTable): AnyCommand =>
  defineCommand({
    summary: 'Print a completion script for a shell',
    examples: ['completion bash', 'completion zsh', 'completion fish'],
    args: { shell: positional('bash, zsh or fish') },
    run: async ({ shell }, { io, print }) => {
      if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish')
        throw new CodedError('cli/usage', `no completion for "${shell}"; there is bash, zsh and fish`);
      print(shells[shell](io.settings.program, await completions(table)));
      return 0;
    },
  });
