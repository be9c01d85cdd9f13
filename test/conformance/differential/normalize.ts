import { at, canonicalJson, isRecord, stringAt } from '@tiphys/api';
import type { Answer } from './api.ts';

const volatileMetadata = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'selfLink',
  'continue',
]);

/** An object that was given a generated name. */
const withoutGeneratedName = (metadata: Record<string, unknown>): Record<string, unknown> =>
  typeof metadata['generateName'] === 'string' ? { ...metadata, name: '<generated>' } : metadata;

/** Addresses and ports that the server chooses. */
const assigned = new Set(['clusterIP', 'nodePort', 'healthCheckNodePort']);

/** What must be equal on both servers: an object without identifiers and times, or why it was refused. */
export function comparable({ code, body }: Answer): unknown {
  if (Array.isArray(body)) return { code, events: withoutRepeats(body.map(plainEvent)) };
  if (!isRecord(body)) return { code, body };
  if (body['kind'] !== 'Status') return { code, object: plain(body, stringAt(body, 'metadata', 'uid')) };
  const causes = at(body, 'details', 'causes');
  const list = (Array.isArray(causes) ? causes : []).map((cause: unknown) => ({
    reason: stringAt(cause, 'reason') ?? '',
    field: stringAt(cause, 'field') ?? '',
  }));
  const text = (cause: { field: string; reason: string }): string => `${cause.field}|${cause.reason}`;
  // The real server checks some fields twice, in two ways.
  const unique = [...new Map(list.map((cause) => [text(cause), cause])).values()];
  unique.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  const reason = stringAt(body, 'reason') ?? '';
  const message = stringAt(body, 'message') ?? '';
  return { code, reason, causes: unique, message: words(message) };
}

/** DIFFERENCES.md, [rewrites]: the real server may write an object anew that has not changed. */
const withoutRepeats = (events: readonly unknown[]): unknown[] =>
  events.filter((event, index) => {
    const before = events[index - 1];
    const isSame = canonicalJson(at(event, 'object')) === canonicalJson(at(before, 'object'));
    return index === 0 || !isSame || stringAt(event, 'type') !== 'MODIFIED';
  });

/** An event of a watch; what it says of a version is the server's affair. */
const plainEvent = (event: unknown): unknown =>
  isRecord(event) ? { ...event, object: plain(event['object'], stringAt(event, 'object', 'metadata', 'uid')) } : event;

/** A message without what quotes the server's inner form of a value: Go structs, and differences between them. */
function words(message: string): string {
  const plain = message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access')
    .replace(/in record \(\d+\)/g, 'in record (<version>)')
    .replace(/ResourceVersion in object meta: \d+/g, 'ResourceVersion in object meta: <version>')
    // Whether an absent map reads {} or null depends on where it got lost.
    .replace(/value: \{\}/g, 'value: null')
    .replace(/\n(?:@@|[ +-]).*/g, '')
    .replace(/\n\s*/g, ' ')
    .replace(/patch: Invalid value: "(?:[^"\\]|\\.)*"/g, 'patch: Invalid value: <patch>')
    .replace(/(Invalid|Unsupported) value: (?:null|[{[].*?[}\]]): /g, '$1 value: <value>: ')
    .replace(/ +(?=[\],]|$)/g, '');
  // Go walks maps in any order, and with them the faults of their values.
  return plain.replace(
    /is invalid: \[(.*)\]$/,
    (_all, list: string) => `is invalid: [${list.split(', ').sort().join(', ')}]`,
  );
}

function plain(value: unknown, uid: string | undefined): unknown {
  if (typeof value === 'string') return withoutChance(value, uid);
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, uid));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    if (key === 'lastPhaseTransitionTime') continue;
    // An answer that stored nothing gives the empty list back that storage would have made null.
    if (key === 'rules' && Array.isArray(child) && child.length === 0) {
      result[key] = null;
      continue;
    }
    if (key === 'metadata' && isRecord(child)) result[key] = plainMetadata(child, uid);
    else if (assigned.has(key) && child !== 'None') result[key] = `<${key}>`;
    else if (key === 'clusterIPs' && Array.isArray(child) && child[0] !== 'None') result[key] = ['<clusterIP>'];
    else result[key === 'k:' ? key : withoutChance(key, uid)] = plain(child, uid);
  }
  return result;
}

const withoutChance = (text: string, uid: string | undefined): string =>
  (uid === undefined ? text : text.replaceAll(uid, '<uid>'))
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access');

function plainMetadata(metadata: Record<string, unknown>, uid: string | undefined): unknown {
  const kept = Object.entries(withoutGeneratedName(metadata)).filter(([key]) => !volatileMetadata.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === 'managedFields' && Array.isArray(value) ? plainEntries(value, uid) : plain(value, uid),
    ]),
  );
}

/** The servers order entries by time, to the second; here they stand by name. */
function plainEntries(entries: readonly unknown[], uid: string | undefined): unknown[] {
  const name = (entry: unknown): string =>
    ['operation', 'manager', 'apiVersion', 'subresource'].map((field) => stringAt(entry, field) ?? '').join('|');
  return entries.map((entry) => plainEntry(entry, uid)).sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

/** Whether an entry has a time is compared, its time is not. */
function plainEntry(entry: unknown, uid: string | undefined): unknown {
  const result = plain(entry, uid);
  return isRecord(result) && result['time'] !== undefined ? { ...result, time: '<time>' } : result;
}
