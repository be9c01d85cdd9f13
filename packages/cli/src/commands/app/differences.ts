import type { CommandContext } from '../../context.ts';
import type { Style } from '../../output/style.ts';
import type { Compared } from '../../reading/open-comparison.ts';

const headerOrHunk = /^(=====|@@)/;
const colours = { '+': 'green', '-': 'red' } as const;

const painted = (plain: string, { paint }: Style): string =>
  plain
    .split('\n')
    .map((line) => {
      if (headerOrHunk.test(line)) return paint(line, 'cyan');
      const [first] = line;
      return first === '+' || first === '-' ? paint(line, colours[first]) : line;
    })
    .join('\n');

/** Prints what a sync would change, object by object. Answers whether there is anything. */
export async function printDifferences({ comparison, policy }: Compared, context: CommandContext): Promise<boolean> {
  const { diffText } = await import('@tiphys/engine');
  const text = diffText(comparison.changes, policy);
  if (text === '') return false;
  context.print(painted(text.endsWith('\n') ? text : `${text}\n`, context.style));
  return true;
}
