import type { KubeObject } from '@tiphys/api';
import type { Place } from './place.ts';

const placeText = ({ resource, namespace, name }: Place): string => `${resource}/${namespace}/${name}`;

const ownersOf = (object: KubeObject | undefined): readonly string[] =>
  (object?.metadata.ownerReferences ?? []).map((owner) => owner.uid);

/** Who names whom as an owner, and which uids exist: the graph of the garbage collector and the workload controllers. */
export class OwnerIndex {
  readonly #dependents = new Map<string, Map<string, Place>>();
  readonly #uids = new Map<string, Place>();

  replace(place: Place, before: KubeObject | undefined, after: KubeObject | undefined): void {
    if (before?.metadata.uid !== undefined) this.#uids.delete(before.metadata.uid);
    if (after?.metadata.uid !== undefined) this.#uids.set(after.metadata.uid, place);
    const [old, now] = [ownersOf(before), ownersOf(after)];
    for (const uid of old) if (!now.includes(uid)) this.#remove(uid, place);
    for (const uid of now) if (!old.includes(uid)) this.#add(uid, place);
  }

  dependents(uid: string): readonly Place[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])];
  }

  place(uid: string): Place | undefined {
    return this.#uids.get(uid);
  }

  #add(uid: string, place: Place): void {
    const places = this.#dependents.get(uid) ?? new Map<string, Place>();
    this.#dependents.set(uid, places.set(placeText(place), place));
  }

  #remove(uid: string, place: Place): void {
    const places = this.#dependents.get(uid);
    places?.delete(placeText(place));
    if (places?.size === 0) this.#dependents.delete(uid);
  }
}
