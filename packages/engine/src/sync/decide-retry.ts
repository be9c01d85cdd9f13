import type { Because, OperationState, RetryStrategy } from '@tiphys/api';
import { isCoded } from '@tiphys/api';
import { parseDuration } from '@tiphys/language';

/** What follows a failed attempt. */
export type RetryDecision =
  | Readonly<{
      kind: 'retry';
      at: Date;
      /** `operationState.retryCount` of the next attempt. */
      retryCount: number;
      /** Drop the frozen revision and take the newest. */
      refresh: boolean;
      /** For `operationState.message` while waiting. */
      message: string;
      because: Because;
    }>
  | Readonly<{ kind: 'give-up'; because: Because }>;

const defaults = { durationMs: 5_000, factor: 2, maxMs: 180_000 };

/** Automated syncs without a strategy of their own are tried again five times (design section 4). */
export const automatedRetry: RetryStrategy = { limit: 5 };

/** A Go duration, or a bare number of seconds; the fallback when it is neither. */
function readDelay(text: string | undefined, fallbackMs: number): number {
  if (text === undefined || text === '') return fallbackMs;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  try {
    return parseDuration(text);
  } catch (error) {
    if (isCoded(error, 'language/invalid')) return fallbackMs;
    throw error;
  }
}

/** The wait before retry `n` (from 0): `duration × factor^n`, at most `maxDuration` (requirement SYNC-48). Milliseconds. */
export function retryDelay(strategy: RetryStrategy, n: number): number {
  const { backoff } = strategy;
  const factor = backoff?.factor ?? defaults.factor;
  const durationMs = readDelay(backoff?.duration, defaults.durationMs);
  const maxMs = readDelay(backoff?.maxDuration, defaults.maxMs);
  return Math.min(maxMs, durationMs * Math.max(1, factor) ** n);
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10}s`;

/**
 * Whether and when a finished attempt is repeated (contract 3.6, with the delays of the design: 5, 10, 20 seconds).
 * A terminated operation is not. `state` has just ended.
 */
export function decideRetry(state: OperationState, now: Date): RetryDecision {
  if (state.phase === 'Succeeded') return { kind: 'give-up', because: { code: 'succeeded' } };
  if ((state.message ?? '').startsWith('Operation terminated'))
    return { kind: 'give-up', because: { code: 'terminated' } };
  const strategy =
    state.operation.retry ?? (state.operation.initiatedBy?.automated === true ? automatedRetry : undefined);
  const limit = strategy?.limit ?? 0;
  const done = state.retryCount ?? 0;
  if (strategy === undefined || limit === 0) return { kind: 'give-up', because: { code: 'no-retry-policy' } };
  if (limit > 0 && done >= limit) {
    const message = `retried ${done} times`;
    return { kind: 'give-up', because: { code: 'retry-limit', message } };
  }
  const delayMs = retryDelay(strategy, done);
  const at = new Date(new Date(state.finishedAt ?? now).getTime() + delayMs);
  const attempt = `${done + 1}${limit > 0 ? ` of ${limit}` : ''}`;
  const message = `${state.message ?? 'the sync failed'}. Retrying attempt #${attempt} in ${seconds(delayMs)}`;
  return {
    kind: 'retry',
    at,
    retryCount: done + 1,
    refresh: strategy.refresh === true,
    message,
    because: { code: 'waiting-for-retry', until: at.toISOString(), message },
  };
}
