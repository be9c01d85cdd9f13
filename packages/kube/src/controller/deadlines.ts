import type { Clock } from '@tiphys/api';

type Due = { readonly key: string; readonly at: number; cancelled: boolean };

/** Keys that become due: a heap and one sleeper, so that ten thousand waiting keys cost one timer. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  readonly #byKey = new Map<string, Due>();
  /** Binary heap by `at`; entries that were cancelled are dropped when they come up. */
  readonly #heap: Due[] = [];
  #sleeper: { until: number; wake: AbortController } | undefined;

  constructor({ onDue }: { onDue: (key: string) => void }, clock: Clock) {
    this.#onDue = onDue;
    this.#clock = clock;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Makes a key due after a delay; of several delays the earliest counts. */
  set(key: string, delayMs: number): void {
    const at = this.#clock.now().getTime() + delayMs;
    const known = this.#byKey.get(key);
    if (known !== undefined && known.at <= at) return;
    if (known !== undefined) known.cancelled = true;
    const due = { key, at, cancelled: false };
    this.#byKey.set(key, due);
    this.#push(due);
    this.#arm();
  }

  delete(key: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    known.cancelled = true;
    this.#byKey.delete(key);
    // Without this a key that is set and deleted again and again would fill the heap.
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#byKey.size) this.#compact();
  }

  close(): void {
    this.#byKey.clear();
    this.#heap.length = 0;
    this.#sleeper?.wake.abort();
    this.#sleeper = undefined;
  }

  #compact(): void {
    const live = this.#heap.filter((due) => !due.cancelled).sort((a, b) => a.at - b.at);
    this.#heap.length = 0;
    this.#heap.push(...live);
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined) return;
    if (this.#sleeper !== undefined && this.#sleeper.until <= next.at) return;
    this.#sleeper?.wake.abort();
    const wake = new AbortController();
    this.#sleeper = { until: next.at, wake };
    this.#clock.sleep(Math.max(0, next.at - this.#clock.now().getTime()), wake.signal).then(
      () => {
        this.#sleeper = undefined;
        this.#release();
      },
      () => {
        // Woken because something earlier was set, or at the end.
      },
    );
  }

  #release(): void {
    const now = this.#clock.now().getTime();
    for (let top = this.#heap[0]; top !== undefined && (top.cancelled || top.at <= now); top = this.#heap[0]) {
      this.#pop();
      if (top.cancelled) continue;
      this.#byKey.delete(top.key);
      this.#onDue(top.key);
    }
    this.#arm();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= due.at) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = heap[2 * i + 1];
      const right = heap[2 * i + 2];
      if (left === undefined) break;
      const [child, at] = right !== undefined && right.at < left.at ? [right, 2 * i + 2] : [left, 2 * i + 1];
      if (last.at <= child.at) break;
      heap[i] = child;
      i = at;
    }
    heap[i] = last;
  }
}
