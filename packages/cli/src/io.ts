import type { Clock } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

/** Where text goes. `columns` is the width of a terminal. */
export type TextSink = Readonly<{ write: (text: string) => unknown; columns?: number | undefined }>;

/** Which cluster to talk to, as kubectl's flags say it. */
export type ConnectionFlags = Readonly<{
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** Cluster and user of the kubeconfig, instead of those of the context. */
  cluster?: string | undefined;
  user?: string | undefined;
  token?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  as?: string | undefined;
  asGroups?: readonly string[] | undefined;
  asUid?: string | undefined;
  certificateAuthority?: string | undefined;
  clientCertificate?: string | undefined;
  clientKey?: string | undefined;
  tlsServerName?: string | undefined;
  proxyUrl?: string | undefined;
  insecureSkipTlsVerify?: boolean | undefined;
  requestTimeoutMs?: number | undefined;
}>;

/** What the environment says to the command line. The program reads it; nothing here does. */
export type CliSettings = Readonly<{
  /** Name under which the program was started; it stands in help texts. */
  program: string;
  /** Who acts, for `operation.initiatedBy`. */
  username: string;
  /** NO_COLOR is set. */
  noColor: boolean;
  /** What else the program can be, for its help; these words never come here. */
  roles?: Readonly<Record<string, string>> | undefined;
  /** ARGOCD_OPTS: words put before those of the command line. */
  options: readonly string[];
  /** The command that edits a file (KUBE_EDITOR, EDITOR); its words are separated by spaces. */
  editor: string;
  /** Namespace of the control plane where no flag names one; `argocd` when absent. */
  namespace?: string | undefined;
  version: Readonly<{ version: string; commit?: string | undefined; buildDate?: string | undefined }>;
}>;

/** The programs that render, for commands that do so here (`app diff`, `app manifests`). */
export type RenderTools = Readonly<{
  helm: string;
  kustomize: Readonly<{ command: string; args: readonly string[] }>;
  /** Names the tools' versions. */
  versions: string;
}>;

/** How git is run. */
export type GitProgram = Readonly<{
  /** PATH of git and of the programs below it. */
  path: string;
  /** Further variables: proxies, certificate folders, SSH_AUTH_SOCK. */
  environment: Readonly<Record<string, string>>;
}>;

/** What one run of the command line may use. */
export type CliIo = Readonly<{
  stdout: TextSink;
  stderr: TextSink;
  stdin: AsyncIterable<Uint8Array | string>;
  /** Which of the three are a terminal: prompts, progress and colour depend on it. */
  terminal: Readonly<{ stdin: boolean; stdout: boolean; stderr: boolean }>;
  settings: CliSettings;
  clock: Clock;
  /** Ends the run (Ctrl-C). */
  signal?: AbortSignal | undefined;
  /** Connects to the cluster; called once at most, and only by commands that need it. */
  connect: (flags: ConnectionFlags) => Promise<KubeClient>;
  /** Finds the programs that render; called only by commands that need them. @throws CodedError render/tool-missing */
  renderTools?: (() => RenderTools) | undefined;
  /** Git, for commands that look at repositories; without it connections are not tried. */
  git?: GitProgram | undefined;
}>;
