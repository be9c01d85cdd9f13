import { CodedError } from '@tiphys/api';
import { type ApplicationRef, type Cascade, deleteApplication, waitForApplication } from '@tiphys/operations';
import { choice, dayMs, defineCommand, flag, option, positionals, seconds } from '../../define-command.ts';
import { isYes, openPrompt, type Prompt } from './confirm.ts';
import { selectApplications } from './select.ts';

const notDeleted = 'nothing more was deleted; answer y, or give --yes';

/** Asks about each application, until somebody answers `a` for all. Answers false for one that is to stay. */
function openQuestions(count: number, { cascade, yes }: Readonly<{ cascade: Cascade; yes: boolean }>, prompt: Prompt) {
  let all = yes;
  return async ({ name }: ApplicationRef): Promise<boolean> => {
    if (all) return true;
    const what = cascade === 'none' ? `'${name}' and keep its objects` : `'${name}' and all its objects`;
    const choices = count > 1 ? "[y/n/a] where 'a' deletes all without asking" : '[y/n]';
    const answer = await prompt.ask(`Are you sure you want to delete ${what}? ${choices}`);
    all = count > 1 && answer === 'a';
    if (all || isYes(answer)) return true;
    // With one application a refusal ends the command; of several, the others are still asked about.
    if (count > 1 && (answer === 'n' || answer === 'no')) return false;
    throw new CodedError('cli/aborted', notDeleted);
  };
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
    if (args.cascade === false && args.propagationPolicy !== undefined)
      throw new CodedError(
        'cli/usage',
        '--propagation-policy says how objects are deleted, --cascade=false that they stay',
      );
    const deleted: ApplicationRef[] = [];
    await using prompt = openPrompt(context);
    const isMeant = openQuestions(refs.length, { cascade, yes: args.yes === true }, prompt);
    for (const ref of refs) {
      if (!(await isMeant(ref))) continue;
      await deleteApplication(actor, { ...ref, cascade, signal }, ports);
      deleted.push(ref);
      if (args.wait !== true) print(`application '${ref.name}' deleted\n`);
    }
    if (args.wait !== true) return 0;
    const gone = { signal, timeoutMs: args.timeout ?? dayMs, waitingFor: 'it to be gone' };
    for (const ref of deleted) {
      await waitForApplication({ ...ref, ...gone, until: (found) => found === undefined }, ports);
      print(`application '${ref.name}' deleted\n`);
    }
    return 0;
  },
});
