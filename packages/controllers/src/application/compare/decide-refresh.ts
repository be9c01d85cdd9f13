import type { Because } from '@tiphys/api';

/** How fresh the desired side has to be, weakest first: remembered revisions; revisions resolved anew; nothing from a cache. */
export type Freshness = 'recent' | 'latest' | 'hard';

/** Digests of all that shapes a comparison but Git and cluster. */
export type Inputs = Readonly<{ spec: string; settings: string }>;

/** What may have changed since the last comparison, as the watches tell. */
export type Marks = Readonly<{ live?: string | undefined; revision?: string | undefined }>;

/** What is remembered of an application's last comparison. */
export type LastComparison = Readonly<{ atMs: number; hardAtMs: number; inputs: Inputs; failed: boolean }>;

export type RefreshSnapshot = Readonly<{
  /** The refresh annotation. */
  requested: 'normal' | 'hard' | undefined;
  /** An operation that was asked for and has not begun. */
  operationAsked: boolean;
  inputs: Inputs;
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

/**
 * Whether an application is compared now, how fresh, and why (contract 3.11). Who asks for a refresh or a sync, or changes a spec,
 * wants what is in Git at that moment; all else is content with what the watch of the repository has seen.
 */
export function decideRefresh(seen: RefreshSnapshot, settings: RefreshSettings, nowMs: number): RefreshDecision {
  const { requested, last, marks } = seen;
  if (requested === 'hard') return refresh('hard', 'refresh-requested', 'a hard refresh was requested');
  if (requested === 'normal') return refresh('latest', 'refresh-requested', 'a refresh was requested');
  if (seen.operationAsked) return refresh('latest', 'operation-requested', 'an operation was requested');
  if (last === undefined) return refresh('recent', 'first-comparison', 'not compared since the controller started');
  if (last.inputs.spec !== seen.inputs.spec) return refresh('latest', 'spec-changed', 'its spec changed');
  if (last.inputs.settings !== seen.inputs.settings)
    return refresh('recent', 'settings-changed', "the installation's settings changed");
  if (settings.hardIntervalMs > 0 && nowMs - last.hardAtMs >= settings.hardIntervalMs)
    return refresh('hard', 'hard-interval', 'timeout.hard.reconciliation is over');
  if (marks.revision !== undefined) return refresh('recent', 'new-revision', marks.revision);
  const wait = Math.min(settings.intervalMs, last.failed ? settings.retryMs : Infinity);
  const age = nowMs - last.atMs;
  if (age >= wait) return refresh('recent', last.failed ? 'retry' : 'interval', 'timeout.reconciliation is over');
  if (marks.live !== undefined) return refresh('recent', 'live-changed', `${marks.live} changed`);
  return { kind: 'wait', forMs: wait - age };
}
