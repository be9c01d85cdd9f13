import { CodedError } from '@tiphys/api';
import type { ClusterConfig } from './types.ts';

export type InClusterOptions = Readonly<{
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, as the composition root read them. */
  host: string | undefined;
  port: string | undefined;
  /** Folder with `token`, `ca.crt` and `namespace`; the documented mount point when absent. */
  serviceAccountDir?: string | undefined;
}>;

/** The cluster this process runs in, as its service account. @throws CodedError kubeconfig/invalid outside a cluster */
export function inCluster(options: InClusterOptions): ClusterConfig {
  throw new CodedError('kubeconfig/invalid', `not in a cluster ${options.host ?? ''}`);
}
