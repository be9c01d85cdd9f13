import { setImmediate as nextTurn } from 'node:timers/promises';
import { CodedError, isRecord, type KubeObject, parseJson } from '@tiphys/api';
import { folderOf } from '../../git/read/tree.ts';
import type { RenderWarning } from '../types.ts';
import type { Question } from './protocol.ts';
import type { ArchiveFiles } from './read-archive.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { type Work, workerInvocation, WorkerProcess, type WorkerSettings, type WorkOutcome } from './worker-process.ts';

/** An untrusted text and how it is called in errors: a path, or what it is. */
export type UntrustedText = Readonly<{ name: string; content: Buffer }>;

/** Objects that were read, with what is to be said of them. */
export type Decoded = Readonly<{
  objects: readonly KubeObject[];
  warnings: readonly RenderWarning[];
  /** Of the objects' canonical JSON. */
  digest: string;
  /** About what the objects take in memory. */
  bytes: number;
}>;

/**
 * Reads untrusted text, in processes that hold no credentials, have no network and see of the host what they load. What comes back is
 * plain JSON. Each question has a deadline and limits of its own; one that a worker cannot answer takes the worker with it and
 * fails, and others are not touched. Errors are those of the reading itself, with file and line, and
 * `render/too-costly` naming the file for a text that takes more time or memory than it may.
 */
export interface Decoder {
  /** The objects of plain files (contract 12.5), in their order. @throws CodedError render/invalid-manifest, render/unsupported */
  folder(files: readonly UntrustedText[]): Promise<Decoded>;
  /** The objects that a render tool printed. @throws CodedError render/invalid-manifest naming tool, and for Helm the template */
  output(output: Buffer, tool: 'helm' | 'kustomize'): Promise<Decoded>;
  /** The one YAML document of a text; null when it is empty. @throws CodedError api/invalid-yaml */
  document(text: UntrustedText): Promise<unknown>;
  /** The versions of each chart in an index of a chart repository. @throws CodedError api/invalid-yaml */
  chartVersions(index: UntrustedText): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Whether what one of the templates of a chart renders may hang on the API versions of the cluster. */
  seesApiVersions(templates: readonly UntrustedText[]): Promise<boolean>;
  /**
   * Plain files of an archive of a chart, by their paths below its folder: all names, and the texts of those that are wanted.
   * @throws CodedError render/failed
   */
  archive(archive: UntrustedText, wanted: readonly string[]): Promise<ArchiveFiles>;
  close(): Promise<void>;
}

/** Times in milliseconds, sizes in bytes. */
export type DecodeSettings = WorkerSettings &
  Readonly<{
    /** For one question. */
    timeoutMs: number;
    /** An index of a chart repository may be far larger than manifests. */
    indexTimeoutMs: number;
    /** One object: no API server takes a larger one. */
    maxObjectBytes: number;
    /** One document that is read while planning. */
    maxDocumentBytes: number;
    /** How many workers there may be; one is started when all others are busy for a while. */
    maxWorkers: number;
    busyMs: number;
    /** Workers that nobody asked for so long are ended. */
    idleMs: number;
    /** A worker that holds more than this when it has answered is ended: what it was asked next starts with a small one. */
    maxRestingBytes: number;
  }>;

type Job = Readonly<{ work: Work; settle: (outcome: WorkOutcome) => void }>;

/** Hands questions to workers, and replaces workers that are lost. */
class Workers {
  readonly #settings: DecodeSettings;
  readonly #waiting: Job[] = [];
  #workers: WorkerProcess[] = [];
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: DecodeSettings) {
    this.#settings = settings;
    this.#start();
  }

  run(work: Work): Promise<WorkOutcome> {
    return new Promise((settle) => {
      if (this.#closed) {
        settle({ kind: 'closed' });
        return;
      }
      this.#waiting.push({ work, settle });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    for (const { settle } of this.#waiting.splice(0)) settle({ kind: 'closed' });
    await Promise.all(this.#workers.splice(0).map((worker) => worker.close()));
  }

  #start(): WorkerProcess {
    const worker = new WorkerProcess(this.#settings);
    this.#workers.push(worker);
    this.#rest();
    return worker;
  }

  #next(): void {
    if (this.#waiting.length === 0 || this.#closed) return;
    this.#workers = this.#workers.filter((worker) => !worker.isGone);
    const free = this.#workers.find((worker) => worker.isFree);
    if (free !== undefined || this.#workers.length === 0) {
      const job = this.#waiting.shift();
      if (job !== undefined) void this.#give(job, free ?? this.#start());
      return;
    }
    const [job] = this.#waiting;
    if (this.#workers.length >= this.#settings.maxWorkers) return;
    // All are busy: one more, if this question still waits in a while.
    setTimeout(() => {
      if (job === undefined || this.#closed || !this.#waiting.includes(job)) return;
      if (this.#workers.length < this.#settings.maxWorkers) this.#start();
      this.#next();
    }, this.#settings.busyMs).unref();
  }

  async #give(job: Job, worker: WorkerProcess): Promise<void> {
    clearTimeout(this.#idle);
    const outcome = await worker.run(job.work);
    const { maxCpuMs, maxRestingBytes } = this.#settings;
    const isSpent =
      outcome.kind === 'values' && (outcome.head.cpuMs > maxCpuMs / 2 || outcome.head.rssBytes > maxRestingBytes);
    if (isSpent) void worker.close();
    job.settle(outcome);
    this.#next();
    this.#rest();
  }

  /** Ends the workers when nobody asks for a while. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#closed || this.#workers.some((worker) => !worker.isFree && !worker.isGone)) return;
    this.#idle = setTimeout(() => {
      for (const worker of this.#workers.splice(0)) void worker.close();
    }, this.#settings.idleMs);
    this.#idle.unref();
  }
}

/** After so many bytes of JSON the event loop gets a turn. */
const turnBytes = 1024 * 1024;

const isKubeObject = (value: unknown): value is KubeObject =>
  isRecord(value) &&
  typeof value['apiVersion'] === 'string' &&
  typeof value['kind'] === 'string' &&
  isRecord(value['metadata']);

/** The values of an answer, one to a line. */
async function* valuesOf(body: Buffer): AsyncGenerator<Readonly<{ value: unknown; bytes: number }>> {
  let sinceTurn = 0;
  for (let from = 0; from < body.length;) {
    const end = body.indexOf(10, from);
    const to = end < 0 ? body.length : end;
    sinceTurn += to - from;
    if (sinceTurn > turnBytes) {
      await nextTurn();
      sinceTurn = to - from;
    }
    yield { value: parseJson(body.toString('utf8', from, to), 'answer of a decode worker'), bytes: to - from };
    from = to + 1;
  }
}

type Asked = Readonly<{
  kind: Question['kind'];
  files: readonly UntrustedText[];
  timeoutMs: number;
  /** What is read, in errors: unless one of the files is to blame. */
  subject: string;
  wanted?: readonly string[];
}>;

const textsIn = (list: unknown): readonly string[] =>
  Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];

class PooledDecoder implements Decoder {
  readonly #settings: DecodeSettings;
  readonly #workers: Workers;

  constructor(settings: DecodeSettings) {
    this.#settings = settings;
    this.#workers = new Workers(settings);
  }

  folder(files: readonly UntrustedText[]): Promise<Decoded> {
    if (files.length === 0) return Promise.resolve({ objects: [], warnings: [], digest: '', bytes: 0 });
    const [{ name } = { name: '' }] = files;
    const subject = files.length === 1 ? name : `the manifests in ${folderOf(name) || '.'}`;
    return this.#objects({ kind: 'folder', files, timeoutMs: this.#settings.timeoutMs, subject });
  }

  output(output: Buffer, tool: 'helm' | 'kustomize'): Promise<Decoded> {
    const files = [{ name: tool, content: output }];
    return this.#objects({ kind: 'output', files, timeoutMs: this.#settings.timeoutMs, subject: `output of ${tool}` });
  }

  async document(text: UntrustedText): Promise<unknown> {
    const { maxDocumentBytes, timeoutMs } = this.#settings;
    if (text.content.length > maxDocumentBytes)
      throw new CodedError('render/too-costly', `${text.name}: the file is larger than ${maxDocumentBytes} bytes`);
    return this.#value({ kind: 'document', files: [text], timeoutMs, subject: text.name });
  }

  async chartVersions(index: UntrustedText): Promise<ReadonlyMap<string, readonly string[]>> {
    const { indexTimeoutMs: timeoutMs } = this.#settings;
    const value = await this.#value({ kind: 'chart-versions', files: [index], timeoutMs, subject: index.name });
    return new Map(Object.entries(isRecord(value) ? value : {}).map(([name, versions]) => [name, textsIn(versions)]));
  }

  async seesApiVersions(templates: readonly UntrustedText[]): Promise<boolean> {
    const { timeoutMs } = this.#settings;
    return (await this.#value({ kind: 'templates', files: templates, timeoutMs, subject: 'templates' })) !== false;
  }

  async archive(archive: UntrustedText, wanted: readonly string[]): Promise<ArchiveFiles> {
    const { timeoutMs } = this.#settings;
    const value = await this.#value({ kind: 'archive', files: [archive], timeoutMs, subject: archive.name, wanted });
    const { names, texts } = isRecord(value) ? value : {};
    return {
      names: textsIn(names),
      texts: Object.fromEntries(
        Object.entries(isRecord(texts) ? texts : {}).filter(
          (entry): entry is [string, string] => typeof entry[1] === 'string',
        ),
      ),
    };
  }

  close(): Promise<void> {
    return this.#workers.close();
  }

  async #objects(asked: Asked): Promise<Decoded> {
    const { head, body } = await this.#ask(asked);
    const objects: KubeObject[] = [];
    let bytes = 0;
    for await (const { value, bytes: size } of valuesOf(body)) {
      if (!isKubeObject(value)) throw new CodedError('render/invalid-manifest', `${asked.subject}: not an object`);
      objects.push(value);
      // A parsed object takes about twice its text.
      bytes += size * 2;
    }
    return { objects, warnings: head.warnings, digest: head.digest, bytes };
  }

  async #value(asked: Asked): Promise<unknown> {
    const { body } = await this.#ask(asked);
    for await (const { value } of valuesOf(body)) return value;
    return null;
  }

  async #ask({
    kind,
    files,
    timeoutMs,
    subject,
    wanted = [],
  }: Asked): Promise<Extract<WorkOutcome, { kind: 'values' }>> {
    const { maxAnswerBytes, maxObjectBytes } = this.#settings;
    const question: Question = {
      kind,
      files: files.map(({ name, content }) => ({ path: name, bytes: content.length })),
      wanted,
      maxAnswerBytes,
      maxObjectBytes,
    };
    const work = { question, body: files.map(({ content }) => content), timeoutMs };
    const first = await this.#workers.run(work);
    // Something else may have ended the worker; whoever ends two is to blame.
    const outcome = first.kind === 'died' ? await this.#workers.run(work) : first;
    if (outcome.kind === 'values') return outcome;
    if (outcome.kind === 'error') throw errorOf(outcome.error, subject);
    if (outcome.kind === 'closed') throw new Error('the renderer was closed');
    const name = files.length > 1 && outcome.file !== undefined ? files[outcome.file]?.name : undefined;
    throw this.#lost(outcome, name ?? subject, timeoutMs);
  }

  #lost(
    outcome: Exclude<WorkOutcome, { kind: 'values' | 'error' | 'closed' }>,
    name: string,
    timeoutMs: number,
  ): CodedError {
    if (outcome.kind === 'timeout')
      return new CodedError(
        'render/too-costly',
        `${name}: reading it did not end within ${timeoutMs / 1000} s and was stopped`,
      );
    if (outcome.kind === 'memory')
      return new CodedError(
        'render/too-costly',
        `${name}: reading it takes more than ${this.#settings.maxHeapBytes} bytes of memory`,
      );
    if (outcome.ready) return new CodedError('render/too-costly', `${name}: its reader was lost: ${outcome.reason}`);
    return new CodedError('render/tool-missing', `the decode worker could not be started: ${outcome.reason}`);
  }
}

function errorOf({ code, message }: Extract<WorkOutcome, { kind: 'error' }>['error'], subject: string): CodedError {
  const isNameless = code === 'render/too-costly' || code === 'render/output-too-large';
  return new CodedError(code, isNameless ? `${subject}: ${message}` : message);
}

/** Opens a decoder and starts its first worker, so that the first question does not wait for one. */
export async function openDecoder(settings: Omit<DecodeSettings, 'invocation'>, sandbox: Sandbox): Promise<Decoder> {
  return new PooledDecoder({ ...settings, invocation: await workerInvocation(settings, sandbox) });
}
