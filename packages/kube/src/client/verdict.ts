import { CodedError } from '@tiphys/api';
import type { Authenticator } from './authenticate.ts';
import type { WireResponse } from './lane.ts';
import { KubeError } from './error.ts';
import { errorOfLink, errorOfStatus, readStatus, systemCode, type CallName } from './status.ts';
import type { ClientSettings, ClusterConfig, RawRequest } from './types.ts';

/** What follows an attempt that brought no answer to hand on: another one, or the error. */
export type Verdict = Readonly<
  { kind: 'again'; delayMs: number; error: CodedError } | { kind: 'fail'; error: CodedError }
>;

const firstDelayMs = 100;
const maxDelayMs = 5_000;

/** Errors of which we know that the server has not seen the call. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The link broke: the server may have done what it was asked, so only reads come again. */
const linkBroke = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'ERR_HTTP2_STREAM_ERROR',
]);

/** A server that restarts is back within the first tries; one that is away is the caller's to wait for. */
const linkAttempts = 3;

const backoffMs = (attempt: number): number =>
  Math.min(maxDelayMs, firstDelayMs * 2 ** attempt) * (0.5 + Math.random());

/** Milliseconds of a Retry-After header: seconds or a date; undefined when there is none. */
export function retryAfterMs(value: string | string[] | undefined, now: Date): number | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Reads a body up to a limit. @throws KubeError kube/too-large */
export async function readBody(body: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > limit) throw tooLarge(limit, what);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

export const tooLarge = (limit: number, what: string): KubeError =>
  new KubeError('kube/too-large', `${what}: the answer is larger than ${limit} bytes`, {
    status: 0,
    reason: '',
    causes: [],
  });

export type VerdictContext = Readonly<{
  config: ClusterConfig;
  settings: ClientSettings;
  authenticator: Authenticator;
  now: () => Date;
  call: CallName & Pick<RawRequest, 'method'>;
  attempt: number;
}>;

/** Judges an answer with a status from 400 on. */
export async function judgeAnswer(response: WireResponse, context: VerdictContext): Promise<Verdict> {
  const { call, attempt } = context;
  const { statusCode, headers } = response;
  const body = await readBody(response.body, context.settings.maxResponseBytes, call.what);
  const error = errorOfStatus(statusCode, readStatus(statusCode, body), call);
  if (statusCode === 401 && attempt === 0 && context.authenticator.renew()) return { kind: 'again', delayMs: 0, error };
  const wait = retryAfterMs(headers['retry-after'], context.now());
  // 429 is refused before it is looked at, so any call may come again; other errors only when reading.
  if (statusCode === 429)
    return { kind: 'again', delayMs: wait ?? error.detail.retryAfterMs ?? backoffMs(attempt), error };
  if (statusCode >= 500 && call.method === 'GET' && wait !== undefined) return { kind: 'again', delayMs: wait, error };
  return { kind: 'fail', error };
}

/** Judges a call that got no answer. */
export function judgeThrown(thrown: unknown, context: VerdictContext): Verdict {
  if (thrown instanceof CodedError) return { kind: 'fail', error: thrown };
  const code = systemCode(thrown) ?? '';
  const error = errorOfLink(thrown, context.config.server, context.call);
  const repeatable = neverSent.has(code) || (linkBroke.has(code) && context.call.method === 'GET');
  const again = repeatable && context.attempt + 1 < linkAttempts;
  return again ? { kind: 'again', delayMs: backoffMs(context.attempt), error } : { kind: 'fail', error };
}
