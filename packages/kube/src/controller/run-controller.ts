import { CodedError, messageOf } from '@tiphys/api';
import { openQueue } from './queue.ts';
import type { Controller, ControllerOptions, ControllerPorts, Next, Queue } from './types.ts';

const defaultTimeoutMs = 120_000;

/** How long a reconcile may take to notice that its signal is aborted before its worker goes on without it. */
const graceMs = 10_000;

/** Why the watch over a deadline ends. Given, because the platform would make an exception with a stack for each pass. */
const over = new Error('the reconcile has ended');

type Outcome = Readonly<{ kind: 'done'; next: Next } | { kind: 'failed'; error: unknown }>;

type Loop = Readonly<{
  options: ControllerOptions;
  ports: ControllerPorts;
  queue: Queue;
  stopping: AbortSignal;
  counts: { reconciled: number; failed: number };
}>;

/** Only what may pass by itself is tried again by itself. */
const comesAgain = (error: unknown): boolean => !(error instanceof CodedError) || error.policy.retry === 'backoff';

function settle({ options, ports, queue, stopping, counts }: Loop, key: string, outcome: Outcome): void {
  if (outcome.kind === 'done') {
    counts.reconciled += 1;
    queue.forget(key);
    if (outcome.next.againInMs !== undefined) queue.addAfter(key, outcome.next.againInMs);
  } else if (!stopping.aborted) {
    const { error } = outcome;
    counts.failed += 1;
    const code = error instanceof CodedError ? error.code : undefined;
    const fields = { controller: options.name, key, code, error: messageOf(error) };
    if (comesAgain(error))
      ports.log.warn('reconcile failed', { ...fields, againInMs: Math.round(queue.addFailed(key)) });
    else {
      queue.forget(key);
      ports.log.warn('reconcile failed and waits for a change', fields);
    }
  }
  queue.done(key);
}

/** Runs one reconcile under its deadline. */
async function work(loop: Loop, key: string): Promise<void> {
  const { options, ports, stopping } = loop;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const ended = new AbortController();
  const running = new AbortController();
  const stop = (): void => running.abort(stopping.reason);
  if (stopping.aborted) stop();
  else stopping.addEventListener('abort', stop, { once: true });

  const outcome = Promise.resolve()
    .then(() => options.reconcile(key, running.signal))
    .then(
      (next): Outcome => ({ kind: 'done', next }),
      (error: unknown): Outcome => ({ kind: 'failed', error }),
    )
    .then((reached) => {
      ended.abort(over);
      stopping.removeEventListener('abort', stop);
      // The key stays in work until here, whatever its worker does: two reconciles of one key never overlap.
      settle(loop, key, reached);
    });

  const overdue = async (): Promise<void> => {
    await ports.clock.sleep(timeoutMs, ended.signal);
    running.abort(new Error(`the reconcile took longer than ${timeoutMs / 1000} s`));
    await ports.clock.sleep(graceMs, ended.signal);
    ports.log.error('a reconcile ignores its signal', { controller: options.name, key });
  };
  await Promise.race([outcome, overdue().catch(() => outcome)]);
}

async function runWorker(loop: Loop): Promise<void> {
  for (;;) {
    const key = await loop.queue.take();
    if (key === undefined) return;
    await work(loop, key);
  }
}

/** Starts a control loop. Nothing is reconciled before a key is added. */
export function runController(options: ControllerOptions, ports: ControllerPorts): Controller {
  const queue = openQueue({ backoff: options.backoff }, ports);
  const stopping = new AbortController();
  const counts = { reconciled: 0, failed: 0 };
  const loop: Loop = { options, ports, queue, stopping: stopping.signal, counts };
  const workers = Array.from({ length: options.workers }, () => runWorker(loop));
  const stop = async (): Promise<void> => {
    queue.close();
    stopping.abort(new Error(`the controller ${options.name} is stopped`));
    await Promise.all(workers);
  };
  return {
    add: (key) => queue.add(key),
    addAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    get counts() {
      return { ...counts, ...queue.depth };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
