import { CodedError, type KubeObject } from '@tiphys/api';
import type { ClusterConfig } from './types.ts';

/** Reads a cluster Secret (contract section 9: `server`, `name`, `config`). @throws CodedError config/invalid that names Secret and field */
export function fromClusterSecret(secret: KubeObject): ClusterConfig {
  throw new CodedError('config/invalid', secret.kind);
}
