import type { Clock, GroupKind, GroupVersionKind, KubeObject, Logger } from '@tiphys/api';
import type { ExecCredentials } from './credentials.ts';

/** One served resource type, as discovery tells it. */
export type ApiResource = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced: boolean;
  verbs: readonly string[];
  shortNames: readonly string[];
  categories: readonly string[];
  /** Names without the resource's own: `status`, `scale`. */
  subresources: readonly string[];
  /** Whether this is the version that the server prefers for the kind. */
  preferred: boolean;
}>;

/** What a server serves, at one moment. */
export type Discovery = Readonly<{
  resources: readonly ApiResource[];
  find: (gvk: GroupVersionKind) => ApiResource | undefined;
  /** The preferred version of a kind. */
  byGroupKind: (gk: GroupKind) => ApiResource | undefined;
  /** By plural, singular, short name or kind, each with or without `.group` (`deploy`, `deployments.apps`); case is ignored. */
  byName: (text: string) => ApiResource | undefined;
  /** `group/version` of what the server lists but could not describe (an aggregated API whose backend is down). */
  failedGroups: readonly string[];
}>;

/** One object; its resource is found through discovery. `namespace` is ignored for cluster-scoped kinds. */
export type ObjectRef = Readonly<{ gvk: GroupVersionKind; namespace?: string | undefined; name: string }>;

export type CallOptions = Readonly<{
  signal?: AbortSignal | undefined;
  /** Deadline of the whole call, retries included; the client's `timeoutMs` (30 s) when absent. */
  timeoutMs?: number | undefined;
}>;

export type WriteOptions = CallOptions &
  Readonly<{
    dryRun?: boolean | undefined;
    fieldManager?: string | undefined;
    fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
    /** `Warning` headers of the answer, one text each (deprecated versions, unknown fields under `Warn`). */
    onWarning?: ((text: string) => void) | undefined;
  }>;

/** What to list or watch of a resource. */
export type Scope = Readonly<{
  /** One namespace; all when absent. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Only apiVersion, kind and metadata of each object. */
  metadataOnly?: boolean | undefined;
}>;

export type ListOptions = CallOptions &
  Scope &
  Readonly<{
    /** Leaves `metadata.managedFields` out of the objects, which is often half of them; for kinds with no other field of that name. */
    withoutManagedFields?: boolean | undefined;
    /** Objects per request; 500 when absent, 0 for all in one answer. */
    pageSize?: number | undefined;
  }>;

export type WatchOptions = Scope &
  Readonly<{
    /** Where to start: a resourceVersion of a list or an earlier event. */
    resourceVersion: string;
    signal?: AbortSignal | undefined;
    /** How long the server shall keep the stream; 5 to 10 minutes, drawn at random, when absent. */
    timeoutSeconds?: number | undefined;
    /** The server has accepted the watch; events follow. */
    onOpen?: (() => void) | undefined;
  }>;

/** One event of a watch. `object` has its apiVersion and kind filled in. */
export type WatchEvent = Readonly<
  | { type: 'added' | 'modified' | 'deleted'; object: KubeObject; resourceVersion: string }
  | { type: 'bookmark'; resourceVersion: string }
>;

/** `merge`: RFC 7386; `json`: RFC 6902; `strategic`: by the built-in kinds' merge keys; `apply`: server-side apply. */
export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

export type Patch = Readonly<{
  type: PatchType;
  body: unknown;
  /** `apply` only: take the fields that others own. */
  force?: boolean | undefined;
  subresource?: string | undefined;
}>;

export type ApplyOptions = WriteOptions &
  Readonly<{ fieldManager: string; force?: boolean | undefined; subresource?: string | undefined }>;

export type DeleteOptions = CallOptions &
  Readonly<{
    propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
    gracePeriodSeconds?: number | undefined;
    preconditions?: Readonly<{ uid?: string | undefined; resourceVersion?: string | undefined }> | undefined;
    dryRun?: boolean | undefined;
  }>;

/** `deleting`: it is marked and waits for finalizers or its grace period. */
export type DeleteOutcome = 'deleted' | 'deleting' | 'absent';

export type RawRequest = CallOptions &
  Readonly<{
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    /** Absolute path on the server, already escaped. */
    path: string;
    query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    body?: string | Uint8Array | undefined;
    maxResponseBytes?: number | undefined;
  }>;

export type RawResponse = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}>;

/**
 * One Kubernetes API server, over one HTTP/2 connection (HTTP/1.1 where it offers no other).
 * Every call has a deadline and a response limit, counts against the cluster's rate and concurrency limits, waits and tries
 * again on 429, and rejects with a KubeError (a CodedError `kube/*`).
 */
export interface KubeClient extends AsyncDisposable {
  readonly server: string;
  /** Namespace of the kubeconfig's context; `default` when it names none. */
  readonly namespace: string;
  version(options?: CallOptions): Promise<{ gitVersion: string; major: string; minor: string }>;
  /** Cached; read again when a kind is missed (at most once in `discoveryMissMs`) or when `fresh` asks for it. */
  discovery(options?: CallOptions & { readonly fresh?: boolean }): Promise<Discovery>;
  /** The resource that serves a kind. @throws KubeError kube/kind-not-found after one fresh look */
  resourceFor(gvk: GroupVersionKind, options?: CallOptions): Promise<ApiResource>;
  /** Undefined when the object is not there. @throws KubeError kube/kind-not-found when its kind is nowhere */
  get(
    ref: ObjectRef,
    options?: CallOptions & { readonly subresource?: string; readonly metadataOnly?: boolean },
  ): Promise<KubeObject | undefined>;
  list(resource: ApiResource, options?: ListOptions): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  /** Lists page by page and hands each object over as soon as it is decoded; keeps none. Resolves to the list's resourceVersion. */
  listEach(
    resource: ApiResource,
    options: ListOptions,
    visit: (object: KubeObject) => void,
  ): Promise<{ resourceVersion: string; count: number }>;
  /**
   * One watch stream. Ends when the server ends it; go on from the last event's resourceVersion.
   * @throws KubeError kube/expired when that version is too old, kube/timeout when the link has been silent for `watchIdleMs`
   */
  watch(resource: ApiResource, options: WatchOptions): AsyncIterable<WatchEvent>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  replace(object: KubeObject, options?: WriteOptions & { readonly subresource?: string }): Promise<KubeObject>;
  patch(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. @throws KubeError kube/conflict, whose `causes` name field and owner, unless `force` */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<DeleteOutcome>;
  /** One raw call: any status is an answer, not an error. For what the methods above do not cover. */
  request(request: RawRequest): Promise<RawResponse>;
  /** Bytes of a long answer as they come (pod logs); a status from 400 on is an error. */
  stream(request: Pick<RawRequest, 'path' | 'query' | 'signal' | 'headers'>): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** How to reach one cluster, and as whom. Plain data; secrets are in it, so it is never logged. */
export type ClusterConfig = Readonly<{
  /** What people call it: the context, or the cluster Secret's name. */
  name: string;
  /** URL of the API server. */
  server: string;
  /** Default namespace. */
  namespace?: string | undefined;
  /** PEM of the authorities that may sign the server's certificate; the system's when absent. */
  ca?: string | undefined;
  /** No check of the server's certificate. */
  insecure?: boolean | undefined;
  /** Name to ask for and to check instead of the URL's host. */
  tlsServerName?: string | undefined;
  /** HTTP proxy to tunnel through. */
  proxyUrl?: string | undefined;
  /** Answers come as they are: saves CPU time of both sides where the way between them is fast. */
  disableCompression?: boolean | undefined;
  clientCertificate?: Readonly<{ cert: string; key: string }> | undefined;
  credentials: Credentials;
  impersonate?:
    Readonly<{ user: string; groups?: readonly string[] | undefined; uid?: string | undefined }> | undefined;
}>;

/** What is sent as Authorization. Client certificates are apart: both may be given. */
export type Credentials = Readonly<
  | { kind: 'none' }
  | { kind: 'token'; token: string }
  /** Read again every minute and after 401: service-account tokens are rotated in place. */
  | { kind: 'token-file'; path: string }
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'exec'; exec: ExecCredentials }
>;

export type ClientSettings = Readonly<{
  /** Calls per second that a long burst is held to (50); watches count once, when opened. */
  qps: number;
  /** Calls that may go at once before `qps` holds them (100). */
  burst: number;
  /** Calls in flight, watches not counted (64). */
  maxInFlight: number;
  /** Deadline of a call that names none (30,000). */
  timeoutMs: number;
  /** Largest answer of a call; for lists, of one page (256 MiB). */
  maxResponseBytes: number;
  /** A watch without a byte for so long is taken for dead (120,000). */
  watchIdleMs: number;
  /** Shortest time between two readings of discovery because a kind was missed (1,000). */
  discoveryMissMs: number;
  /**
   * How many calls are expected (`many`). With `few` a call that is alone goes over HTTP/1.1, whose connection is cheaper to open:
   * for a program that asks a few things and ends.
   */
  calls: 'few' | 'many';
  userAgent: string;
  /** Environment of exec credential plugins, PATH included; nothing is inherited. */
  execEnvironment: Readonly<Record<string, string>>;
  /** Which exec plugins may run; all when absent. */
  execAllowed?: ((command: string) => boolean) | undefined;
}>;

export type ClientPorts = Readonly<{ log: Logger; clock: Clock }>;
