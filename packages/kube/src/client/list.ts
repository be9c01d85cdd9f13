import { isRecord, parseJson, stringAt, type KubeObject } from '@tiphys/api';
import type { WireResponse } from './connections.ts';
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

async function readPage(
  response: WireResponse,
  request: ListRequest,
  limits: { bytes: number; what: string },
): Promise<Page> {
  let count = 0;
  const decoder = new ListDecoder((text) => {
    const item = parseJson(text, limits.what);
    if (!isRecord(item)) return;
    count += 1;
    request.visit(asKind(item, request.resource));
  });
  let size = 0;
  for await (const chunk of response.body) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > limits.bytes) throw tooLarge(limits.bytes, limits.what);
    decoder.push(chunk);
  }
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
