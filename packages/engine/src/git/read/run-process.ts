import { spawn, type ChildProcess } from 'node:child_process';

/** A program to run: no shell, exactly this environment, its own process group. */
export type ProcessRequest = Readonly<{
  command: string;
  args: readonly string[];
  cwd?: string | undefined;
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  input?: string | undefined;
  /** The group is killed when the program prints more than this to standard output (bytes). */
  maxOutputBytes: number;
  timeoutMs: number;
  uid?: number | undefined;
  gid?: number | undefined;
}>;

/** How a program ended. */
export type ProcessOutcome =
  | { kind: 'exit'; code: number; stdout: Buffer; stderr: string }
  | { kind: 'timeout'; stderr: string }
  | { kind: 'too-much-output'; stderr: string }
  | { kind: 'not-started'; reason: string };

const maxErrorBytes = 64 * 1024;
const killAfterMs = 1000;

/** Ends a process and all that it started: asks first, then does not ask. */
export function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  send('SIGTERM');
  const timer = setTimeout(() => send('SIGKILL'), killAfterMs);
  timer.unref();
  child.once('close', () => clearTimeout(timer));
}

/** Keeps the first bytes of a stream up to a limit and says when there is more. */
class Collected {
  readonly chunks: Buffer[] = [];
  size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a chunk; false once the limit is passed. */
  add(chunk: Buffer): boolean {
    const room = this.#limit - this.size;
    this.size += chunk.length;
    if (room > 0) this.chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    return this.size <= this.#limit;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/**
 * Runs a program to its end. The group is killed at the deadline, over the output limit and on abort.
 * @throws the signal's reason when aborted
 */
export async function runProcess(request: ProcessRequest, signal: AbortSignal): Promise<ProcessOutcome> {
  signal.throwIfAborted();
  const stdout = new Collected(request.maxOutputBytes);
  const stderr = new Collected(maxErrorBytes);
  const { promise, resolve } = Promise.withResolvers<ProcessOutcome>();
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(request.uid !== undefined && { uid: request.uid }),
    ...(request.gid !== undefined && { gid: request.gid }),
  });
  let ended: 'timeout' | 'too-much-output' | undefined;
  const stop = (why: 'timeout' | 'too-much-output'): void => {
    if (ended !== undefined) return;
    ended = why;
    killGroup(child);
  };
  const abort = (): void => killGroup(child);
  const timer = setTimeout(() => stop('timeout'), request.timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stdout.add(chunk)) stop('too-much-output');
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  // A program that ends before it has read its input closes the pipe; its exit code says what happened.
  child.stdin.on('error', () => {});
  child.stdin.end(request.input ?? '');
  child.once('error', (error) => resolve({ kind: 'not-started', reason: error.message }));
  child.once('close', (code, killedBy) => {
    const text = stderr.bytes.toString('utf8');
    if (ended !== undefined) resolve({ kind: ended, stderr: text });
    else {
      const why = killedBy === null ? text : `${text}\nkilled by ${killedBy}`.trim();
      resolve({ kind: 'exit', code: code ?? 255, stdout: stdout.bytes, stderr: why });
    }
  });
  try {
    const outcome = await promise;
    signal.throwIfAborted();
    return outcome;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
