import { copyJson, copyRecord } from '../schema/copy-json.ts';
import { isRecord, type KubeObject } from '@tiphys/api';
import { badRequest, StatusError } from '../schema/status-error.ts';
import { sameJson } from './same-json.ts';

/** More operations than this in one patch are refused, as the API server does. */
const maxOperations = 10_000;

const unfit = (why: string): StatusError =>
  new StatusError(
    { code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request' },
    { cause: new Error(why) },
  );

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container => Array.isArray(value) || isRecord(value);

/**
 * RFC 6902 on a copy of `live`.
 * @throws StatusError 422 (an operation that does not fit), 400 (no such operation) or 413
 */
export function jsonPatch(live: KubeObject, operations: unknown): KubeObject {
  if (!Array.isArray(operations))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  if (operations.length > maxOperations)
    throw new StatusError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity is too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    });
  const draft: Record<string, unknown> = copyRecord(live);
  for (const operation of operations) {
    if (!isRecord(operation))
      throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type handlers.jsonPatchOp');
    perform(draft, operation);
  }
  // An object to which operations on its fields were done is one still; the server checks its identity.
  return draft as KubeObject;
}

function perform(draft: Container, operation: Record<string, unknown>): void {
  const { op, value } = operation;
  const path = text(operation['path']);
  switch (op) {
    case 'add':
      add(draft, path, value);
      return;
    case 'remove':
      remove(draft, path);
      return;
    case 'replace':
      replace(draft, path, value);
      return;
    case 'move': {
      const moved = remove(draft, text(operation['from']));
      add(draft, path, moved);
      return;
    }
    case 'copy':
      add(draft, path, copyJson(read(draft, text(operation['from']))));
      return;
    case 'test':
      check(draft, path, value);
      return;
    default:
      throw unfit(`Unexpected kind: ${String(op)}`);
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw unfit('missing path');
  return value;
}

const unescape = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

/** The container of a path and the key in it. */
function locate(draft: Container, path: string): { container: Container; key: string } {
  const [first, ...parts] = path.split('/');
  const last = parts.pop();
  if (first !== '' || last === undefined) throw unfit(`doc is missing path: ${path}`);
  let container = draft;
  for (const part of parts) {
    const next: unknown = get(container, unescape(part));
    if (!isContainer(next)) throw unfit(`doc is missing path: ${path}`);
    container = next;
  }
  return { container, key: unescape(last) };
}

function get(container: Container, key: string): unknown {
  return Array.isArray(container) ? container[indexOf(key, container.length - 1)] : container[key];
}

/** An index into a list; negative ones count from its end. */
function indexOf(key: string, last: number): number {
  const index = /^-?\d+$/.test(key) ? Number(key) : Number.NaN;
  const position = index < 0 ? index + last + 1 : index;
  if (!(position >= 0 && position <= last)) throw unfit(`Unable to access invalid index: ${key}`);
  return position;
}

function add(draft: Container, path: string, value: unknown): void {
  const { container, key } = locate(draft, path);
  const copy: unknown = copyJson(value ?? null);
  if (!Array.isArray(container)) container[key] = copy;
  else if (key === '-') container.push(copy);
  else container.splice(indexOf(key, container.length), 0, copy);
}

function remove(draft: Container, path: string): unknown {
  const { container, key } = locate(draft, path);
  if (Array.isArray(container)) return container.splice(indexOf(key, container.length - 1), 1)[0];
  if (!Object.hasOwn(container, key)) throw unfit(`Unable to remove nonexistent key: ${key}`);
  const removed = container[key];
  Reflect.deleteProperty(container, key);
  return removed;
}

function read(draft: Container, path: string): unknown {
  const { container, key } = locate(draft, path);
  const found = get(container, key);
  if (found === undefined) throw unfit(`doc is missing key: ${path}`);
  return found;
}

function replace(draft: Container, path: string, value: unknown): void {
  const { container, key } = locate(draft, path);
  const copy: unknown = copyJson(value ?? null);
  if (Array.isArray(container)) container[indexOf(key, container.length - 1)] = copy;
  // Replacing what is not there adds it: the API server is that lenient with objects.
  else container[key] = copy;
}

function check(draft: Container, path: string, value: unknown): void {
  const { container, key } = locate(draft, path);
  if (!sameJson(get(container, key) ?? null, value ?? null)) throw unfit(`testing value ${path} failed`);
}
