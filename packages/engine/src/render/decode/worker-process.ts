import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@tiphys/api';
import { killGroup } from '../../git/read/run-process.ts';
import type { Invocation, Sandbox } from '../sandbox/sandbox.ts';
import { type Frame, FrameReader, frameOf } from './frame.ts';
import { type Answer, parseAnswer, type Question } from './protocol.ts';

/** How a worker is started, and what bounds it. */
export type WorkerSettings = Readonly<{
  /** What is started for each. */
  invocation: Invocation;
  /** PATH of what wraps it. */
  path: string;
  /** Memory for values. */
  maxHeapBytes: number;
  /** Of one answer with its head. */
  maxAnswerBytes: number;
  /** CPU time after which it is ended whatever it does: also when this program is gone and can no longer end it. */
  maxCpuMs: number;
}>;

/** A question with its texts, and when it is given up. */
export type Work = Readonly<{ question: Question; body: readonly Buffer[]; timeoutMs: number }>;

type Values = Extract<Answer, { kind: 'values' }>;
type Failure = Extract<Answer, { kind: 'error' }>;

/** How a question ended. `file`: the one that was being read, where it is known. The worker is gone after `timeout`, `memory` and `died`. */
export type WorkOutcome =
  | { kind: 'values'; head: Values; body: Buffer }
  | { kind: 'error'; error: Failure }
  | { kind: 'timeout'; file: number | undefined }
  | { kind: 'memory'; file: number | undefined }
  /** `ready`: it had begun to work; otherwise it could not even be started. */
  | { kind: 'died'; file: number | undefined; ready: boolean; reason: string }
  /** Nobody reads any more. */
  | { kind: 'closed' };

/** The worker's own file: beside this one in the sources, beside the program in the bundle. */
const isSource = import.meta.url.endsWith('.ts');
const entry = fileURLToPath(new URL(isSource ? './worker.ts' : './decode-worker.mjs', import.meta.url));
const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url)).replace(/\/$/, '');
/** What it loads: the bundle lies in one folder, the sources among the packages. */
const reads = isSource ? ['../../../../', '../../../../../node_modules'].map(beside) : [beside('./')];

/** What a worker has to be able to reach: the Node that runs this program, and its own file. */
export const workerNeeds: readonly string[] = [process.execPath, join(entry, '..')];

/** How long a worker may take to get ready, and to end when it was told to. */
const startMs = 20_000;
const endMs = 1000;
const maxErrorBytes = 16 * 1024;
/** Beside the objects, an answer has a head. */
const headBytes = 4 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/** Wraps a worker. */
export function workerInvocation(
  { maxHeapBytes, maxCpuMs }: Pick<WorkerSettings, 'maxHeapBytes' | 'maxCpuMs'>,
  sandbox: Sandbox,
): Promise<Invocation> {
  const args = [
    `--max-old-space-size=${Math.floor(maxHeapBytes / mebibyte)}`,
    '--disable-proto=throw',
    // Beside what the host allows: it reads its own code, writes nothing and starts nothing. The packages of the sources may be linked
    // from anywhere.
    '--permission',
    `--allow-fs-read=${isSource ? '*' : join(...reads, '/')}`,
    entry,
  ];
  return sandbox.wrap(
    { command: process.execPath, args, reads },
    { network: 'none', addressSpaceBytes: 'unlimited', cpuSeconds: Math.ceil(maxCpuMs / 1000) },
  );
}

/** One worker: takes one question at a time. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #frames: FrameReader;
  #stderr = '';
  #ready = false;
  #file: number | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** The time of a question begins when the worker is there to read it. */
  #begin: (() => void) | undefined;
  #settle: ((outcome: WorkOutcome) => void) | undefined;
  #gone = false;
  readonly #closed: Promise<void>;

  constructor(settings: WorkerSettings) {
    const { invocation, path } = settings;
    this.#frames = new FrameReader(settings.maxAnswerBytes + headBytes);
    this.#child = spawn(invocation.command, invocation.args, {
      cwd: '/',
      env: { PATH: path, LANG: 'C' },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(invocation.uid !== undefined && { uid: invocation.uid }),
      ...(invocation.gid !== undefined && { gid: invocation.gid }),
    });
    const { stdin, stdout, stderr } = this.#child;
    stdout?.on('data', (chunk: Buffer) => this.#take(chunk));
    stderr?.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < maxErrorBytes) this.#stderr += chunk.toString('utf8');
    });
    stdin?.on('error', () => {});
    this.#child.once('error', (error) => this.#died(error.message));
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
    this.#child.once('close', (code, signal) => this.#died(`ended with ${signal ?? String(code)}`));
    this.#keepAlive(false);
  }

  /** Whether it takes a question now. */
  get isFree(): boolean {
    return this.#settle === undefined && !this.#gone;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** Asks. Never rejects. */
  run({ question, body, timeoutMs }: Work): Promise<WorkOutcome> {
    return new Promise((resolve) => {
      if (this.#gone) {
        resolve({ kind: 'died', file: undefined, ready: this.#ready, reason: 'it was gone' });
        return;
      }
      this.#file = undefined;
      this.#keepAlive(true);
      this.#settle = (outcome) => {
        clearTimeout(this.#deadline);
        this.#settle = undefined;
        this.#begin = undefined;
        if (!this.#gone) this.#keepAlive(false);
        resolve(outcome);
      };
      this.#begin = () => {
        clearTimeout(this.#deadline);
        this.#deadline = setTimeout(() => this.#end({ kind: 'timeout', file: this.#file }), timeoutMs);
      };
      if (this.#ready) this.#begin();
      else this.#deadline = setTimeout(() => this.#died('it did not get ready'), startMs);
      // All parts in one call to the system.
      const { stdin } = this.#child;
      stdin?.cork();
      for (const part of frameOf(JSON.stringify(question), body)) stdin?.write(part);
      stdin?.uncork();
    });
  }

  /** Ends it, and what it is doing; settled when it is gone. */
  async close(): Promise<void> {
    const isBusy = this.#settle !== undefined;
    const alreadyGone = this.#gone;
    this.#gone = true;
    this.#settle?.({ kind: 'closed' });
    if (isBusy) killGroup(this.#child);
    else if (!alreadyGone) {
      // It ends with its input. While it is waited for, it keeps the program alive.
      this.#keepAlive(true);
      this.#child.stdin?.end();
      const timer = setTimeout(() => killGroup(this.#child), endMs);
      this.#child.once('close', () => clearTimeout(timer));
    }
    await this.#closed;
  }

  #end(outcome: WorkOutcome): void {
    if (this.#gone) return;
    this.#gone = true;
    killGroup(this.#child);
    this.#settle?.(outcome);
  }

  #died(reason: string): void {
    const isMemory = /heap out of memory|allocation failed|out of memory/i.test(this.#stderr);
    const [line = ''] = this.#stderr.split('\n').filter((text) => text.trim() !== '');
    this.#end(
      isMemory
        ? { kind: 'memory', file: this.#file }
        : { kind: 'died', file: this.#file, ready: this.#ready, reason: line === '' ? reason : `${reason}: ${line}` },
    );
  }

  #take(chunk: Buffer): void {
    if (this.#gone) return;
    try {
      for (const frame of this.#frames.push(chunk)) this.#hear(frame);
    } catch (error) {
      this.#end({ kind: 'died', file: this.#file, ready: this.#ready, reason: messageOf(error) });
    }
  }

  #hear({ head, body }: Frame): void {
    const said = parseAnswer(head);
    if (said.kind === 'ready') {
      this.#ready = true;
      this.#begin?.();
    } else if (said.kind === 'at') this.#file = said.file;
    else if (said.kind === 'error') this.#settle?.({ kind: 'error', error: said });
    else this.#settle?.({ kind: 'values', head: said, body });
  }

  /** A worker that nobody waits for does not keep the program alive. */
  #keepAlive(keep: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    const handles = [this.#child, ...[stdin, stdout, stderr].filter((stream) => stream instanceof Socket)];
    for (const handle of handles) {
      if (keep) handle.ref();
      else handle.unref();
    }
  }
}
