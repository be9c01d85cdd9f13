import type { Clock } from '@tiphys/api';

/** A clock for tests: it stands until it is turned. */
export type FakeClock = Clock & {
  /** Turns it on, waking sleepers in order; lets everything that they start settle in between. */
  readonly advance: (ms: number) => Promise<void>;
  readonly sleepers: number;
};

/** Lets pending promises and I/O callbacks run. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export function fakeClock(start = '2030-01-01T00:00:00Z'): FakeClock {
  let now = Date.parse(start);
  const sleepers = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => new Date(now),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
        };
        const sleeper = {
          at: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        if (signal?.aborted === true) {
          abort();
          return;
        }
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
      }),
    advance: async (ms) => {
      const until = now + ms;
      for (;;) {
        await settle();
        const [next] = [...sleepers].sort((a, b) => a.at - b.at);
        if (next === undefined || next.at > until) break;
        now = Math.max(now, next.at);
        next.wake();
      }
      now = until;
      await settle();
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}
