import { keyOf, type KubeObject, type OperationState, type ResourceKey } from '@tiphys/api';
import { type Comparison, isHook, namespaceMetadataDiffers, type WantedSource } from '@tiphys/engine';
import type { Pass } from '../context.ts';
import type { Compared } from '../status/describe-status.ts';
import type { Destination } from '../watch/destinations.ts';

/** Keys of a desired list; the list stays the same object as long as nothing is rendered anew, and so do its keys. */
const keysOfList = new WeakMap<readonly KubeObject[], readonly ResourceKey[]>();

function keysOf(desired: readonly KubeObject[]): readonly ResourceKey[] {
  const known = keysOfList.get(desired);
  if (known !== undefined) return known;
  const keys = desired.filter((object) => object.metadata.name !== undefined && !isHook(object)).map(keyOf);
  keysOfList.set(desired, keys);
  return keys;
}

/** What a comparison comes to, once it is known what else is desired on that cluster, and what the last operation did. */
export function comparedFrom(
  { context, key, application }: Pass,
  found: Readonly<{ comparison: Comparison; destination: Destination; sources: readonly WantedSource[] }>,
  lastOperation: OperationState | undefined = application.status?.operationState,
): Extract<Compared, { kind: 'compared' }> {
  const { comparison, destination, sources } = found;
  const shared = context.desire(key, destination.server, keysOf(comparison.desired));
  const verdict = context.verdict(comparison, destination);
  const differs = verdict === 'Synced' && namespaceMetadataDiffers(application.spec.syncPolicy, lastOperation);
  return { kind: 'compared', comparison, status: differs ? 'OutOfSync' : verdict, sources, shared };
}
