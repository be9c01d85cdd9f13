import { createHash } from 'node:crypto';
import { at, canonicalJson, isRecord, stringAt, type KubeObject, listAt } from '@tiphys/api';
import { safeEncode } from '../server/names.ts';
import { controllerReference } from './workbench.ts';

/** A short text that follows from a value: the suffix of replica sets and revisions. Not the number that Kubernetes computes. */
export const hashOf = (value: unknown): string =>
  safeEncode(createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 10));

/** The template of a workload as an object; empty when there is none. */
export function templateOf(object: KubeObject): Record<string, unknown> {
  const template = at(object, 'spec', 'template');
  return isRecord(template) ? template : {};
}

const recordAt = (value: unknown, ...path: readonly string[]): Record<string, unknown> => {
  const found = at(value, ...path);
  return isRecord(found) ? found : {};
};

/** Labels of a pod template. */
export const templateLabels = (template: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(recordAt(template, 'metadata', 'labels')).map(([key, value]) => [key, String(value)]),
  );

/** A pod as a workload makes it from its template. */
export function podFromTemplate(
  owner: KubeObject,
  template: Record<string, unknown>,
  more: Readonly<{
    name?: string;
    labels?: Record<string, string>;
    spec?: Record<string, unknown>;
    annotations?: Record<string, string>;
  }> = {},
): KubeObject {
  const metadata = recordAt(template, 'metadata');
  const annotations = { ...recordAt(metadata, 'annotations'), ...more.annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name ?? ''}-`,
      ...(more.name !== undefined && { name: more.name }),
      namespace: owner.metadata.namespace ?? '',
      labels: { ...templateLabels(template), ...more.labels },
      ...(Object.keys(annotations).length > 0 && {
        annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, String(value)])),
      }),
      ...(Array.isArray(metadata['finalizers']) && { finalizers: metadata['finalizers'].map(String) }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...recordAt(template, 'spec'), ...more.spec },
  };
}

/** Neither ended nor being deleted. */
export const isActive = (pod: KubeObject): boolean => {
  const phase = stringAt(pod, 'status', 'phase');
  return phase !== 'Succeeded' && phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined;
};

/** The status of a condition. */
export function conditionStatus(object: KubeObject, type: string): string | undefined {
  const found = listAt(object, 'status', 'conditions').find((entry) => at(entry, 'type') === type);
  return stringAt(found, 'status');
}

export const isReady = (pod: KubeObject): boolean => conditionStatus(pod, 'Ready') === 'True';

/** Milliseconds until a ready pod counts as available (`minReadySeconds`); 0 when it does, undefined when it is not ready. */
export function untilAvailable(pod: KubeObject, minReadySeconds: number, now: Date): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const ready = listAt(pod, 'status', 'conditions').find((entry) => at(entry, 'type') === 'Ready');
  const since = new Date(stringAt(ready, 'lastTransitionTime') ?? now).getTime();
  return Math.max(0, since + minReadySeconds * 1000 - now.getTime());
}

/** An int-or-percent of a total, rounded as asked. */
export function resolveCount(value: unknown, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  if (percent === undefined) return 0;
  const exact = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
