import { isCoded, messageOf, type OperationState, type ResourceResult } from '@tiphys/api';
import { writeContextWithoutPlan } from '@tiphys/engine';
import { instanceName } from '@tiphys/operations';
import type { Pass } from '../context.ts';
import type { Destination } from '../watch/destinations.ts';

const isRunningHook = ({ hookType, hookPhase }: ResourceResult): boolean =>
  hookType !== undefined && hookPhase === 'Running';

/** Deletes the hooks that an operation says are running, by its results alone. Answers the results with those hooks ended. */
export async function stopHooks(pass: Pass, state: OperationState): Promise<readonly ResourceResult[]> {
  const { context, application, key } = pass;
  const results = state.syncResult?.resources ?? [];
  const hooks = results.filter(isRunningHook);
  if (hooks.length === 0) return results;
  try {
    const destination = context.destinations.find(application.spec.destination);
    await Promise.all(hooks.map((hook) => remove(pass, destination, hook)));
  } catch (error) {
    pass.signal.throwIfAborted();
    // Its cluster is gone, or cannot be reached: the operation ends all the same.
    if (!isCoded(error)) throw error;
    context.ports.log.warn('hooks of an operation not stopped', { application: key, error: messageOf(error) });
  }
  return results.map((result) =>
    isRunningHook(result) ? { ...result, hookPhase: 'Failed', message: 'terminated' } : result,
  );
}

async function remove({ application, context, signal }: Pass, destination: Destination, hook: ResourceResult) {
  const { group = '', version = '', kind, namespace = '', name } = hook;
  const live = await destination.live.get({ group, version, kind }, { namespace, name }, signal);
  if (live === undefined) return;
  const instance = instanceName(application, context.namespace);
  const who = { application: instance, revision: '', initiatedBy: 'termination', signal };
  await destination.writer.remove(live, writeContextWithoutPlan(who));
}
