import { open } from 'node:fs/promises';
import { CodedError, messageOf } from '@tiphys/api';
import type { CliIo } from './io.ts';

const maxBytes = 16 * 1024 * 1024;
const downloadMs = 30_000;

const tooLarge = (what: string): CodedError =>
  new CodedError('api/too-large', `${what} is larger than ${maxBytes >> 20} MiB`);

async function readText(chunks: AsyncIterable<Uint8Array | string>, what: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > maxBytes) throw tooLarge(what);
  }
  return text + decoder.decode();
}

async function download(url: string, { signal }: CliIo): Promise<string> {
  const deadline = AbortSignal.timeout(downloadMs);
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`.trimEnd());
    return response.body === null ? '' : await readText(response.body, url);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CodedError) throw error;
    const why = deadline.aborted ? `no answer within ${downloadMs / 1000} s` : reasonOf(error);
    throw new CodedError('cli/usage', `cannot read ${url}: ${why}`, { cause: error });
  }
}

/** What fetch says is always the same; what it hit stands in the cause. */
const reasonOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** The text of a file or http(s) address that the user names; `-` is standard input. @throws CodedError cli/usage, api/too-large */
export async function readInput(path: string, io: CliIo): Promise<string> {
  if (path === '-') return readText(io.stdin, 'standard input');
  if (/^https?:\/\//i.test(path)) return download(path, io);
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLarge(path);
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('cli/usage', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** The lines of standard input, as they are asked for. Disposing of it lets go of standard input. */
export type Lines = AsyncDisposable & Readonly<{ next: () => Promise<string | undefined> }>;

const maxLineLength = 10_000;

/** Opens standard input for reading line by line; nothing is read before the first line is asked for. */
export function openLines({ stdin }: CliIo): Lines {
  const decoder = new TextDecoder();
  let chunks: AsyncIterator<Uint8Array | string> | undefined;
  let text = '';
  const take = (length: number): string => {
    const line = text.slice(0, length).trim();
    text = text.slice(length + 1);
    return line;
  };
  return {
    next: async () => {
      chunks ??= stdin[Symbol.asyncIterator]();
      for (;;) {
        const end = text.indexOf('\n');
        if (end >= 0 || text.length > maxLineLength) return take(end >= 0 ? end : maxLineLength);
        const read = await chunks.next();
        if (read.done === true) return text === '' ? undefined : take(text.length);
        text += typeof read.value === 'string' ? read.value : decoder.decode(read.value, { stream: true });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await chunks?.return?.();
    },
  };
}
