import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tiphys/api';
import type { ClusterConfig } from './types.ts';

export type InClusterOptions = Readonly<{
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, as the composition root read them. */
  host: string | undefined;
  port: string | undefined;
  /** Folder with `token`, `ca.crt` and `namespace`; the documented mount point when absent. */
  serviceAccountDir?: string | undefined;
  /** node:fs when absent. */
  readFile?: ((path: string) => string) | undefined;
}>;

/** Where the kubelet mounts a pod's service account. */
const mountPoint = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The cluster this process runs in, as its service account. @throws CodedError kubeconfig/invalid outside a cluster */
export function inCluster({ host, port, serviceAccountDir = mountPoint, ...options }: InClusterOptions): ClusterConfig {
  const { readFile = (path: string) => readFileSync(path, 'utf8') } = options;
  if (host === undefined || host === '' || port === undefined || port === '')
    throw new CodedError(
      'kubeconfig/invalid',
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; name a kubeconfig',
    );
  const read = (file: string): string => {
    try {
      return readFile(join(serviceAccountDir, file));
    } catch (error) {
      throw new CodedError('kubeconfig/invalid', `service account: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    name: 'in-cluster',
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: read('namespace').trim(),
    ca: read('ca.crt'),
    credentials: { kind: 'token-file', path: join(serviceAccountDir, 'token') },
  };
}
