import { CodedError } from '@tiphys/api';
import { type Cascade, deleteApplication, waitForApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, flag, option, positionals, seconds } from '../../define-command.ts';
import { readLine } from '../../read-input.ts';
import { selectApplications } from './select.ts';

async function confirm(question: string, { io }: CommandContext): Promise<void> {
  io.stderr.write(`${question} [y/n] `);
  const answer = await readLine(io);
  if (!io.terminal.stdin) io.stderr.write('\n');
  if (answer !== undefined && /^y(es)?$/i.test(answer)) return;
  throw new CodedError('cli/aborted', 'nothing was deleted; answer y, or give --yes');
}

export const appDelete = defineCommand({
  summary: 'Delete applications',
  examples: ['app delete shop', 'app delete shop --cascade=false -y', 'app delete -l team=payments --wait'],
  args: {
    applications: positionals('The applications: name or namespace/name'),
    cascade: flag('Delete the objects of the application too (default true)'),
    propagationPolicy: choice('How objects are deleted (default foreground)', ['foreground', 'background'], {
      short: 'p',
    }),
    yes: flag('Do not ask', { short: 'y' }),
    wait: flag('Wait until the application is gone'),
    timeout: seconds('Longest wait (default: a day)'),
    selector: option('Applications with these labels', { short: 'l', value: 'labels' }),
    appNamespace: option('Namespace of the applications', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const { actor, print, signal } = context;
    const ports = await context.ports();
    const { applications: names, selector, appNamespace } = args;
    const refs = await selectApplications({ names, selector, appNamespace, signal }, ports);
    const cascade: Cascade = args.cascade === false ? 'none' : (args.propagationPolicy ?? 'foreground');
    for (const ref of refs) {
      const what = cascade === 'none' ? `'${ref.name}' and keep its objects` : `'${ref.name}' and all its objects`;
      if (args.yes !== true) await confirm(`Are you sure you want to delete ${what}?`, context);
      await deleteApplication(actor, { ...ref, cascade, signal }, ports);
      if (args.wait === true)
        await waitForApplication(
          {
            ...ref,
            signal,
            timeoutMs: args.timeout ?? 24 * 3_600_000,
            waitingFor: 'it to be gone',
            until: (found) => found === undefined,
          },
          ports,
        );
      print(`application '${ref.name}' deleted\n`);
    }
    return 0;
  },
});
