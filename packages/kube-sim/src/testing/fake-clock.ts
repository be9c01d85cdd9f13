import type { Clock } from '@tiphys/api';

/** A clock for tests: it stands until it is turned. */
export type FakeClock = Clock & Readonly<{ advance: (ms: number) => Promise<void> }>;

/** Lets what a request or a wake-up has started come to rest. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export function fakeClock(start: string): FakeClock {
  let now = Date.parse(start);
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const sleep: Clock['sleep'] = (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        sleepers.delete(sleeper);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const wake = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const sleeper = { at: now + ms, wake };
      sleepers.add(sleeper);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  const advance = async (ms: number): Promise<void> => {
    const end = now + ms;
    for (;;) {
      await settle();
      const [next] = [...sleepers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      now = Math.max(now, next.at);
      next.wake();
    }
    now = end;
    await settle();
  };
  return { now: () => new Date(now), sleep, advance };
}
