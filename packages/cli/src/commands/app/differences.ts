import { describeKey, type KubeObject } from '@tiphys/api';
import type { CommandContext } from '../../context.ts';
import type { Style } from '../../output/style.ts';
import { openDestination } from '../../reading/destination.ts';
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

/** Says of child applications that a pruning sync deletes how much goes with them: none of it is in the difference (APP-16). */
async function tellCascades({ application, comparison }: Compared, context: CommandContext): Promise<void> {
  const { signal } = context;
  const pruned = comparison.changes.flatMap((change) => (change.kind === 'prune' ? [change] : []));
  const children = pruned.filter(({ key }) => key.group === 'argoproj.io' && key.kind === 'Application');
  if (children.length === 0) return;
  const { objectsGoingWith } = await import('@tiphys/engine');
  const { client, close } = await openDestination(application.spec, await context.ports(), signal);
  const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
  const find = ({ namespace, name }: Readonly<{ namespace: string; name: string }>): Promise<KubeObject | undefined> =>
    client.get({ gvk, namespace, name }, { signal });
  try {
    for (const { key, live } of children) {
      const count = await objectsGoingWith(live, find);
      if (count > 0)
        context.notice(
          `warning: to prune ${describeKey(key)} deletes ${count} more ${count === 1 ? 'object' : 'objects'}: it has a finalizer, ` +
            'and what it manages goes with it',
        );
    }
  } finally {
    await close();
  }
}

/** Prints what a sync would change, object by object. Answers whether there is anything. */
export async function printDifferences(compared: Compared, context: CommandContext): Promise<boolean> {
  const { comparison, policy } = compared;
  const { diffText } = await import('@tiphys/engine');
  const text = diffText(comparison.changes, policy);
  if (text === '') return false;
  context.print(painted(text.endsWith('\n') ? text : `${text}\n`, context.style));
  await tellCascades(compared, context);
  return true;
}
