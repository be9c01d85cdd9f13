import { stringifyJson } from '@tiphys/api';
import { invalid as invalidFields, StatusError, type StatusCause } from '../schema/status-error.ts';
import type { FieldError, ResourceType } from '../schema/types.ts';

/** The `details` of a Status. */
export type StatusDetails = Readonly<{
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  retryAfterSeconds?: number;
}>;

/** A request that the server refuses, with the details that clients read. */
export class Refusal extends StatusError {
  readonly details: StatusDetails | undefined;

  constructor(
    answer: Readonly<{
      code: number;
      reason: string;
      message: string;
      causes?: readonly StatusCause[];
      details?: StatusDetails;
    }>,
  ) {
    super(answer);
    this.name = 'Refusal';
    this.details = answer.details;
  }
}

type Resource = Pick<ResourceType, 'group' | 'plural'>;

/** `deployments.apps`, or `pods` for the core group: how messages and the store name a resource. */
export const resourceText = ({ group, plural }: Resource): string => (group === '' ? plural : `${plural}.${group}`);

const detailsOf = ({ group, plural }: Resource, name: string): StatusDetails => ({
  ...(name !== '' && { name }),
  ...(group !== '' && { group }),
  kind: plural,
});

const about = (resource: Resource, name: string): string =>
  name === '' ? resourceText(resource) : `${resourceText(resource)} ${JSON.stringify(name)}`;

export const notFound = (resource: Resource, name: string): Refusal =>
  new Refusal({
    code: 404,
    reason: 'NotFound',
    message: `${about(resource, name)} not found`,
    details: detailsOf(resource, name),
  });

/** 422 Invalid with one cause per field. */
export function invalid(
  type: Pick<ResourceType, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): Refusal {
  const { code, reason, message, causes } = invalidFields(type, name, errors);
  const { group, kind } = type;
  return new Refusal({
    code,
    reason,
    message,
    causes,
    details: { ...(name !== '' && { name }), ...(group !== '' && { group }), kind },
  });
}

/** One field error in the API server's words. */
export const fieldError = (path: string, reason: FieldError['reason'], detail: string): FieldError => ({
  path,
  reason,
  detail,
  message: `${path}: ${detail}`,
});

/** Options of a request that are wrong. */
export const invalidOptions = (kind: string, error: FieldError): Refusal =>
  invalid({ group: 'meta.k8s.io', kind }, '', [error]);

/** A patched object that cannot be decoded. */
export const invalidPatch = (object: unknown, why: string): Refusal => {
  const detail = `Invalid value: ${JSON.stringify(stringifyJson(object))}: ${why}`;
  return new Refusal({
    code: 422,
    reason: 'Invalid',
    message: ` "" is invalid: patch: ${detail}`,
    causes: [{ reason: 'FieldValueInvalid', message: detail, field: 'patch' }],
    details: {},
  });
};

/** The path itself is not served. */
export const pathNotFound = (): Refusal =>
  new Refusal({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

export const alreadyExists = (resource: Resource, name: string, onItsWayOut = false): Refusal =>
  new Refusal({
    code: 409,
    reason: 'AlreadyExists',
    message: `${onItsWayOut ? 'object is being deleted: ' : ''}${about(resource, name)} already exists`,
    details: detailsOf(resource, name),
  });

export const conflict = (resource: Resource, name: string, why: string): Refusal =>
  new Refusal({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${about(resource, name)}: ${why}`,
    details: detailsOf(resource, name),
  });

/** A namespaced resource was asked for outside of any namespace. */
export const notHere = (): Refusal =>
  new Refusal({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

/** Another write came in between. */
export const modified = (resource: Resource, name: string): Refusal =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const applyConflict = (message: string, causes: readonly StatusCause[]): Refusal =>
  new Refusal({ code: 409, reason: 'Conflict', message, causes, details: {} });

export const forbidden = (
  resource: Resource,
  name: string,
  refusal: Readonly<{ why: string; causes?: readonly StatusCause[] }>,
): Refusal =>
  new Refusal({
    code: 403,
    reason: 'Forbidden',
    message: `${about(resource, name)} is forbidden: ${refusal.why}`,
    details: detailsOf(resource, name),
    ...(refusal.causes !== undefined && { causes: refusal.causes }),
  });

export const unauthorized = (): Refusal => new Refusal({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

export const methodNotAllowed = (resource: Resource, action: string): Refusal =>
  new Refusal({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${action} is not supported on resources of kind ${JSON.stringify(resourceText(resource))}`,
    details: detailsOf(resource, ''),
  });

/** A resourceVersion, or a continue token, that is older than the history. */
export const expired = (message: string): Refusal => new Refusal({ code: 410, reason: 'Expired', message });

export const tooOld = (wanted: number, current: number): Refusal =>
  expired(`too old resource version: ${wanted} (${current})`);

export const notAcceptable = (): Refusal =>
  new Refusal({
    code: 406,
    reason: 'NotAcceptable',
    message: '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml',
    details: {},
  });

/** A PATCH of a kind that does not exist. */
export const unsupportedPatch = (): Refusal =>
  new Refusal({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} });

export const unsupportedMediaType = (accepted: readonly string[]): Refusal =>
  new Refusal({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });

export const tooLarge = (limitBytes: number): Refusal =>
  new Refusal({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${limitBytes}`,
  });

/** The body of a Status for anything that was refused. */
export function statusBody(error: StatusError): Record<string, unknown> {
  const details = error instanceof Refusal ? error.details : undefined;
  const causes = error.causes.map((cause) => ({
    ...(cause.reason !== '' && { reason: cause.reason }),
    message: cause.message,
    ...(cause.field !== undefined && { field: cause.field }),
  }));
  const withDetails = details !== undefined || causes.length > 0;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason !== '' && { reason: error.reason }),
    ...(withDetails && { details: { ...details, ...(causes.length > 0 && { causes }) } }),
    code: error.code,
  };
}
