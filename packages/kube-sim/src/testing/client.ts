import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from 'node:http';
import { isRecord, parseJson, stringifyJson } from '@tiphys/api';
import type { KubeSim } from '../start.ts';

/** An answer: the code, the headers, and the body as JSON (or as text where it is none). */
export type Answer = Readonly<{
  code: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: unknown;
}>;

export type Ask = Readonly<{ method?: string; body?: unknown; type?: string; accept?: string; token?: string }>;

type Options = Readonly<{ method: string; headers: Record<string, string> }>;

function open(sim: KubeSim, path: string, { method, headers }: Options) {
  const url = new URL(path, sim.url);
  const common = { method, headers, host: url.hostname, port: url.port, path: url.pathname + url.search };
  return url.protocol === 'https:' ? httpsRequest({ ...common, ca: sim.caPem }) : httpRequest(common);
}

function optionsOf(sim: KubeSim, ask: Ask, text: string | undefined): Options {
  const headers = {
    accept: ask.accept ?? 'application/json',
    'content-type': ask.type ?? 'application/json',
    ...(ask.token !== '' && { authorization: `Bearer ${ask.token ?? sim.token}` }),
    ...(text !== undefined && { 'content-length': String(Buffer.byteLength(text)) }),
  };
  return { method: ask.method ?? 'GET', headers };
}

const readText = (text: string): unknown => {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
};

/** One request with the administrator's token, over HTTP/1.1; independent of the product's own client. */
export function call(sim: KubeSim, path: string, ask: Ask = {}): Promise<Answer> {
  const text = ask.body === undefined ? undefined : typeof ask.body === 'string' ? ask.body : stringifyJson(ask.body);
  return new Promise((resolve, reject) => {
    const request = open(sim, path, optionsOf(sim, ask, text));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = readText(Buffer.concat(chunks).toString());
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.end(text);
  });
}

export type Watched = Readonly<{ type: string; object: Record<string, unknown> }>;

/** Collects the events of a watch until `enough` says so; fails after five seconds. */
export function watchUntil(
  sim: KubeSim,
  path: string,
  enough: (events: readonly Watched[]) => boolean,
): Promise<readonly Watched[]> {
  return new Promise((resolve, reject) => {
    const events: Watched[] = [];
    const request = open(sim, path, optionsOf(sim, {}, undefined));
    const timer = setTimeout(() => {
      request.destroy();
      reject(new Error(`watch ${path}: only ${stringifyJson(events.map(({ type }) => type))}`));
    }, 5000);
    const finish = (): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(events);
    };
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.on('response', (response) => {
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const event = parseJson(line);
          if (isRecord(event) && isRecord(event['object']))
            events.push({ type: String(event['type']), object: event['object'] });
          if (enough(events)) finish();
        }
      });
      response.on('end', finish);
    });
    request.end();
  });
}

/** Waits until a check passes; fails with what it last said after `ms`. */
export async function eventually(check: () => unknown, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
