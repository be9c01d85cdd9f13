import type { Because } from '@tiphys/api';

/** How fresh the desired side has to be, weakest first: remembered revisions; revisions resolved anew; nothing from a cache. */
export type Freshness = 'recent' | 'latest' | 'hard';

/** What may have changed since the last comparison, as the watches tell. */
export type Marks = Readonly<{ live?: string | undefined; revision?: string | undefined }>;

/** What is remembered of an application's last comparison. */
export type LastComparison = Readonly<{ atMs: number; hardAtMs: number; inputDigest: string; failed: boolean }>;

export type RefreshSnapshot = Readonly<{
  /** The refresh annotation. */
  requested: 'normal' | 'hard' | undefined;
  /** Digest of all that shapes a comparison but Git and cluster: spec and settings. */
  inputDigest: string;
  last: LastComparison | undefined;
  marks: Marks;
}>;

export type RefreshSettings = Readonly<{
  intervalMs: number;
  /** Failed comparisons are tried again after this much (10 s), not only at the interval. */
  retryMs: number;
  /** 0 is never. */
  hardIntervalMs: number;
}>;

export type RefreshDecision = Readonly<
  { kind: 'refresh'; freshness: Freshness; because: Because } | { kind: 'wait'; forMs: number }
>;

const refresh = (freshness: Freshness, code: string, message: string): RefreshDecision => ({
  kind: 'refresh',
  freshness,
  because: { code, message },
});

/** Whether an application is compared now, how fresh, and why (contract 3.11). */
export function decideRefresh(seen: RefreshSnapshot, settings: RefreshSettings, nowMs: number): RefreshDecision {
  const { requested, last, marks } = seen;
  if (requested === 'hard') return refresh('hard', 'refresh-requested', 'a hard refresh was requested');
  if (requested === 'normal') return refresh('latest', 'refresh-requested', 'a refresh was requested');
  if (last === undefined) return refresh('latest', 'first-comparison', 'not compared since the controller started');
  if (last.inputDigest !== seen.inputDigest) return refresh('latest', 'spec-changed', 'spec or settings changed');
  if (settings.hardIntervalMs > 0 && nowMs - last.hardAtMs >= settings.hardIntervalMs)
    return refresh('hard', 'hard-interval', 'timeout.hard.reconciliation is over');
  if (marks.revision !== undefined) return refresh('latest', 'new-revision', marks.revision);
  const wait = Math.min(settings.intervalMs, last.failed ? settings.retryMs : Infinity);
  const age = nowMs - last.atMs;
  if (age >= wait) return refresh('latest', last.failed ? 'retry' : 'interval', 'timeout.reconciliation is over');
  if (marks.live !== undefined) return refresh('recent', 'live-changed', `${marks.live} changed`);
  return { kind: 'wait', forMs: wait - age };
}
