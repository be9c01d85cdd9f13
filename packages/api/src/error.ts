/** What a caller does with an error: `retry` tells the queue, `http` the API server, `exit` the command line. */
export type ErrorPolicy = Readonly<{
  /** `never`: the input is wrong until somebody changes it; `on-change`: try again when the input changes; `backoff`: passing. */
  retry: 'never' | 'on-change' | 'backoff';
  http: number;
  exit: number;
  /** What has happened, in one sentence. */
  meaning: string;
  /** What to do about it, in one sentence. */
  remedy: string;
}>;

/** Every error that a user can meet, by code. Codes are `stage/what`; the reference page is generated from this table. */
export const errorCatalogue = {
  'api/invalid-object': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'An object does not have the form that its kind asks for.',
    remedy: 'Correct the field at the path that the message gives.',
  },
  'api/invalid-json': {
    retry: 'on-change',
    http: 400,
    exit: 20,
    meaning: 'A text that should be JSON is not.',
    remedy: 'Correct it at the place that the message gives.',
  },
  'api/invalid-yaml': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A text that should be YAML is not.',
    remedy: 'Correct it at the line that the message gives.',
  },
  'api/too-large': {
    retry: 'on-change',
    http: 413,
    exit: 20,
    meaning: 'An input is larger than what is accepted.',
    remedy: 'Split it, or leave out what is not needed.',
  },
  'cli/aborted': {
    retry: 'never',
    http: 400,
    exit: 20,
    meaning: 'A question was not answered with yes, or the command was interrupted.',
    remedy: 'Run it again, with --yes where nobody can answer.',
  },
  'cli/timeout': {
    retry: 'never',
    http: 504,
    exit: 20,
    meaning: 'A command did not reach its end in the time it was given.',
    remedy: 'Look at what it waited for, or give it a longer --timeout.',
  },
  'cli/usage': {
    retry: 'never',
    http: 400,
    exit: 1,
    meaning: 'The command line is wrong: a flag, a value, or two that exclude each other.',
    remedy: 'Run the command with --help and correct it.',
  },
  'config/invalid': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A setting of the installation or of a registered cluster cannot be used.',
    remedy: 'Correct the key that the message names.',
  },
  'git/authentication': {
    retry: 'backoff',
    http: 422,
    exit: 20,
    meaning: 'The Git server refuses the credentials, or knows of none.',
    remedy: 'Register the repository with credentials that may read it: repo add --upsert.',
  },
  'git/hostile-repository': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning:
      'The repository holds something that is not read for safety: a broken object, a strange name, a submodule.',
    remedy: 'Take what the message names out of the repository.',
  },
  'git/path-not-found': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The path is not in the repository at that commit.',
    remedy: 'Correct source.path, or commit the folder.',
  },
  'git/path-outside': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A link in the repository leads out of it or in a circle.',
    remedy: 'Replace the link by the file itself.',
  },
  'git/revision-not-found': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The repository has no such branch, tag, commit, or version in the range.',
    remedy: 'Correct targetRevision, or push what it names.',
  },
  'git/timeout': {
    retry: 'backoff',
    http: 504,
    exit: 20,
    meaning: 'Git did not answer in time.',
    remedy: 'It is tried again; if it stays, look at the server, the network and the proxy.',
  },
  'git/too-large': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The repository or the files needed of it are beyond the limits.',
    remedy: 'Point to a smaller folder, or take large files out of the history.',
  },
  'git/unreachable': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'The Git server cannot be reached, or git cannot be started.',
    remedy: 'Check the URL, the network and the proxy.',
  },
  'git/url-invalid': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The text is no URL of a repository, or of a kind that is not allowed.',
    remedy: 'Write https://host/path, git@host:path or file:///path.',
  },
  'kube/already-exists': {
    retry: 'backoff',
    http: 409,
    exit: 20,
    meaning: 'An object of that name is there already.',
    remedy: 'Take another name, or change the object that is there.',
  },
  'kube/conflict': {
    retry: 'backoff',
    http: 409,
    exit: 20,
    meaning: 'Somebody else changed the object meanwhile, or owns the field.',
    remedy: 'It is tried again; for a field, agree on one owner.',
  },
  'kube/exec-failed': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'The credential plugin of the kubeconfig failed.',
    remedy: 'Run the plugin by hand, and install or log in as it says.',
  },
  'kube/expired': {
    retry: 'backoff',
    http: 410,
    exit: 20,
    meaning: 'The server has forgotten the version from which a list or watch was to go on.',
    remedy: 'Nothing: it is read anew.',
  },
  'kube/forbidden': {
    retry: 'backoff',
    http: 403,
    exit: 20,
    meaning: 'The cluster does not allow this to the identity that asks.',
    remedy: 'Grant the verb and resource that the message names.',
  },
  'kube/invalid': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The API server refuses the object or the request.',
    remedy: 'Correct the field that the message names.',
  },
  'kube/kind-not-found': {
    retry: 'backoff',
    http: 404,
    exit: 20,
    meaning: 'The cluster does not serve this kind.',
    remedy: 'Install its CustomResourceDefinition, or correct apiVersion and kind.',
  },
  'kube/not-found': {
    retry: 'backoff',
    http: 404,
    exit: 20,
    meaning: 'There is no such object in the cluster.',
    remedy: 'Check name and namespace.',
  },
  'kube/object-too-large': {
    retry: 'on-change',
    http: 413,
    exit: 20,
    meaning: 'The object is larger than the cluster stores.',
    remedy: 'Split it; etcd takes 1.5 MiB in one request unless it is configured otherwise.',
  },
  'kube/server-error': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'The API server failed.',
    remedy: 'It is tried again; if it stays, read the logs of the API server.',
  },
  'kube/timeout': {
    retry: 'backoff',
    http: 504,
    exit: 20,
    meaning: 'The API server did not answer in time.',
    remedy: 'It is tried again; if it stays, look at its load and at the network.',
  },
  'kube/too-large': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'An answer of the API server is beyond the limit.',
    remedy: 'Ask for less: one namespace, labels.',
  },
  'kube/too-many-requests': {
    retry: 'backoff',
    http: 429,
    exit: 20,
    meaning: 'The API server asks for fewer requests.',
    remedy: 'It is tried again after the pause that the server names.',
  },
  'kube/unauthorized': {
    retry: 'backoff',
    http: 401,
    exit: 20,
    meaning: 'The cluster does not know the identity that asks.',
    remedy: 'Renew the token, certificate or login of the kubeconfig or cluster Secret.',
  },
  'kube/unreachable': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'The API server cannot be reached, or its certificate is not trusted.',
    remedy: 'Check server, certificate authority, network and proxy of the connection.',
  },
  'kubeconfig/invalid': {
    retry: 'never',
    http: 500,
    exit: 20,
    meaning: 'There is no kubeconfig, or it cannot be used.',
    remedy: 'Set KUBECONFIG or give --kubeconfig, and correct what the message names.',
  },
  'language/invalid': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'An expression, selector, version range, quantity or duration cannot be read.',
    remedy: 'Correct the text that the message quotes.',
  },
  'operation/conflict': {
    retry: 'never',
    http: 409,
    exit: 20,
    meaning: 'What is asked for collides with what is there.',
    remedy: 'Use --upsert where replacing is meant.',
  },
  'operation/not-found': {
    retry: 'never',
    http: 404,
    exit: 20,
    meaning: 'There is no such application, repository or object of an application.',
    remedy: 'Check the name and --app-namespace.',
  },
  'operation/refused': {
    retry: 'never',
    http: 412,
    exit: 20,
    meaning: 'The state of the application, or a rule, forbids the operation now.',
    remedy: 'Do what the message says first.',
  },
  'operation/timeout': {
    retry: 'never',
    http: 504,
    exit: 20,
    meaning: 'What was waited for did not come in time.',
    remedy: 'Look at the state in the message, or give a longer --timeout.',
  },
  'remote/address-forbidden': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A file is to be fetched from an address within the network of the installation, or of the cloud.',
    remedy: 'Register a repository on that host and port, or move the file to where anybody may read it.',
  },
  'remote/not-found': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A file that a URL names does not exist.',
    remedy: 'Correct the URL, or put the file there.',
  },
  'remote/too-large': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'What a server sends is larger than what is accepted.',
    remedy: 'Make the file smaller, or keep it in the repository.',
  },
  'remote/unreachable': {
    retry: 'backoff',
    http: 502,
    exit: 20,
    meaning: 'The server of a file cannot be reached, or does not give it.',
    remedy: 'It is tried again; if it stays, look at the URL, the server and the network.',
  },
  'remote/unsupported': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A URL is of a kind that nothing is fetched by.',
    remedy: 'Name it by http or https.',
  },
  'render/duplicate-tool': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A source has settings for more than one tool.',
    remedy: 'Keep the block of one tool.',
  },
  'render/failed': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'Helm, Kustomize or the folder could not be made into manifests.',
    remedy: "Run the tool on the folder by hand; the message is the tool's.",
  },
  'render/invalid-manifest': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'What was rendered is no Kubernetes object, or has no place in the cluster.',
    remedy: 'Correct the file and object that the message names.',
  },
  'render/output-too-large': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The manifests together are larger than what is accepted.',
    remedy: 'Split the application, or render less.',
  },
  'render/path-outside': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A path in the source leads out of the repository.',
    remedy: 'Keep all files that a source uses in its repository, or use a second source with a ref.',
  },
  'render/timeout': {
    retry: 'backoff',
    http: 504,
    exit: 20,
    meaning: 'A tool ran longer than a render may.',
    remedy: 'Make the render smaller, or raise controller.repo.server.timeout.seconds.',
  },
  'render/too-costly': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'Reading a file, or what a tool printed, takes more time or memory than it may.',
    remedy: 'Look at the file that the message names: it is very large, or its aliases or its nesting make it so.',
  },
  'render/tool-missing': {
    retry: 'backoff',
    http: 500,
    exit: 20,
    meaning: 'Helm, Kustomize or git is not there.',
    remedy: 'Run npm start once in the clone, or set TIPHYS_HELM and TIPHYS_KUSTOMIZE.',
  },
  'render/unknown-variable': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A text uses a variable that the build environment does not have.',
    remedy: 'Use one of those that the message lists.',
  },
  'render/unsupported': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'The source asks for something that this version does not do.',
    remedy: 'Render it in another way; the message names the option.',
  },
  'render/value-file-missing': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'A value file or file parameter does not exist.',
    remedy: 'Correct the path, or set helm.ignoreMissingValueFiles.',
  },
  'render/values-not-a-map': {
    retry: 'on-change',
    http: 422,
    exit: 20,
    meaning: 'Helm values are not a mapping of names to values.',
    remedy: 'Correct the file or the values block that the message names.',
  },
  'sync/not-ours': {
    retry: 'never',
    http: 409,
    exit: 20,
    meaning: 'An object is not touched because it belongs to another application, or to nobody.',
    remedy: "Take it out of one of the applications, or remove the other's tracking mark.",
  },
  'sync/not-owner': {
    retry: 'backoff',
    http: 409,
    exit: 20,
    meaning: 'This process lost the right to write to the cluster to another one.',
    remedy: 'Nothing: the process that has the right goes on.',
  },
  'sync/read-only': {
    retry: 'on-change',
    http: 403,
    exit: 20,
    meaning: 'The cluster is registered for reading only.',
    remedy: 'Register it for writing, if that is meant.',
  },
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
