import {
  isRecord,
  listAt,
  messageOf,
  numberAt,
  openSecretFields,
  parseJson,
  stringAt,
  type ErrorCode,
} from '@tiphys/api';
import { KubeError, type StatusCause } from './error.ts';

/** What an answer's body said when it was a metav1.Status. */
export type Status = Readonly<{
  code: number;
  reason: string;
  message: string;
  causes: readonly StatusCause[];
  /** Whether it is about one named object: a 404 without a name means that the path itself is not served. */
  namesObject: boolean;
  retryAfterSeconds: number | undefined;
}>;

const byReason: Readonly<Record<string, ErrorCode>> = {
  AlreadyExists: 'kube/already-exists',
  Conflict: 'kube/conflict',
  Expired: 'kube/expired',
  Forbidden: 'kube/forbidden',
  Gone: 'kube/expired',
  Invalid: 'kube/invalid',
  BadRequest: 'kube/invalid',
  NotFound: 'kube/not-found',
  MethodNotAllowed: 'kube/invalid',
  UnsupportedMediaType: 'kube/invalid',
  RequestEntityTooLarge: 'kube/object-too-large',
  Unauthorized: 'kube/unauthorized',
  TooManyRequests: 'kube/too-many-requests',
  Timeout: 'kube/timeout',
  ServerTimeout: 'kube/timeout',
};

const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'kube/invalid',
  401: 'kube/unauthorized',
  403: 'kube/forbidden',
  404: 'kube/not-found',
  405: 'kube/invalid',
  409: 'kube/conflict',
  410: 'kube/expired',
  413: 'kube/object-too-large',
  415: 'kube/invalid',
  422: 'kube/invalid',
  429: 'kube/too-many-requests',
  504: 'kube/timeout',
};

const readCause = (cause: unknown): StatusCause => {
  const [field, message, reason] = [stringAt(cause, 'field'), stringAt(cause, 'message'), stringAt(cause, 'reason')];
  return {
    ...(field === undefined ? {} : { field }),
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
  };
};

/** Reads a Status; undefined when the value is none. */
export function asStatus(value: unknown): Status | undefined {
  if (!isRecord(value) || value['kind'] !== 'Status') return undefined;
  return {
    code: numberAt(value, 'code') ?? 0,
    reason: stringAt(value, 'reason') ?? '',
    message: stringAt(value, 'message') ?? '',
    causes: listAt(value, 'details', 'causes').map(readCause),
    namesObject: stringAt(value, 'details', 'name') !== undefined,
    retryAfterSeconds: numberAt(value, 'details', 'retryAfterSeconds'),
  };
}

/** Reads the body of an answer as a Status; a plain text becomes the message. */
export function readStatus(httpStatus: number, body: Buffer): Status {
  const text = body.subarray(0, 65_536).toString();
  const empty = { code: httpStatus, reason: '', causes: [], namesObject: false, retryAfterSeconds: undefined };
  try {
    const status = asStatus(parseJson(body.toString()));
    if (status !== undefined) return status.message === '' ? { ...status, message: `HTTP ${httpStatus}` } : status;
  } catch {
    // Not JSON: proxies and the path router answer in text.
  }
  const line = text.trim().split('\n', 1)[0] ?? '';
  return { ...empty, message: line === '' || line.startsWith('<') ? `HTTP ${httpStatus}` : line.slice(0, 300) };
}

/** The texts, numbers and truth values within a value, as they are written. */
const scalarsOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(scalarsOf) : [String(value)];

/** Values of a Secret that was sent: they must not come back in an error text. */
function secretValues(body: unknown): string[] {
  if (!isRecord(body) || (body['kind'] !== undefined && body['kind'] !== 'Secret')) return [];
  return Object.entries(body)
    .filter(([field]) => !openSecretFields.has(field))
    .flatMap(([, value]) => scalarsOf(value))
    .flatMap((value) => [value, Buffer.from(value, 'base64').toString(), Buffer.from(value).toString('base64')])
    .filter((value) => value.length >= 3)
    .sort((a, b) => b.length - a.length);
}

const invalidValue = /Invalid value: ("(?:[^"\\]|\\.)*"|\{.*?\}|map\[.*?\]|\[.*?\])(?=:|$)/gs;
/** How the server-side apply of the API server shows a value of another type than the schema has. */
const untypedValue = /&?value\.valueUnstructured\{.*$/s;
/** A longer value is a whole object, which says nothing that its manifest does not. */
const maxValueLength = 200;

/** What a field was told to be invalid with, without the pages of it that a status cannot hold. */
const shortened = (message: string): string =>
  message
    .replace(/^\s*"" is invalid: patch: Invalid value: (?:"(?:[^"\\]|\\.)*"|\*\*\*): /s, 'the object cannot be read: ')
    .replace(invalidValue, (whole, value: string) =>
      value.length <= maxValueLength ? whole : `Invalid value: ${value.slice(0, maxValueLength / 2)}...`,
    );

/**
 * A server's message without what was sent to it: its decoders quote the body around the place of an error, and validation
 * quotes values, which for a Secret are the secret.
 */
export function withoutSecrets(message: string, sent: { plural: string; body: unknown } | undefined): string {
  const text = message.replace(/error found in #\d+ byte of [\s\S]*$/, 'error in the body');
  if (sent?.plural !== 'secrets') return shortened(text);
  const clean = secretValues(sent.body).reduce((known, value) => known.replaceAll(value, '***'), text);
  return shortened(clean.replace(untypedValue, '***').replace(invalidValue, 'Invalid value: ***'));
}

export type CallName = Readonly<{
  /** `GET apps/Deployment shop/web`: what failed, for people. */
  what: string;
  sent?: { plural: string; body: unknown } | undefined;
}>;

/** What etcd, and its client in the API server, say of an object that is too large; the API server passes it on as its own failure. */
const tooLargeForEtcd = /etcdserver: request is too large|trying to send message larger than max/;

/** The error for an answer with a status from 400 on. */
export function errorOfStatus(httpStatus: number, status: Status, call: CallName): KubeError {
  const other = httpStatus >= 500 ? 'kube/server-error' : 'kube/invalid';
  const code = tooLargeForEtcd.test(status.message)
    ? 'kube/object-too-large'
    : (byReason[status.reason] ?? byStatus[httpStatus] ?? other);
  const clean = (text: string): string => withoutSecrets(text, call.sent);
  const causes = status.causes.map((cause) =>
    cause.message === undefined ? cause : { ...cause, message: clean(cause.message) },
  );
  return new KubeError(code, `${call.what}: ${clean(status.message)}`, {
    status: httpStatus,
    reason: status.reason,
    namesObject: status.namesObject,
    causes,
    retryAfterMs: status.retryAfterSeconds === undefined ? undefined : status.retryAfterSeconds * 1000,
  });
}

const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The system's code of an error, through wrappers: `ECONNREFUSED`. */
export function systemCode(error: unknown): string | undefined {
  let here = error;
  let code: string | undefined;
  for (let depth = 0; depth < 4 && here instanceof Error; depth += 1) {
    if ('code' in here && typeof here.code === 'string') code = here.code;
    if (here instanceof AggregateError && here.errors.length > 0) here = here.errors[0];
    else here = here.cause;
  }
  return code;
}

/** The error for a call that got no answer. */
export function errorOfLink(error: unknown, server: string, call: CallName): KubeError {
  const code = systemCode(error);
  const untrusted = code !== undefined && certificateCodes.has(code);
  const why = untrusted ? `the server's certificate is not accepted (${messageOf(error)})` : messageOf(error);
  const said = why === '' ? (code ?? 'no answer') : why;
  return new KubeError('kube/unreachable', `${call.what}: ${server}: ${said}`, {
    status: 0,
    reason: code ?? '',
    causes: [],
    cause: error,
  });
}
