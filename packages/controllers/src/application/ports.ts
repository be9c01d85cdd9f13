import type { Clock, Logger } from '@tiphys/api';
import type { DeploymentRecord, GitStore, Renderer } from '@tiphys/engine';
import type { ClusterConfig, KubeClient } from '@tiphys/kube';

/** What the controller needs from outside. */
export type ApplicationPorts = Readonly<{
  /** The cluster of the control plane: Applications, ConfigMaps and Secrets live there. */
  client: KubeClient;
  /** Connects to a registered cluster. */
  connect: (config: ClusterConfig) => KubeClient;
  git: GitStore;
  renderer: Renderer;
  clock: Clock;
  log: Logger;
  /** The ledger: one record for each write to a managed cluster. */
  record?: ((record: DeploymentRecord) => void) | undefined;
}>;

/** What the command line says; the rest is in `argocd-cm` and `argocd-cmd-params-cm`, and may change at any time. */
export type ApplicationSettings = Readonly<{
  /** Control plane's namespace. */
  namespace: string;
  /** How often repositories are asked for commits; `timeout.reconciliation` when undefined. */
  repositoryPollMs?: number | undefined;
  /** Overrides `timeout.reconciliation`. */
  refreshIntervalMs?: number | undefined;
  /** Overrides `controller.sync.wave.delay.seconds`. */
  waveDelayMs?: number | undefined;
  /** Goes on where another installation worked. */
  takeOver: boolean;
}>;
