import type { Clock } from '@tiphys/api';

/** Somebody who sleeps: looks at the clock, and sleeps on or is done. */
type Sleeper = Readonly<{ look: () => void }>;

/** A clock that runs as the system's does until a test stops it, and that a test pushes on: what is due then, happens then. */
export class PushedClock implements Clock {
  #aheadMs = 0;
  #stoppedAtMs: number | undefined;
  readonly #sleepers = new Set<Sleeper>();

  readonly now = (): Date => new Date((this.#stoppedAtMs ?? Date.now()) + this.#aheadMs);

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const dueMs = this.now().getTime() + ms;
    let timer: NodeJS.Timeout | undefined;
    const sleeper: Sleeper = {
      look: () => {
        clearTimeout(timer);
        const leftMs = dueMs - this.now().getTime();
        if (leftMs <= 0) resolve();
        else if (this.#stoppedAtMs === undefined) timer = setTimeout(sleeper.look, leftMs);
      },
    };
    const abort = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    this.#sleepers.add(sleeper);
    if (signal?.aborted === true) abort();
    else sleeper.look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', abort);
    });
  };

  /** From now on only a push moves it. Not for long: a Lease that is not renewed is lost by a clock of its own. */
  stop(): void {
    this.#stoppedAtMs ??= Date.now();
    this.#lookAll();
  }

  /** Lets it run again, from where it stands. */
  run(): void {
    if (this.#stoppedAtMs === undefined) return;
    this.#aheadMs -= Date.now() - this.#stoppedAtMs;
    this.#stoppedAtMs = undefined;
    this.#lookAll();
  }

  push(ms: number): void {
    this.#aheadMs += ms;
    this.#lookAll();
  }

  #lookAll(): void {
    for (const sleeper of [...this.#sleepers]) sleeper.look();
  }
}
