import type { CallOptions } from './types.ts';

/** The caller's signal and a timer in one. */
export type Deadline = Readonly<{
  signal: AbortSignal;
  timeoutMs: number;
  leftMs: () => number;
  /** Stops the timer. A stream's signal goes on following the caller's. */
  end: () => void;
}>;

/** Opens the deadline of a call. The timer is a real one: it guards against links, which no test clock turns. */
export function openDeadline(call: CallOptions & { readonly long?: boolean | undefined }, defaultMs: number): Deadline {
  const timeoutMs = call.timeoutMs ?? defaultMs;
  const until = performance.now() + timeoutMs;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`deadline of ${timeoutMs} ms`)), timeoutMs);
  const follow = (): void => controller.abort(call.signal?.reason);
  if (call.signal?.aborted === true) follow();
  else call.signal?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    timeoutMs,
    leftMs: () => until - performance.now(),
    end: () => {
      clearTimeout(timer);
      if (call.long !== true) call.signal?.removeEventListener('abort', follow);
    },
  };
}
