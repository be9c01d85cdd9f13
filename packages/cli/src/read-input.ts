import { open } from 'node:fs/promises';
import { CodedError, messageOf } from '@tiphys/api';
import type { CliIo } from './io.ts';

const maxBytes = 16 * 1024 * 1024;

const tooLarge = (what: string): CodedError =>
  new CodedError('api/too-large', `${what} is larger than ${maxBytes >> 20} MiB`);

async function readStdin({ stdin }: CliIo): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > maxBytes) throw tooLarge('standard input');
  }
  return text + decoder.decode();
}

/** The text of a file that the user names; `-` is standard input. @throws CodedError cli/usage, api/too-large */
export async function readInput(path: string, io: CliIo): Promise<string> {
  if (path === '-') return readStdin(io);
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

/** The first line of standard input; what follows it is left alone. */
export async function readLine({ stdin }: CliIo): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end).trim();
    if (text.length > 10_000) break;
  }
  return text === '' ? undefined : text.trim();
}
