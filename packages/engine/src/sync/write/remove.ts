import { CodedError, describeKey, gvkOf, keyOf, type KubeObject, trackedBy } from '@tiphys/api';
import { fieldManager } from '../../diff/ownership.ts';
import { objectsGoingWith } from '../cascade.ts';
import { hasFinalizer } from '../hook-object.ts';
import { hookFinalizer } from '../marks.ts';
import type { HookTask } from '../types.ts';
import {
  maxAttempts,
  type Done,
  refOf,
  isCode,
  changedMeanwhile,
  type Call,
  read,
  readStanding,
  withFresh,
} from './call.ts';

/** Deletes an object after a last look: it must be the one that was meant, and still ours. */
export async function deleteOurs(seen: KubeObject, call: Call, mayBeUnmarked: boolean): Promise<Done> {
  const { client } = call.ports;
  const { context, settings } = call;
  for (let attempt = 1; ; attempt += 1) {
    const live = await readStanding(seen, call);
    const another = seen.metadata.uid !== undefined && live?.metadata.uid !== seen.metadata.uid;
    if (live === undefined || another) return gone(seen, call);
    const owner = trackedBy(live, settings.tracking);
    if (owner !== context.application && !(mayBeUnmarked && owner === undefined))
      throw new CodedError(
        'sync/not-ours',
        `${describeKey(keyOf(live))} is not deleted: it belongs to ${owner ?? 'no application'}`,
      );
    const pruned = { action: 'delete', what: 'pruned' } as const;
    if (live.metadata.deletionTimestamp !== undefined) return { ...pruned, object: live, changed: false };
    const { uid, resourceVersion } = live.metadata;
    try {
      const outcome = await client.delete(refOf(live), {
        signal: context.signal,
        propagationPolicy: context.propagation,
        gracePeriodSeconds: context.gracePeriodSeconds,
        preconditions: { uid, resourceVersion },
        ...(context.dryRun && { dryRun: true }),
      });
      if (context.dryRun) return { ...pruned, what: await prunedWith(live, call), object: live, changed: false };
      const left = outcome === 'deleting' ? await read(live, call) : undefined;
      return left === undefined || left.metadata.uid !== uid
        ? gone(live, call)
        : { ...pruned, object: left, changed: true };
    } catch (error) {
      if (!changedMeanwhile(error) || attempt >= maxAttempts) throw error;
    }
  }
}

/** `pruned`, and before it is done how much goes with it. */
async function prunedWith(live: KubeObject, { ports, context }: Call): Promise<string> {
  const more = await objectsGoingWith(live, ({ namespace, name }) =>
    ports.client.get({ gvk: gvkOf(live), namespace, name }, { signal: context.signal }),
  );
  return more === 0 ? 'pruned' : `pruned, and with it ${more} ${more === 1 ? 'object' : 'objects'} of its own`;
}

function gone(live: KubeObject, { ports, context }: Call): Done {
  if (!context.dryRun) ports.noted?.deleted(live);
  return { action: 'delete', what: 'pruned', object: undefined, changed: true };
}

/** Takes our finalizer off an object; undefined when the object is gone. */
async function release(object: KubeObject, call: Call): Promise<KubeObject | undefined> {
  const { client } = call.ports;
  return withFresh(object, { live: undefined, call }, async (known) => {
    const live = known ?? (await readStanding(object, call));
    if (live === undefined || !hasFinalizer(live)) return live;
    const finalizers = (live.metadata.finalizers ?? []).filter((one) => one !== hookFinalizer);
    const { uid, resourceVersion } = live.metadata;
    const body = { metadata: { uid, resourceVersion, finalizers } };
    try {
      const released = await client.patch(
        refOf(live),
        { type: 'merge', body },
        { signal: call.context.signal, fieldManager },
      );
      // The last finalizer of an object that is being deleted: the answer is its last form.
      return released.metadata.deletionTimestamp === undefined ? released : await readStanding(live, call);
    } catch (error) {
      if (isCode(error, 'kube/not-found')) return undefined;
      throw error;
    }
  });
}

export async function removeHook(hook: HookTask, call: Call): Promise<Done> {
  const live = await readStanding(hook.object, call);
  if (live === undefined) return gone(hook.object, call);
  const owner = trackedBy(live, call.settings.tracking);
  // A hook that another tool once ran carries no mark; one of another application is left alone.
  if (owner !== undefined && owner !== call.context.application)
    throw new CodedError('sync/not-ours', `hook ${describeKey(hook.key)} belongs to ${owner}`);
  const released = await release(hook.object, call);
  return released === undefined ? gone(live, call) : deleteOurs(released, call, true);
}

/** Deletes a live object of an application that goes: a hook that an operation left is released first. */
export async function remove(live: KubeObject, call: Call): Promise<Done> {
  const ours = trackedBy(live, call.settings.tracking) === call.context.application;
  if (!ours || !hasFinalizer(live)) return deleteOurs(live, call, false);
  const released = await release(live, call);
  return released === undefined ? gone(live, call) : deleteOurs(released, call, false);
}

export async function releaseHook(hook: Pick<HookTask, 'object'>, call: Call): Promise<Done> {
  const object = await release(hook.object, call);
  if (object === undefined) call.ports.noted?.deleted(hook.object);
  return { action: 'release-hook', what: 'released', object, changed: object !== undefined };
}
