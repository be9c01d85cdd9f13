import type { StoreEvent } from '../store/history.ts';

/** What a reconciler wants next: to be called again after so many milliseconds, or nothing. */
export type Again = number | undefined;

/** One level-triggered control loop. `reconcile` reads the store, decides and writes; it may run at any time, again and again. */
export type Controller = Readonly<{
  name: string;
  /** Keys that a change concerns. */
  concerns: (event: StoreEvent) => readonly string[];
  reconcile: (key: string) => Again;
}>;

/** `namespace/name` of an object, or its name alone: the key of most controllers. */
export const keyText = (namespace: string, name: string): string => (namespace === '' ? name : `${namespace}/${name}`);

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
