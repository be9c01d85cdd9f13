/** The time, as a port: reconcilers and simulators take it so that tests can turn it. */
export type Clock = Readonly<{
  now: () => Date;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}>;

/** Facts of one log line. Messages are constant; facts go here. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A structured log. */
export type Logger = Readonly<{
  debug: (message: string, fields?: LogFields) => void;
  info: (message: string, fields?: LogFields) => void;
  warn: (message: string, fields?: LogFields) => void;
  error: (message: string, fields?: LogFields) => void;
}>;

/** The clock on the wall. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** A log that keeps nothing. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Why a decision was taken (docs/adr): the one thing that status, events, `explain` and the UI read. */
export type Because = Readonly<{
  /** Constant, kebab-case: `new-revision`, `self-heal`, `waiting-for-health`. */
  code: string;
  /** What it is about, as describeKey prints it. */
  object?: string;
  /** One sentence for people. */
  message?: string;
  since?: string;
  until?: string;
}>;
