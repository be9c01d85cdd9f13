import { isCoded, isRecord, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import type { WireResponse } from './lane.ts';
import { asKind, metadataForm, type ClientParts } from './parts.ts';
import { ListDecoder } from './list-decoder.ts';
import { nameCall, resourcePath } from './resource-path.ts';
import type { ApiResource, ListOptions } from './types.ts';
import { tooLarge } from './verdict.ts';

/** Objects per request: what client libraries use; a page is small enough to be cheap for the server to build. */
const defaultPageSize = 500;

export type ListRequest = Readonly<{
  resource: ApiResource;
  options: ListOptions;
  visit: (object: KubeObject) => void;
}>;

type Page = Readonly<{ resourceVersion: string; continueToken: string; count: number }>;

/** The value of a text; undefined when it is no JSON, which has no such value itself. */
function wholeJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (isCoded(error, 'api/invalid-json')) return undefined;
    throw error;
  }
}

const managedFields = '"managedFields":[';

/**
 * The value of an object's text without its managedFields, which are cut out unread: no array lies within them, so the first
 * bracket behind which the object goes on or ends is theirs. In a string it would be another; then no JSON is left, and the whole
 * text is read.
 */
function leanJson(text: string): unknown {
  const start = text.indexOf(managedFields);
  let end = start < 0 ? -1 : text.indexOf(']', start);
  while (end >= 0 && text[end + 1] !== '}' && !text.startsWith(',"', end + 1)) end = text.indexOf(']', end + 1);
  if (end < 0) return wholeJson(text);
  // The comma goes with what it separates: the one behind, or for a last field the one before.
  const isLast = text[end + 1] === '}';
  const before = isLast && text[start - 1] === ',' ? start - 1 : start;
  return wholeJson(text.slice(0, before) + text.slice(isLast ? end + 1 : end + 2)) ?? wholeJson(text);
}

/** Servers write a list in pieces of a few hundred bytes, and looking at one costs as much as at many. */
const joinedBytes = 32 * 1024;

/** Reads a body to its end, in larger pieces. By events: a loop over its chunks costs more than what is done with them. */
function eachChunk(body: WireResponse['body'], visit: (chunk: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    const joined = waiting.length === 1 && waiting[0] !== undefined ? waiting[0] : Buffer.concat(waiting, size);
    waiting = [];
    size = 0;
    try {
      if (joined.length > 0) visit(joined);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
      body.destroy();
    }
  };
  body.on('data', (chunk: unknown) => {
    if (!Buffer.isBuffer(chunk)) return;
    waiting.push(chunk);
    size += chunk.length;
    if (size >= joinedBytes) flush();
  });
  body.once('end', () => {
    flush();
    resolve();
  });
  body.once('error', reject);
  body.once('close', () => reject(Object.assign(new Error('the answer ended too early'), { code: 'ECONNRESET' })));
  return promise;
}

async function readPage(
  response: WireResponse,
  request: ListRequest,
  limits: { bytes: number; what: string },
): Promise<Page> {
  let count = 0;
  const decoder = new ListDecoder((text) => {
    const item = request.options.withoutManagedFields === true ? leanJson(text) : wholeJson(text);
    if (item === undefined) return false;
    if (!isRecord(item)) return true;
    count += 1;
    request.visit(asKind(item, request.resource));
    return true;
  });
  let size = 0;
  await eachChunk(response.body, (chunk) => {
    size += chunk.length;
    if (size > limits.bytes) throw tooLarge(limits.bytes, limits.what);
    decoder.push(chunk);
  });
  const list = parseJson(decoder.end(), limits.what);
  return {
    resourceVersion: stringAt(list, 'metadata', 'resourceVersion') ?? '',
    continueToken: stringAt(list, 'metadata', 'continue') ?? '',
    count,
  };
}

/**
 * Lists page by page. The pages are one snapshot: all have the first page's resourceVersion. When the server forgets that
 * snapshot on the way (410), the list is not begun anew, for the objects handed over cannot be taken back: it ends with
 * kube/expired, and the caller decides.
 */
export async function listEach(
  parts: ClientParts,
  request: ListRequest,
): Promise<{ resourceVersion: string; count: number }> {
  const { resource, options } = request;
  const { namespace, pageSize = defaultPageSize } = options;
  const what = nameCall('LIST', resource, { namespace });
  let continueToken = '';
  let count = 0;
  for (;;) {
    const call = {
      what,
      method: 'GET',
      path: resourcePath(resource, { namespace }),
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: pageSize === 0 ? undefined : pageSize,
        continue: continueToken === '' ? undefined : continueToken,
      },
      headers: options.metadataOnly === true ? { accept: metadataForm('PartialObjectMetadataList') } : {},
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    } as const;
    const limits = { bytes: parts.settings.maxResponseBytes, what };
    const page = await parts.caller.send(call, (response) => readPage(response, request, limits));
    count += page.count;
    continueToken = page.continueToken;
    if (continueToken === '') return { resourceVersion: page.resourceVersion, count };
  }
}
