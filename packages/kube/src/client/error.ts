import { CodedError, type ErrorCode } from '@tiphys/api';

/** One cause in a Status: for an apply conflict the field and, in the message, its owner. */
export type StatusCause = Readonly<{ field?: string; message?: string; reason?: string }>;

/** What the API server said about a failed call. */
export type StatusDetail = Readonly<{
  /** HTTP status; 0 when there was no answer. */
  status: number;
  /** Status.reason (`AlreadyExists`, `Invalid`); empty when there was no Status. */
  reason: string;
  causes: readonly StatusCause[];
  retryAfterMs?: number | undefined;
  /** Whether the Status is about a named object; a 404 that is not says that the path itself is not served. */
  namesObject?: boolean | undefined;
}>;

/** A call to a Kubernetes API server that failed. */
export class KubeError extends CodedError {
  readonly detail: StatusDetail;

  constructor(code: ErrorCode, message: string, detail: StatusDetail & { cause?: unknown }) {
    super(code, message, { cause: detail.cause });
    this.name = 'KubeError';
    this.detail = detail;
  }
}
