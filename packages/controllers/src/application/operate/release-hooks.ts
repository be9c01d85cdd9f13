import { describeKey, keyOf, type KubeObject } from '@tiphys/api';
import { hookFinalizer, type HookTask, isOfDeletion, writeContextWithoutPlan } from '@tiphys/engine';
import type { ApplicationMemory } from '../application-memory.ts';
import type { Context } from '../context.ts';
import type { Destination } from '../watch/destinations.ts';

type Held = Readonly<{ destination: Destination; instance: string; objects: readonly KubeObject[] }>;

function hooksOfOperation({ operation }: Pick<ApplicationMemory, 'operation'>): Held[] {
  if (operation === undefined) return [];
  const { plan, destination, instance } = operation;
  const hooks = plan.tasks.filter((task): task is HookTask => task.kind === 'hook');
  return [{ destination, instance, objects: hooks.map(({ object }) => object) }];
}

function hooksOfDeletion({ deletion }: Pick<ApplicationMemory, 'deletion'>): Held[] {
  if (deletion === undefined) return [];
  const { destination, instance, uid } = deletion;
  const objects = destination.live
    .managed(instance)
    .filter((object) => isOfDeletion(object, uid) && object.metadata.finalizers?.includes(hookFinalizer) === true);
  return [{ destination, instance, objects }];
}

/**
 * An application that went without its finalizer while a hook ran: nobody will ever see that hook end, and our finalizer on it
 * would keep it, and its namespace, for ever.
 */
export async function releaseHooks(
  memory: Pick<ApplicationMemory, 'operation' | 'deletion'>,
  { ports }: Pick<Context, 'ports'>,
  signal: AbortSignal,
): Promise<void> {
  for (const { destination, instance, objects } of [...hooksOfOperation(memory), ...hooksOfDeletion(memory)]) {
    const context = writeContextWithoutPlan({ application: instance, revision: '', initiatedBy: 'deletion', signal });
    for (const object of objects) {
      const key = keyOf(object);
      const outcome = await destination.writer.releaseHook({ key, object }, context);
      if (outcome.kind === 'failed')
        ports.log.warn('hook of a deleted application not released', {
          hook: describeKey(key),
          error: outcome.message,
        });
    }
  }
}
