import type { KubeObject } from '@tiphys/api';

/** One change. `object` is the new state (for DELETED the last one), `previous` the state before, absent for ADDED. */
export type StoreEvent = Readonly<{
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: string;
  object: KubeObject;
  previous: KubeObject | undefined;
  revision: number;
}>;

/** The last changes, bounded: what watches resume from and what pages are rewound with. */
export class History {
  readonly #length: number;
  #events: StoreEvent[] = [];
  /** The oldest revision from which one can still follow. */
  #floor: number;

  constructor(length: number, floor: number) {
    this.#length = length;
    this.#floor = floor;
  }

  append(event: StoreEvent): void {
    this.#events.push(event);
    // Trimmed in halves, so that an append costs a constant time on average.
    if (this.#events.length < this.#length * 2) return;
    this.#events = this.#events.slice(-this.#length);
    this.#floor = (this.#events[0]?.revision ?? this.#floor + 1) - 1;
  }

  /** Events after a revision; undefined when some of them are gone. */
  since(revision: number): StoreEvent[] | undefined {
    if (revision < this.#floor) return undefined;
    return this.#events.slice(this.#firstAfter(revision));
  }

  forget(floor: number): void {
    this.#events = [];
    this.#floor = floor;
  }

  #firstAfter(revision: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
