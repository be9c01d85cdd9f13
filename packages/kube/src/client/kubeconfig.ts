import { CodedError } from '@tiphys/api';
import type { ClusterConfig } from './types.ts';

export type KubeconfigOptions = Readonly<{
  /** The context to use instead of the file's `current-context`. */
  context?: string | undefined;
  /** Folder of the file: relative paths in it start there. */
  baseDir: string;
  /** Reads a file that the kubeconfig names; node:fs when absent. */
  readFile?: ((path: string) => string) | undefined;
}>;

/** Reads a kubeconfig and takes one context of it. @throws CodedError kubeconfig/invalid that names the bad field */
export function loadKubeconfig(text: string, options: KubeconfigOptions): ClusterConfig {
  throw new CodedError('kubeconfig/invalid', `not read: ${text.length} ${options.baseDir}`);
}
