import type { Writable } from 'node:stream';
import { formatApiVersion, stringifyJson, stringifyYaml, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import type { Cluster } from '../cluster.ts';
import type { Page } from '../operations/read.ts';
import { partialMetadata, tableOf, type IncludeObject } from '../table/table.ts';
import { header, send, sendJson, type Exchange } from './exchange.ts';
import { negotiate } from './negotiate.ts';
import { omit } from '../../schema/omit.ts';

const includes = ['None', 'Metadata', 'Object'] as const;

/** What rows of a table carry: `includeObject` of the query. */
export const includeOf = (exchange: Exchange): IncludeObject =>
  includes.find((known) => known === exchange.query.get('includeObject')) ?? 'Metadata';

/** How one object is answered. */
export type ObjectAnswer = Readonly<{
  code: number;
  object: KubeObject;
  type: ResourceType;
  warnings?: readonly string[];
}>;

/** Answers with one object in the shape that the client asks for. */
export function sendObject(cluster: Cluster, exchange: Exchange, answer: ObjectAnswer): void {
  const { shape, yaml } = negotiate(header(exchange, 'accept'));
  const { object, type, code, warnings = [] } = answer;
  const now = cluster.clock.now();
  const body =
    shape === 'table'
      ? {
          ...tableOf([object], type, { include: includeOf(exchange), now, headers: true }),
          metadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
        }
      : shape === 'partial'
        ? partialMetadata(object)
        : object;
  if (yaml) send(exchange, { code, mediaType: 'application/yaml', text: stringifyYaml(body), warnings });
  else sendJson(exchange, { code, body, warnings });
}

// Lists of custom resources carry an empty `continue`, those of built-in kinds none.
const listMetadata = (
  { resourceVersion, continueToken, remaining }: Page,
  type: ResourceType,
): Record<string, unknown> => ({
  ...((continueToken !== '' || type.custom !== undefined) && { continue: continueToken }),
  resourceVersion,
  ...(remaining !== undefined && { remainingItemCount: remaining }),
});

/** So many items are written at a time, so that a long list does not hold up everybody else. */
const itemsPerWrite = 500;

/** Items of built-in lists come without apiVersion and kind, those of custom resources with them. */
function itemText(object: KubeObject, type: ResourceType): string {
  if (type.custom !== undefined) return stringifyJson(object);
  return stringifyJson(omit(object, 'apiVersion', 'kind'));
}

async function sendItems(
  exchange: Exchange,
  head: string,
  items: Readonly<{ count: number; text: (index: number) => string }>,
) {
  const { response } = exchange;
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-cache, private');
  const stream: Writable = response;
  stream.write(head);
  for (let start = 0; start < items.count && !response.destroyed; start += itemsPerWrite) {
    const end = Math.min(start + itemsPerWrite, items.count);
    const texts: string[] = [];
    for (let index = start; index < end; index++) texts.push(items.text(index));
    stream.write(`${start === 0 ? '' : ','}${texts.join(',')}`);
    if (end < items.count) await new Promise((resolve) => setImmediate(resolve));
  }
  response.end(']}\n');
}

/** Answers with a page of a list. */
export async function sendPage(
  cluster: Cluster,
  exchange: Exchange,
  answer: Readonly<{ page: Page; type: ResourceType }>,
): Promise<void> {
  const { shape, yaml } = negotiate(header(exchange, 'accept'));
  const { page, type } = answer;
  const metadata = listMetadata(page, type);
  const apiVersion = formatApiVersion(type.group, type.version);
  if (shape === 'table') {
    const form = { include: includeOf(exchange), now: cluster.clock.now(), headers: true };
    sendJson(exchange, { code: 200, body: { ...tableOf(page.items, type, form), metadata } });
    return;
  }
  if (yaml) {
    const body = { kind: `${type.kind}List`, apiVersion, metadata, items: page.items };
    send(exchange, { code: 200, mediaType: 'application/yaml', text: stringifyYaml(body) });
    return;
  }
  const partial = shape === 'partial';
  const opening = partial
    ? { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
    : { kind: `${type.kind}List`, apiVersion, metadata };
  const text = (index: number): string => {
    const object = page.items[index];
    if (object === undefined) return 'null';
    return partial ? stringifyJson(partialMetadata(object)) : itemText(object, type);
  };
  if (partial && page.items.length === 0) {
    sendJson(exchange, { code: 200, body: { ...opening, items: null } });
    return;
  }
  await sendItems(exchange, `${stringifyJson(opening).slice(0, -1)},"items":[`, { count: page.items.length, text });
}
