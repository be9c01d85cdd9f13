import { type Application, CodedError } from '@tiphys/api';
import { type ApplicationRef, waitForApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { dayMs } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { withLiveHealth } from '../../reading/live-health.ts';
import { describeOperation, describeSummary, resourceHeader, resourceRows } from './describe.ts';
import { openFollower } from './follow.ts';
import { isTreeForm, treeText } from './tree-text.ts';

const identityOf = ({ status }: Application): string =>
  `${status?.operationState?.startedAt ?? ''}/${status?.operationState?.finishedAt ?? ''}/${status?.operationState?.retryCount ?? 0}`;

/** Whether the operation that was asked for at `requested` has ended: the request is taken, and what ended began after it. */
const isDone =
  (before: string | undefined) =>
  (application: Application | undefined): boolean => {
    const state = application?.status?.operationState;
    if (application === undefined) return true;
    return (
      application.operation === undefined &&
      state?.finishedAt !== undefined &&
      !['Running', 'Terminating'].includes(state.phase) &&
      identityOf(application) !== before
    );
  };

/** How an operation is waited for and shown. */
export type AwaitOptions = Readonly<{ timeout?: number | undefined; output?: string | undefined }>;

/**
 * Waits until the operation that was just asked for has ended, and prints what became of it. `before` is the application as it
 * was when it was asked for. Answers whether it succeeded.
 */
export async function awaitOperation(
  { ref, before }: Readonly<{ ref: ApplicationRef; before: Application }>,
  { timeout, output }: AwaitOptions,
  context: CommandContext,
): Promise<boolean> {
  const { signal } = context;
  const known = identityOf(before);
  const follower = openFollower(context, output === undefined || output === 'wide' ? 'rows' : 'quiet');
  const wait = {
    ...ref,
    signal,
    timeoutMs: timeout ?? dayMs,
    waitingFor: 'the operation to end',
    // What the last operation left in the status is not news.
    onState: (state: Application | undefined) =>
      state !== undefined && identityOf(state) === known ? follower.glance(state) : follower.see(state),
    until: isDone(known),
  };
  const ended = await waitForApplication(wait, await context.ports()).finally(follower.end);
  if (ended === undefined) throw new CodedError('operation/not-found', `application ${ref.name} was deleted meanwhile`);
  await printOutcome(ended, output, context);
  const state = ended.status?.operationState;
  if (state?.phase === 'Succeeded') return true;
  context.notice(`error: the operation of ${ref.name} ended as ${state?.phase ?? 'unknown'}: ${state?.message ?? ''}`);
  return false;
}

async function printOutcome(ended: Application, output: string | undefined, context: CommandContext): Promise<void> {
  const { style, print, io } = context;
  if (output === 'json' || output === 'yaml') {
    print(await formatValue(withoutManagedFields(await withLiveHealth(ended, context)), output));
    return;
  }
  const now = io.clock.now();
  const head = `\n${describeSummary(ended, style)}\n${describeOperation(ended, style, now)}\n`;
  if (isTreeForm(output)) {
    const { readTree } = await import('../../reading/resource-tree.ts');
    const { roots } = await readTree(ended, 'by-project', context);
    print(head + treeText(ended, roots, { form: output, style, now }));
    return;
  }
  const complete = await withLiveHealth(ended, context);
  print(head + formatTable([resourceHeader, ...resourceRows(complete, style)]));
}
