/** What a caller does with an error: `retry` tells the queue, `http` the API server, `exit` the command line. */
export type ErrorPolicy = Readonly<{
  /** `never`: the input is wrong until somebody changes it; `on-change`: try again when the input changes; `backoff`: passing. */
  retry: 'never' | 'on-change' | 'backoff';
  http: number;
  exit: number;
}>;

/** Every error that a user can meet, by code. Codes are `stage/what`; the reference page is generated from this table. */
export const errorCatalogue = {
  'api/invalid-object': { retry: 'on-change', http: 422, exit: 20 },
  'api/invalid-json': { retry: 'on-change', http: 400, exit: 20 },
  'api/invalid-yaml': { retry: 'on-change', http: 422, exit: 20 },
  'api/too-large': { retry: 'on-change', http: 413, exit: 20 },
  'cli/aborted': { retry: 'never', http: 400, exit: 20 },
  'cli/timeout': { retry: 'never', http: 504, exit: 20 },
  'cli/usage': { retry: 'never', http: 400, exit: 1 },
  'config/invalid': { retry: 'on-change', http: 422, exit: 20 },
  'git/authentication': { retry: 'backoff', http: 422, exit: 20 },
  'git/hostile-repository': { retry: 'on-change', http: 422, exit: 20 },
  'git/path-not-found': { retry: 'on-change', http: 422, exit: 20 },
  'git/path-outside': { retry: 'on-change', http: 422, exit: 20 },
  'git/revision-not-found': { retry: 'on-change', http: 422, exit: 20 },
  'git/timeout': { retry: 'backoff', http: 504, exit: 20 },
  'git/too-large': { retry: 'on-change', http: 422, exit: 20 },
  'git/unreachable': { retry: 'backoff', http: 502, exit: 20 },
  'git/url-invalid': { retry: 'on-change', http: 422, exit: 20 },
  'kube/already-exists': { retry: 'backoff', http: 409, exit: 20 },
  'kube/conflict': { retry: 'backoff', http: 409, exit: 20 },
  'kube/exec-failed': { retry: 'backoff', http: 502, exit: 20 },
  'kube/expired': { retry: 'backoff', http: 410, exit: 20 },
  'kube/forbidden': { retry: 'backoff', http: 403, exit: 20 },
  'kube/invalid': { retry: 'on-change', http: 422, exit: 20 },
  'kube/kind-not-found': { retry: 'backoff', http: 404, exit: 20 },
  'kube/not-found': { retry: 'backoff', http: 404, exit: 20 },
  'kube/server-error': { retry: 'backoff', http: 502, exit: 20 },
  'kube/timeout': { retry: 'backoff', http: 504, exit: 20 },
  'kube/too-large': { retry: 'backoff', http: 502, exit: 20 },
  'kube/too-many-requests': { retry: 'backoff', http: 429, exit: 20 },
  'kube/unauthorized': { retry: 'backoff', http: 401, exit: 20 },
  'kube/unreachable': { retry: 'backoff', http: 502, exit: 20 },
  'kubeconfig/invalid': { retry: 'never', http: 500, exit: 20 },
  'language/invalid': { retry: 'on-change', http: 422, exit: 20 },
  'operation/conflict': { retry: 'never', http: 409, exit: 20 },
  'operation/not-found': { retry: 'never', http: 404, exit: 20 },
  'operation/refused': { retry: 'never', http: 412, exit: 20 },
  'operation/timeout': { retry: 'never', http: 504, exit: 20 },
  'render/duplicate-tool': { retry: 'on-change', http: 422, exit: 20 },
  'render/failed': { retry: 'on-change', http: 422, exit: 20 },
  'render/invalid-manifest': { retry: 'on-change', http: 422, exit: 20 },
  'render/output-too-large': { retry: 'on-change', http: 422, exit: 20 },
  'render/path-outside': { retry: 'on-change', http: 422, exit: 20 },
  'render/timeout': { retry: 'backoff', http: 504, exit: 20 },
  'render/tool-missing': { retry: 'backoff', http: 500, exit: 20 },
  'render/unknown-variable': { retry: 'on-change', http: 422, exit: 20 },
  'render/unsupported': { retry: 'on-change', http: 422, exit: 20 },
  'render/value-file-missing': { retry: 'on-change', http: 422, exit: 20 },
  'render/values-not-a-map': { retry: 'on-change', http: 422, exit: 20 },
  'sync/apply-failed': { retry: 'backoff', http: 422, exit: 20 },
  'sync/not-ours': { retry: 'never', http: 409, exit: 20 },
  'sync/not-owner': { retry: 'backoff', http: 409, exit: 20 },
  'sync/read-only': { retry: 'on-change', http: 403, exit: 20 },
} as const satisfies Record<string, ErrorPolicy>;

/** The code of an error. */
export type ErrorCode = keyof typeof errorCatalogue;

/** An error that a user can meet. The message names the object, the cause and, where one is known, the fix; never a secret. */
export class CodedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
  }

  /** The catalogue's row for this error. */
  get policy(): ErrorPolicy {
    return errorCatalogue[this.code];
  }
}

/** Whether an error carries one of the codes (any code when none is named). */
export const isCoded = (error: unknown, ...codes: readonly ErrorCode[]): error is CodedError =>
  error instanceof CodedError && (codes.length === 0 || codes.includes(error.code));

/** The text of anything thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
