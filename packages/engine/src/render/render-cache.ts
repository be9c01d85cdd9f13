import { LRUCache } from 'lru-cache';
import type { Decoded } from './decode/decoder.ts';

/** What is remembered of a render under the key of what it could see. */
export type Outcome =
  | ({ kind: 'objects' } & Decoded)
  | { kind: 'failed'; error: Error }
  /** The set of files was too small; the next wider one has the answer. */
  | { kind: 'insufficient' };

const overheadBytes = 500;

/** Results by key, bounded by their size. Those that hang on time, and failures, are forgotten after a while. */
export class RenderCache {
  readonly #entries: LRUCache<string, Outcome>;
  readonly #running = new Map<string, Promise<Outcome>>();

  constructor(settings: Readonly<{ maxBytes: number; now: () => number }>) {
    this.#entries = new LRUCache({
      maxSize: settings.maxBytes,
      sizeCalculation: (outcome) => overheadBytes + (outcome.kind === 'objects' ? outcome.bytes : 0),
      perf: { now: settings.now },
      ttlResolution: 0,
    });
  }

  get(key: string): Outcome | undefined {
    return this.#entries.get(key);
  }

  set(key: string, outcome: Outcome, freshMs: number | undefined): void {
    this.#entries.set(key, outcome, freshMs === undefined ? {} : { ttl: freshMs });
  }

  /** Runs something once for all who ask for the same key while it runs. */
  once(key: string, run: () => Promise<Outcome>): Promise<Outcome> {
    const running = this.#running.get(key) ?? run().finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }
}
