import type { KubeObject } from '@tiphys/api';

const keyOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string =>
  namespace === '' ? name : `${namespace}/${name}`;

/**
 * Objects in the order of their keys. A change costs a search and a move, not a sort; a list that was handed out is left
 * as it is, so whoever walks it may change the store.
 */
export class SortedList {
  #objects: KubeObject[] = [];
  #isShared = false;

  /** All objects as they are now. */
  all(): readonly KubeObject[] {
    this.#isShared = true;
    return this.#objects;
  }

  get size(): number {
    return this.#objects.length;
  }

  /** Adds an object, or puts it in the place of the one with its key. */
  put(object: KubeObject): void {
    const key = keyOf(object);
    const at = this.#find(key);
    const present = this.#objects[at];
    this.#own();
    this.#objects.splice(at, present !== undefined && keyOf(present) === key ? 1 : 0, object);
  }

  remove(object: KubeObject): void {
    const key = keyOf(object);
    const at = this.#find(key);
    const present = this.#objects[at];
    if (present === undefined || keyOf(present) !== key) return;
    this.#own();
    this.#objects.splice(at, 1);
  }

  /** The first position whose key is not before the given one. */
  #find(key: string): number {
    let [low, high] = [0, this.#objects.length];
    // Names with a number in them come in order more often than not.
    const last = this.#objects[high - 1];
    if (last !== undefined && keyOf(last) < key) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      const object = this.#objects[middle];
      if (object !== undefined && keyOf(object) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #own(): void {
    if (!this.#isShared) return;
    this.#objects = [...this.#objects];
    this.#isShared = false;
  }
}
