import type { Clock } from '@tiphys/api';
import type { GitSettings } from './git-settings.ts';
import type { Refs } from './refs.ts';

/** Refs as they were read; a fingerprint stands for the state of a local repository that they were read from. */
export type ReadRefs = Readonly<{ refs: Refs; fingerprint: string | undefined }>;

/** Asks the remote; what was last read spares the question where its fingerprint is still the same. */
export type ReadRemote = (last: ReadRefs | undefined) => Promise<ReadRefs>;

/** What the remote of one repository was last heard to have. One question answers all who wait for it. */
export class RemoteRefs {
  readonly #read: ReadRemote;
  readonly #settings: Pick<GitSettings, 'refsMs' | 'failureMs'>;
  readonly #clock: Clock;
  #heard: Readonly<{ read: ReadRefs; atMs: number }> | undefined;
  #failure: Readonly<{ error: unknown; atMs: number }> | undefined;
  #asking: Promise<Refs> | undefined;
  /** The question of those who came while another was under way: its answer may be older than they are. */
  #askingNext: Promise<Refs> | undefined;

  constructor(read: ReadRemote, settings: Pick<GitSettings, 'refsMs' | 'failureMs'>, clock: Clock) {
    this.#read = read;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The refs as last read; undefined when they never were, longer ago than `refsMs`, or the remote failed since. */
  remembered(): Refs | undefined {
    const { refsMs } = this.#settings;
    return this.#heard !== undefined && this.#now() - this.#heard.atMs <= refsMs ? this.#heard.read.refs : undefined;
  }

  /**
   * What the remote has. `latest` is a question that begins when it is asked, or later; `cached` joins one that is under way, and a
   * remote that failed a moment ago (`failureMs`) fails again without being asked, so that a dead one holds up nobody.
   * @throws what reading throws
   */
  async ask(freshness: 'cached' | 'latest'): Promise<Refs> {
    const running = this.#asking;
    if (freshness === 'latest') {
      if (running === undefined) return this.#begin();
      const next = (): Promise<Refs> => {
        this.#askingNext = undefined;
        return this.#asking ?? this.#begin();
      };
      this.#askingNext ??= running.then(next, next);
      return this.#askingNext;
    }
    const { failureMs, refsMs } = this.#settings;
    if (this.#failure !== undefined && this.#now() - this.#failure.atMs < Math.min(failureMs, refsMs))
      throw this.#failure.error;
    return running ?? this.#begin();
  }

  /** Resolves when nobody waits for the remote any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#asking, this.#askingNext]);
  }

  #begin(): Promise<Refs> {
    this.#asking = this.#listen().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #listen(): Promise<Refs> {
    const atMs = this.#now();
    try {
      const read = await this.#read(this.#heard?.read);
      this.#heard = { read, atMs };
      this.#failure = undefined;
      return read.refs;
    } catch (error) {
      // What was read before says nothing any more: else a lost repository looks well as long as it is remembered.
      this.#heard = undefined;
      this.#failure = { error, atMs: this.#now() };
      throw error;
    }
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
