import type { KubeObject } from '@tiphys/api';
import type { StoreEvent } from '../../store/history.ts';
import { statusBody, tooOld } from '../refusal.ts';
import type { ResourceType } from '../../schema/types.ts';
import type { Cluster } from '../cluster.ts';
import { fromStored } from '../conversion.ts';
import { storageKey } from '../type-registry.ts';
import { isSelected, versionNumber, type Selection } from './read.ts';

/** One event of a watch; objects are in the form of the requested version. */
export type WatchEvent =
  | Readonly<{ type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }>
  | Readonly<{ type: 'BOOKMARK'; resourceVersion: string; initialEventsEnd: boolean }>
  | Readonly<{ type: 'ERROR'; status: Readonly<Record<string, unknown>> }>;

export type WatchOptions = Readonly<{
  resourceVersion: string;
  allowBookmarks: boolean;
  sendInitialEvents: boolean;
}>;

export type WatchRequest = Readonly<{ type: ResourceType; selection: Selection; options: WatchOptions }>;

/**
 * What an event means to a watch that sees only a part of the objects: one that begins to match is added, one that no
 * longer matches is deleted (and shown as it was, with the version of the change).
 */
function seenAs(event: StoreEvent, { type, selection }: WatchRequest): WatchEvent | undefined {
  const { object, previous } = event;
  const was = previous !== undefined && isSelected(previous, selection);
  const is = event.type !== 'DELETED' && isSelected(object, selection);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: fromStored(object, type) };
  if (!was) return undefined;
  const final = event.type === 'DELETED' ? object : previous;
  const last = { ...final, metadata: { ...final.metadata, resourceVersion: String(event.revision) } };
  return { type: 'DELETED', object: fromStored(last, type) };
}

/**
 * Follows a resource from a version on (from now, beginning with all present objects, when none is given).
 * `emit` is called in order; the function that is returned ends the watch.
 */
export function watch(cluster: Cluster, request: WatchRequest, emit: (event: WatchEvent) => void): () => void {
  const { store } = cluster;
  const key = storageKey(request.type);
  const { options, selection } = request;
  const from = versionNumber(options.resourceVersion);
  const initial = options.sendInitialEvents || from === 0;
  const passed = initial ? [] : store.since(from);
  if (passed === undefined) {
    emit({ type: 'ERROR', status: statusBody(tooOld(from, store.revision)) });
    return () => {};
  }
  const follow = (event: StoreEvent): void => {
    if (event.resource !== key || event.revision <= from) return;
    const seen = seenAs(event, request);
    if (seen !== undefined) emit(seen);
  };
  if (initial)
    for (const object of store.list(key))
      if (isSelected(object, selection)) emit({ type: 'ADDED', object: fromStored(object, request.type) });
  if (options.sendInitialEvents && options.allowBookmarks)
    emit({ type: 'BOOKMARK', resourceVersion: String(store.revision), initialEventsEnd: true });
  for (const event of passed) follow(event);
  return store.subscribe(follow);
}
