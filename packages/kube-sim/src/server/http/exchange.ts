import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { parseJson, parseYaml, stringifyJson } from '@tiphys/api';
import { duplicateFields, type DuplicateField } from '../../schema/json-duplicates.ts';
import { badRequest } from '../../schema/status-error.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import { jsonFault } from '../../schema/json-syntax.ts';
import { tooLarge, unsupportedMediaType } from '../refusal.ts';

/** Who sends a request. */
export type User = Readonly<{
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}>;

/** One request and the way to answer it, whether it came over HTTP/1.1 or HTTP/2. */
export type Exchange = Readonly<{
  request: IncomingMessage | Http2ServerRequest;
  response: ServerResponse | Http2ServerResponse;
  method: string;
  path: string;
  query: URLSearchParams;
  user: User;
}>;

/** The API server's limit for a body. */
const maxBodyBytes = 3 * 1024 * 1024;

/** A header's value; of several the first. */
export function header({ request }: Pick<Exchange, 'request'>, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** The media type of the body without its parameters; JSON when nothing is said. */
export const mediaTypeOf = (exchange: Exchange): string =>
  header(exchange, 'content-type').split(';', 1)[0]?.trim().toLowerCase() || 'application/json';

async function bodyBytes({ request }: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > maxBodyBytes) throw tooLarge(maxBodyBytes);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const protobuf = 'application/vnd.kubernetes.protobuf';

const readable = ['application/json', 'application/yaml', protobuf] as const;

/** The beginning of a body, as messages show it. */
function summary(bytes: Buffer): string {
  const limit = 30;
  const start = bytes.subarray(0, limit);
  const text = bytes[0] === 0x7b ? start.toString('utf8') : start.toString('hex');
  return bytes.length > limit ? `${text} ...` : text;
}

/** The body of a write, and the keys that its objects have twice: they are told of, and the last one counts. */
export type WriteBody = Readonly<{ body: unknown; repeated: readonly DuplicateField[] }>;

/**
 * The body as a value: JSON, or YAML or protobuf where the media type says so; undefined when there is none.
 * @param kind what is expected, where it is an object
 */
export async function readBody(exchange: Exchange, kind?: string): Promise<unknown> {
  return valueOf(exchange, await bodyBytes(exchange), kind);
}

/** The same, for a write that may ask for `fieldValidation`. Keys of YAML are not counted. */
export async function readWriteBody(exchange: Exchange, kind?: string): Promise<WriteBody> {
  const bytes = await bodyBytes(exchange);
  const body = valueOf(exchange, bytes, kind);
  const first = bytes.find((byte) => byte > 0x20);
  const isJson = first === 0x7b && mediaTypeOf(exchange) !== protobuf;
  const isAsked = exchange.query.get('fieldValidation') !== 'Ignore';
  return { body, repeated: isJson && isAsked ? duplicateFields(bytes.toString('utf8'), body) : [] };
}

function valueOf(exchange: Exchange, bytes: Buffer, kind: string | undefined): unknown {
  if (bytes.length === 0) return undefined;
  const mediaType = mediaTypeOf(exchange);
  if (mediaType === protobuf) return decodeProtobuf(bytes);
  const text = bytes.toString('utf8');
  try {
    if (mediaType.endsWith('+json') || mediaType === 'application/json') return parseJson(text, 'request body');
    if (mediaType.endsWith('yaml')) return parseYaml(text, 'request body');
  } catch (error) {
    const fault = mediaType.includes('yaml') ? undefined : jsonFault(text);
    if (fault !== undefined && kind !== undefined)
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${fault} (${summary(bytes)})`,
      );
    const isDecoded = /^application\/(?:merge|json)-patch/.test(mediaType);
    if (fault !== undefined && isDecoded) throw badRequest(`error decoding patch: ${fault}`);
    throw badRequest(fault ?? (error instanceof Error ? error.message : 'the request body cannot be read'));
  }
  throw unsupportedMediaType(readable);
}

/** Adds a Warning header, as kubectl prints them. */
export function warn({ response }: Pick<Exchange, 'response'>, warning: string): void {
  // A header carries no line breaks, and the text is quoted.
  const text = warning.replaceAll(/[\r\n]/g, ' ').replaceAll(/["\\]/g, '\\$&');
  response.appendHeader('warning', `299 - "${text}"`);
}

/** Answers with headers and a whole body. */
export function send(
  { response }: Pick<Exchange, 'response'>,
  answer: Readonly<{
    code: number;
    mediaType: string;
    text: string;
    warnings?: readonly string[];
    cacheControl?: string;
  }>,
): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  for (const warning of answer.warnings ?? []) warn({ response }, warning);
  response.statusCode = answer.code;
  response.setHeader('content-type', answer.mediaType);
  response.setHeader('cache-control', answer.cacheControl ?? 'no-cache, private');
  response.end(answer.text);
}

/** Answers with JSON. */
export const sendJson = (
  exchange: Pick<Exchange, 'response'>,
  answer: Readonly<{ code: number; body: unknown; warnings?: readonly string[]; mediaType?: string }>,
): void =>
  send(exchange, {
    code: answer.code,
    mediaType: answer.mediaType ?? 'application/json',
    text: `${stringifyJson(answer.body)}\n`,
    ...(answer.warnings !== undefined && { warnings: answer.warnings }),
  });

/** Answers with bytes. */
export function sendBytes({ response }: Pick<Exchange, 'response'>, mediaType: string, bytes: Uint8Array): void {
  response.statusCode = 200;
  response.setHeader('content-type', mediaType);
  response.end(bytes);
}

/** Answers that nothing is served under a path. */
export const sendNoPage = (exchange: Pick<Exchange, 'response'>): void =>
  send(exchange, { code: 404, mediaType: 'text/plain; charset=utf-8', text: '404 page not found\n' });
