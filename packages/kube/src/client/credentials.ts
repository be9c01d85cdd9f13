/** An exec credential plugin (client.authentication.k8s.io). */
export type ExecCredentials = Readonly<{
  command: string;
  args: readonly string[];
  /** Added to the settings' `execEnvironment`. */
  env: Readonly<Record<string, string>>;
  apiVersion: string;
  installHint?: string | undefined;
  /** Hand server and CA to the plugin in KUBERNETES_EXEC_INFO. */
  provideClusterInfo: boolean;
  /** Cluster-specific configuration for the plugin (`extensions[client.authentication.k8s.io/exec]`). */
  config?: unknown;
}>;
