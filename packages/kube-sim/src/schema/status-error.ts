import type { FieldError, ResourceType } from './types.ts';

/** A cause of a Status (metav1.StatusCause). */
export type StatusCause = Readonly<{ reason: string; message: string; field?: string }>;

/** A request that the server refuses: the answer's HTTP code, `reason`, `message` and causes of its Status. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];

  constructor(
    answer: Readonly<{ code: number; reason: string; message: string; causes?: readonly StatusCause[] }>,
    options?: ErrorOptions,
  ) {
    super(answer.message, options);
    this.name = 'StatusError';
    this.code = answer.code;
    this.reason = answer.reason;
    this.causes = answer.causes ?? [];
  }
}

/** 400 BadRequest. */
export const badRequest = (message: string): StatusError =>
  new StatusError({ code: 400, reason: 'BadRequest', message });

/** 422 Invalid with one cause per field error, worded as the API server words it. */
export function invalid(
  type: Pick<ResourceType, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const qualified = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  // The API server lists equal texts once.
  const texts = [...new Set(errors.map((error) => error.message))];
  const list = texts.length === 1 ? texts.join('') : `[${texts.join(', ')}]`;
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${qualified} ${JSON.stringify(name)} is invalid: ${list}`,
    causes: errors.map((error) => ({ reason: error.reason, message: error.detail, field: error.path })),
  });
}
