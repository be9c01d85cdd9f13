import type { Because, ResourceResult } from '@tiphys/api';
import type { ClusterFacts, Comparison, DeletionPhase, SyncPlan, SyncProgress, OwnWrite } from '@tiphys/engine';
import type { LastComparison, Marks } from './compare/decide-refresh.ts';
import type { Compared } from './status/describe-status.ts';
import type { Destination } from './watch/destinations.ts';

/** What this process knows of a running operation beyond what is stored. Lost with the process, and then found again. */
export type RunningOperation = Readonly<{
  /** Which attempt it belongs to. */
  attempt: string;
  plan: SyncPlan;
  comparison: Comparison;
  progress: SyncProgress;
  results: readonly ResourceResult[];
  destination: Destination;
  /** Tracking name. */
  instance: string;
}>;

/** What this process knows of the hooks of a deletion beyond what stands in the cluster. Lost with the process: a pause is then shorter. */
export type RunningDeletion = Readonly<{
  phase: DeletionPhase;
  destination: Destination;
  /** Tracking name. */
  instance: string;
  /** Of the Application. */
  uid: string;
  progress: SyncProgress;
  /** How often hooks of the phase have failed. */
  failures: number;
  /** When those that failed run again; undefined while none has. */
  retryAtMs?: number;
  /** Why they failed. */
  messages?: readonly string[];
}>;

/** What a pass rested on that ended with nothing left to do. While all of it stands, another comparison would find the same. */
export type Settled = Readonly<{
  /** The version of the Application that says what was found. */
  resourceVersion: string;
  compared: Extract<Compared, { kind: 'compared' }>;
  destination: Destination;
  facts: ClusterFacts;
  /** Intervals since the comparison. */
  intervals: number;
}>;

/** What is remembered of one application between two passes. All of it may be lost. */
export type ApplicationMemory = {
  /** Whether this process has been through with it once: only then its status is more than what an earlier one left. */
  visited: boolean;
  /** What the watches marked since the last comparison. */
  marks: Marks;
  last: LastComparison | undefined;
  compared: Compared | undefined;
  operation: RunningOperation | undefined;
  deletion: RunningDeletion | undefined;
  /** An attempt that had begun and whose source cannot be read now, and since when. */
  stalled: Readonly<{ attempt: string; sinceMs: number }> | undefined;
  /** Since when the source cannot be read; undefined while it can. */
  sourceFailedAtMs: number | undefined;
  /** Writes of ours whose outcome the last comparison saw before the watch showed it: their events bring nothing new. */
  seenWrites: Set<OwnWrite>;
  /** When the automated sync may act next. */
  automation: Because | undefined;
  /** Set while there is nothing to do. */
  settled: Settled | undefined;
};

/** Memory of all applications; an entry goes with its application. */
export interface ApplicationMemories {
  of(key: string): ApplicationMemory;
  forget(key: string): void;
}

export function openApplicationMemories(): ApplicationMemories {
  const memories = new Map<string, ApplicationMemory>();
  return {
    of: (key) => {
      const known = memories.get(key);
      if (known !== undefined) return known;
      const fresh: ApplicationMemory = {
        visited: false,
        marks: {},
        last: undefined,
        compared: undefined,
        operation: undefined,
        deletion: undefined,
        stalled: undefined,
        sourceFailedAtMs: undefined,
        seenWrites: new Set(),
        automation: undefined,
        settled: undefined,
      };
      memories.set(key, fresh);
      return fresh;
    },
    forget: (key) => {
      memories.delete(key);
    },
  };
}
