import { describeKey } from '@tiphys/api';
import { type HookTask, writeContext } from '@tiphys/engine';
import type { ApplicationMemory } from './application-memory.ts';
import type { Context } from './context.ts';

/**
 * An application that went without its finalizer while a hook ran: nobody will ever see that hook end, and our finalizer on it
 * would keep it, and its namespace, for ever.
 */
export async function releaseHooks(
  { operation }: Pick<ApplicationMemory, 'operation'>,
  { ports }: Pick<Context, 'ports'>,
  signal: AbortSignal,
): Promise<void> {
  if (operation === undefined) return;
  const { plan, destination, instance } = operation;
  const context = writeContext(plan, { application: instance, revision: '', initiatedBy: 'deletion', signal });
  for (const hook of plan.tasks.filter((task): task is HookTask => task.kind === 'hook')) {
    const outcome = await destination.writer.releaseHook(hook, context);
    if (outcome.kind === 'failed')
      ports.log.warn('hook of a deleted application not released', {
        hook: describeKey(hook.key),
        error: outcome.message,
      });
  }
}
