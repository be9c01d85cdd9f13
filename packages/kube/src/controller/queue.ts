import { Deadlines } from './deadlines.ts';
import type { Backoff, ControllerPorts, Queue, QueueOptions } from './types.ts';

/** From a second to five minutes: what fails at once is tried soon, what stays broken costs little. */
const defaultBackoff: Backoff = { firstMs: 1_000, maxMs: 300_000 };

/** Opens an empty queue. Delays run by the injected clock. */
export function openQueue(options: QueueOptions, { clock, random = Math.random }: ControllerPorts): Queue {
  const { firstMs, maxMs } = options.backoff ?? defaultBackoff;
  const ready = new Set<string>();
  const working = new Set<string>();
  /** Added while in work: comes again when it is done. */
  const dirty = new Set<string>();
  const failures = new Map<string, number>();
  const takers: ((key: string | undefined) => void)[] = [];
  let closed = false;

  const hand = (): void => {
    while (takers.length > 0) {
      const [key] = ready;
      if (key === undefined) return;
      ready.delete(key);
      working.add(key);
      takers.shift()?.(key);
    }
  };

  const add = (key: string): void => {
    if (closed) return;
    delays.delete(key);
    if (working.has(key)) dirty.add(key);
    else ready.add(key);
    hand();
  };

  const delays = new Deadlines({ onDue: add }, clock);

  const addAfter = (key: string, delayMs: number): void => {
    if (closed) return;
    if (delayMs <= 0) add(key);
    // What is ready anyway needs no second reason.
    else if (!ready.has(key) && !dirty.has(key)) delays.set(key, delayMs);
  };

  return {
    add,
    addAfter,
    addFailed: (key) => {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const delayMs = Math.min(maxMs, firstMs * 2 ** Math.min(count, 30)) * (0.8 + 0.4 * random());
      addAfter(key, delayMs);
      return delayMs;
    },
    forget: (key) => void failures.delete(key),
    take: () =>
      new Promise((resolve) => {
        if (closed) {
          resolve(undefined);
          return;
        }
        takers.push(resolve);
        hand();
      }),
    done: (key) => {
      working.delete(key);
      if (dirty.delete(key) && !closed) ready.add(key);
      hand();
    },
    get depth() {
      return { ready: ready.size + dirty.size, delayed: delays.size, working: working.size };
    },
    close: () => {
      closed = true;
      delays.close();
      ready.clear();
      dirty.clear();
      for (const taker of takers.splice(0)) taker(undefined);
    },
  };
}
