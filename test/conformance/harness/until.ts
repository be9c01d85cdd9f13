import { setTimeout as sleep } from 'node:timers/promises';

/** What a probe says: it is so, or what was seen instead. */
export type Probed<T> = Readonly<{ is: T } | { seen: string }>;

/** Generous: machines are shared. While something is known not to work, a lower figure tells sooner. */
const defaultTimeoutMs = Number(process.env['TIPHYS_TEST_PATIENCE_MS'] ?? 60_000);
const firstPauseMs = 50;
const longestPauseMs = 400;

/**
 * Asks until the answer is there. A probe that throws ends the wait at once: it is for what can never become right.
 * @throws Error that says what was waited for, how long, and what was seen last
 */
export async function until<T>(
  what: string,
  probe: () => Promise<Probed<T>>,
  timeoutMs = defaultTimeoutMs,
): Promise<T> {
  const start = Date.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.3, longestPauseMs)) {
    const answer = await probe();
    if ('is' in answer) return answer.is;
    if (Date.now() - start > timeoutMs)
      throw new Error(`not within ${timeoutMs / 1000} s: ${what}\nlast seen: ${answer.seen}`);
    await sleep(pauseMs);
  }
}

/** Watches for a while that something stays so. @throws Error as soon as it does not */
export async function always(what: string, forMs: number, probe: () => Promise<Probed<unknown>>): Promise<void> {
  const end = Date.now() + forMs;
  for (;;) {
    const answer = await probe();
    if ('seen' in answer) throw new Error(`did not stay so: ${what}\nseen: ${answer.seen}`);
    if (Date.now() > end) return;
    await sleep(200);
  }
}
