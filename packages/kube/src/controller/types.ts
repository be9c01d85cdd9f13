import type { Clock, Logger } from '@tiphys/api';
import type { KubeClient } from '../client/types.ts';

export type ControllerPorts = Readonly<{
  log: Logger;
  clock: Clock;
  /** 0 to 1; Math.random when absent. */ random?: () => number;
}>;

/** Delays after failures: first, doubled each time, up to the largest; each jittered by up to a fifth. */
export type Backoff = Readonly<{ firstMs: number; maxMs: number }>;

export type QueueOptions = Readonly<{ backoff?: Backoff | undefined }>;

/** A keyed queue: a key waits once, is worked on by one worker at a time, and comes again when added meanwhile. */
export interface Queue {
  /** Now. Forgets a pending delay of the key. */
  add(key: string): void;
  /** After a delay; the earliest of several wins. */
  addAfter(key: string, delayMs: number): void;
  /** After the next back-off delay of the key. Returns that delay. */
  addFailed(key: string): number;
  /** Starts the key's back-off anew. */
  forget(key: string): void;
  /** The next key; undefined once the queue is closed. `done` must follow. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  /** Keys ready, delayed and in work. */
  readonly depth: Readonly<{ ready: number; delayed: number; working: number }>;
  close(): void;
}

/** What a reconcile wants next; an empty answer waits for the next change. */
export type Next = Readonly<{ againInMs?: number | undefined }>;

export type ControllerOptions = Readonly<{
  name: string;
  workers: number;
  /** Level-triggered; must be safe to run again at any moment. */
  reconcile: (key: string, signal: AbortSignal) => Promise<Next>;
  /** 1 s to 5 min when absent. */
  backoff?: Backoff | undefined;
  /** Deadline of one reconcile: its signal aborts, and the key is tried again (120,000). */
  timeoutMs?: number | undefined;
}>;

/** Counters since the start, for metrics. */
export type ControllerCounts = Readonly<{
  reconciled: number;
  failed: number;
  ready: number;
  delayed: number;
  working: number;
}>;

/**
 * A running control loop. An error of `reconcile` is logged; what follows is its policy's: `backoff` and errors without a code
 * are tried again with growing delays, `on-change` and `never` wait for the next `add`.
 */
export interface Controller extends AsyncDisposable {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  readonly counts: ControllerCounts;
  /** Takes no more keys, aborts what runs, and resolves when the workers are idle. */
  stop(): Promise<void>;
}

export type LeaseOptions = Readonly<{
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  namespace: string;
  name: string;
  /** Who we are; one per process. */
  identity: string;
  /** Whether a holder has certainly ended, so that its Lease need not run out first; without it every holder is waited for. */
  isGone?: ((identity: string) => Promise<boolean>) | undefined;
  /** How long a lease is good (15,000), how often it is renewed (5,000), how long before its end we stop trusting it (3,000). */
  durationMs?: number | undefined;
  renewMs?: number | undefined;
  marginMs?: number | undefined;
}>;

export type LeasePorts = ControllerPorts &
  Readonly<{
    /** Milliseconds of a clock that never jumps; performance.now when absent. */ monotonicMs?: () => number;
  }>;

/** One coordination.k8s.io Lease that we hold, or try to. */
export interface Lease extends AsyncDisposable {
  /** True only while nobody else can have taken it: renewed, and not within the margin of its end by the monotonic clock. */
  held(): boolean;
  /** Grows with every change of holder (spec.leaseTransitions); undefined while not held. */
  readonly epoch: number | undefined;
  /** Who holds it as far as we know. */
  readonly holder: string | undefined;
  onHeld(listener: (epoch: number) => void): () => void;
  /** Told when it runs out or another takes it, not when it is given back. */
  onLost(listener: () => void): () => void;
  /** Stops renewing and, when held, gives it back at once. */
  release(): Promise<void>;
}
