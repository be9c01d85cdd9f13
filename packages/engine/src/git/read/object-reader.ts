import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { CodedError } from '@tiphys/api';
import { killGroup } from './run-process.ts';

/** An object of a repository. */
export type GitObject = Readonly<{ oid: string; type: string; content: Buffer }>;

/** What to start, and the limits of what it answers. */
export type ObjectReaderSettings = Readonly<{
  command: string;
  env: Readonly<Record<string, string>>;
  objects: string;
  /** How the repository is called in errors. */
  name: string;
  maxObjectBytes: number;
  idleMs: number;
  requestTimeoutMs: number;
}>;

type Waiting = {
  readonly name: string;
  readonly resolve: (found: GitObject | undefined) => void;
  readonly reject: (error: Error) => void;
};

/** Where the reader stands in an answer: before its first line, or within an object. */
type Reading =
  { kind: 'header' } | { kind: 'object'; oid: string; type: string; size: number; missing: number; keep: boolean };

/** Reads objects through one long-lived `git cat-file --batch`; it is started when needed and ends when idle. */
export class ObjectReader {
  #child: ChildProcess | undefined;
  #queue: Waiting[] = [];
  #chunks: Buffer[] = [];
  #reading: Reading = { kind: 'header' };
  #idle: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  readonly #settings: ObjectReaderSettings;

  constructor(settings: ObjectReaderSettings) {
    this.#settings = settings;
  }

  /**
   * The object of a name that git understands (an object id, `<commit>^{tree}`); undefined when there is none.
   * @throws CodedError git/too-large
   */
  read(name: string): Promise<GitObject | undefined> {
    return new Promise((resolve, reject) => {
      if (/[\s\0]/.test(name)) {
        resolve(undefined);
        return;
      }
      const child = this.#start();
      this.#queue.push({ name, resolve, reject });
      clearTimeout(this.#idle);
      this.#watch();
      // Names that are asked for at once go in one call to the system.
      if (child.stdin.writableCorked === 0) {
        child.stdin.cork();
        process.nextTick(() => child.stdin.uncork());
      }
      child.stdin.write(`${name}\n`);
    });
  }

  close(): void {
    this.#stop(new Error('the repository was closed'));
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#child !== undefined) return this.#child as ChildProcessWithoutNullStreams;
    const { command, env, objects } = this.#settings;
    const child = spawn(command, [`--git-dir=${objects}`, 'cat-file', '--batch'], {
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    const ended = (why: string): void => {
      if (this.#child === child) this.#stop(new CodedError('git/unreachable', `${this.#settings.name}: ${why}`));
    };
    child.stdout.on('data', (chunk: Buffer) => this.#take(child, chunk));
    child.stderr.resume();
    child.stdin.on('error', () => {});
    child.once('error', (error) => ended(`git could not be started (${error.message})`));
    child.once('close', () => ended('git cat-file ended'));
    // A quiet reader must not keep the program alive; while somebody waits, the watchdog does.
    child.unref();
    return child;
  }

  #stop(reason: Error): void {
    const child = this.#child;
    this.#child = undefined;
    clearTimeout(this.#idle);
    clearTimeout(this.#watchdog);
    this.#chunks = [];
    this.#reading = { kind: 'header' };
    const waiting = this.#queue;
    this.#queue = [];
    for (const { reject } of waiting) reject(reason);
    if (child !== undefined) killGroup(child);
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    const { name, requestTimeoutMs } = this.#settings;
    this.#watchdog = setTimeout(
      () => this.#stop(new CodedError('git/timeout', `${name}: git cat-file did not answer in time`)),
      requestTimeoutMs,
    );
  }

  #take(child: ChildProcess, chunk: Buffer): void {
    if (child !== this.#child) return;
    try {
      this.#parse(chunk);
    } catch (error) {
      this.#stop(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#queue.length > 0) this.#watch();
    else {
      clearTimeout(this.#watchdog);
      this.#idle = setTimeout(() => this.close(), this.#settings.idleMs);
      this.#idle.unref();
    }
  }

  #parse(input: Buffer): void {
    let chunk = input;
    while (chunk.length > 0) {
      if (this.#reading.kind === 'object') {
        const { missing, keep } = this.#reading;
        const part = chunk.subarray(0, missing);
        if (keep) this.#chunks.push(part);
        this.#reading = { ...this.#reading, missing: missing - part.length };
        chunk = chunk.subarray(part.length);
        if (this.#reading.missing === 0) this.#finish(this.#reading);
        continue;
      }
      const end = chunk.indexOf(10);
      this.#chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) return;
      const header = Buffer.concat(this.#chunks).toString('utf8');
      this.#chunks = [];
      chunk = chunk.subarray(end + 1);
      this.#header(header);
    }
  }

  #header(header: string): void {
    const found = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header);
    if (found === null) {
      // `<name> missing` or `<name> ambiguous`
      this.#queue.shift()?.resolve(undefined);
      return;
    }
    const [, oid = '', type = '', digits = '0'] = found;
    const size = Number(digits);
    // The content is followed by a line feed.
    this.#reading = { kind: 'object', oid, type, size, missing: size + 1, keep: size <= this.#settings.maxObjectBytes };
  }

  #finish(reading: Extract<Reading, { kind: 'object' }>): void {
    const { oid, type, size, keep } = reading;
    const content = keep ? ownCopy(this.#chunks, size) : Buffer.alloc(0);
    this.#chunks = [];
    this.#reading = { kind: 'header' };
    const waiting = this.#queue.shift();
    const limit = this.#settings.maxObjectBytes;
    if (keep) waiting?.resolve({ oid, type, content });
    else
      waiting?.reject(
        new CodedError(
          'git/too-large',
          `${this.#settings.name}: a file of ${size} bytes (${oid}); the limit is ${limit}`,
        ),
      );
  }
}

/** Contents are kept for long. A small buffer of the usual kind would keep the whole pool that it was cut from. */
function ownCopy(chunks: readonly Buffer[], size: number): Buffer {
  const content = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(content, at);
  return content;
}
