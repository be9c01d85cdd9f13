import { CodedError } from '@tiphys/api';
import type { CommandContext } from '../../context.ts';
import { openLines } from '../../read-input.ts';

/** Asks questions on standard error; the answers are the lines of standard input, one each. */
export type Prompt = AsyncDisposable & Readonly<{ ask: (question: string) => Promise<string> }>;

/** Opens a prompt; an answer is in lower case, empty when there is none. */
export function openPrompt({ io }: CommandContext): Prompt {
  const lines = openLines(io);
  return {
    ask: async (question) => {
      io.stderr.write(`${question} `);
      const answer = await lines.next();
      if (!io.terminal.stdin) io.stderr.write('\n');
      return (answer ?? '').toLowerCase();
    },
    [Symbol.asyncDispose]: () => lines[Symbol.asyncDispose](),
  };
}

export const isYes = (answer: string): boolean => answer === 'y' || answer === 'yes';

/** Asks one question. @throws CodedError cli/aborted for any answer but yes; `otherwise` is its message */
export async function confirm(question: string, otherwise: string, context: CommandContext): Promise<void> {
  await using prompt = openPrompt(context);
  if (!isYes(await prompt.ask(`${question} [y/n]`))) throw new CodedError('cli/aborted', otherwise);
}
