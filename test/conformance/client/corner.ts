import assert from 'node:assert/strict';
import { silentLogger, systemClock, type KubeObject } from '@tiphys/api';
import { connect, KubeError, loadKubeconfig, type KubeClient } from '@tiphys/kube';
import { until } from '../harness/until.ts';

export type ClientWorld = Readonly<{
  kubeconfig: string;
  /** Folder of the kubeconfig. */
  baseDir: string;
  /** A namespace of the suite's own, which is there. */
  namespace: string;
}>;

export const ports = { log: silentLogger, clock: systemClock };
export const manager = { fieldManager: 'client-suite' };
export const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' };
export const deployments = { group: 'apps', version: 'v1', kind: 'Deployment' };
export const pods = { group: '', version: 'v1', kind: 'Pod' };

export async function fails(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => assert.fail('should have failed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KubeError, String(error));
  return error;
}

export const soon = <T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> =>
  until(
    what,
    async () => {
      const found = await probe();
      return found === undefined ? { seen: 'nothing' } : { is: found };
    },
    30_000,
  );

export const must = <T>(value: T | undefined): T => {
  assert.ok(value !== undefined);
  return value;
};

/** Opens clients, and makes objects in the suite's namespace. */
export type Corner = ReturnType<typeof cornerOf>;

export function cornerOf(world: ClientWorld) {
  const { namespace } = world;
  const open = (): KubeClient =>
    connect(
      loadKubeconfig(world.kubeconfig, { baseDir: world.baseDir }),
      { qps: 1_000, burst: 1_000, userAgent: 'tiphys-client-suite' },
      ports,
    );
  const configMap = (
    name: string,
    data: Record<string, string> = {},
    labels: Record<string, string> = {},
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
    data,
  });
  const refTo = (name: string) => ({ gvk: configMaps, namespace, name });
  const deployment = (name: string, replicas = 1): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }] },
      },
    },
  });
  return { namespace, open, configMap, refTo, deployment };
}
