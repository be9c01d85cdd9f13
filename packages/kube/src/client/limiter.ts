import type { Clock } from '@tiphys/api';

/** Holds calls to a rate and to a number in flight, first come first served. */
export type Limiter = Readonly<{
  /** Resolves when the call may go; the answer must be called when it is over. Rejects with the signal's reason. */
  acquire: (signal: AbortSignal) => Promise<() => void>;
  /** Waits for the rate alone: for streams, which would hold a place for ever. */
  pace: (signal: AbortSignal) => Promise<void>;
}>;

export type LimiterSettings = Readonly<{ qps: number; burst: number; maxInFlight: number }>;

/** A token bucket that hands out turns in advance: each caller learns at once how long to wait. */
function openBucket({ qps, burst }: LimiterSettings, clock: Clock): () => number {
  let tokens = burst;
  let at = clock.now().getTime();
  return () => {
    const now = clock.now().getTime();
    // A wall clock that was set back must not freeze the bucket.
    tokens = Math.min(burst, tokens + (Math.max(0, now - at) * qps) / 1000);
    at = now;
    tokens -= 1;
    return tokens >= 0 ? 0 : (-tokens * 1000) / qps;
  };
}

export function openLimiter(settings: LimiterSettings, clock: Clock): Limiter {
  const takeToken = openBucket(settings, clock);
  const waiting = new Set<() => void>();
  let inFlight = 0;

  const pace = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    const waitMs = takeToken();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  };

  const enter = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        waiting.delete(go);
        signal.removeEventListener('abort', leave);
        inFlight += 1;
        resolve();
      };
      const leave = (): void => {
        waiting.delete(go);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      if (inFlight < settings.maxInFlight) {
        go();
        return;
      }
      waiting.add(go);
      signal.addEventListener('abort', leave, { once: true });
    });

  const leave = (): void => {
    inFlight -= 1;
    const [next] = waiting;
    next?.();
  };

  return {
    pace,
    acquire: async (signal) => {
      await pace(signal);
      await enter(signal);
      let over = false;
      return () => {
        if (over) return;
        over = true;
        leave();
      };
    },
  };
}
