/** A yardstick: what the cluster itself can take. One server-side apply per object, nothing read, nothing compared. */
import type { KubeObject } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import { createAll, namespaceObject } from './cluster.ts';

export type RawApplies = Readonly<{ count: number; wallMs: number; cpuMs: number }>;

const settings = Object.fromEntries(Array.from({ length: 10 }, (_, line) => [`setting.${line}`, `value ${line}`]));

/** Applies ConfigMaps in a namespace of their own, eight at once; the CPU time is this process's. */
export async function rawApplies(client: KubeClient, count: number): Promise<RawApplies> {
  const namespace = 'bench-yardstick';
  await createAll(client, [namespaceObject(namespace)]);
  const objects = Array.from({ length: count }, (_, index): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `raw-${index}`, namespace },
    data: settings,
  }));
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await createAll(client, objects);
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { count, wallMs, cpuMs: (user + system) / 1000 };
}
