import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { nodePath, root } from './tools.ts';
import type { World } from './world.ts';

export type Said = Readonly<{ exit: number; out: string; err: string }>;

/** Runs the program in core mode, as a process, beside the controller of the world. */
export function tiphys({ cluster, namespace }: World, ...words: readonly string[]): Promise<Said> {
  const { promise, resolve } = Promise.withResolvers<Said>();
  const env = {
    PATH: process.env['PATH'],
    HOME: dirname(cluster.kubeconfigPath),
    KUBECONFIG: cluster.kubeconfigPath,
    ARGOCD_NAMESPACE: namespace,
  };
  const args = [join(root, 'packages/tiphys/bin/tiphys.mjs'), ...words];
  const child = execFile(nodePath, args, { env, timeout: 90_000, killSignal: 'SIGKILL' }, (error, out, err) =>
    resolve({ exit: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err }),
  );
  child.stdin?.end();
  return promise;
}
