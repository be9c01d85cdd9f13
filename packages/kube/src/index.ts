export type * from './client/types.ts';
export type { ExecCredentials } from './client/credentials.ts';
export { KubeError, type StatusCause, type StatusDetail } from './client/error.ts';
export { connect, defaultClientSettings } from './client/connect.ts';
export {
  listContexts,
  loadKubeconfig,
  loadKubeconfigFile,
  type KubeconfigContexts,
  type KubeconfigOptions,
} from './client/kubeconfig.ts';
export { inCluster, type InClusterOptions } from './client/in-cluster.ts';
export { fromClusterSecret } from './client/cluster-secret.ts';
export type * from './cache/types.ts';
export { openCache } from './cache/open-cache.ts';
export type * from './controller/types.ts';
export { openQueue } from './controller/queue.ts';
export { runController } from './controller/run-controller.ts';
export { holdLease } from './controller/lease.ts';
export { isProcessGone, processIdentity } from './controller/process-identity.ts';
