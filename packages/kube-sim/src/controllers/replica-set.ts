import { at, listAt, matchesSelector, numberAt, type KubeObject, type LabelSelector } from '@tiphys/api';
import { keyText, splitKey, type Controller } from './controller.ts';
import {
  conditionStatus,
  isActive,
  isReady,
  podFromTemplate,
  templateLabels,
  templateOf,
  untilAvailable,
} from './template.ts';
import { controllerOf, controllerReference, createPodFor, withCondition, type Workbench } from './workbench.ts';

/** When a pod that was refused is tried again, unless something changes before. */
const refusedAgainMs = 2000;

const resources: Readonly<Record<string, string>> = {
  'replicasets.apps': 'ReplicaSet',
  replicationcontrollers: 'ReplicationController',
};

/** The key of the owner of a pod, when it is of the given kind. */
export const ownerKey = (pod: KubeObject, kind: string): readonly string[] => {
  const owner = controllerOf(pod);
  return owner?.kind === kind ? [keyText(pod.metadata.namespace ?? '', owner.name)] : [];
};

function selectorOf(set: KubeObject): LabelSelector {
  const selector = at(set, 'spec', 'selector');
  if (typeof selector !== 'object' || selector === null) return { matchLabels: templateLabels(templateOf(set)) };
  // A selector that has passed validation has this shape; that of a ReplicationController is the labels alone.
  return set.kind === 'ReplicaSet' ? selector : { matchLabels: selector as Record<string, string> };
}

/** Takes over pods that match and that nobody controls. */
function adopt(set: KubeObject, bench: Workbench): void {
  const selector = selectorOf(set);
  for (const pod of bench.list('pods', set.metadata.namespace)) {
    if (controllerOf(pod) !== undefined || !isActive(pod) || !matchesSelector(selector, pod.metadata.labels)) continue;
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), controllerReference(set)];
    bench.update({ ...pod, metadata: { ...pod.metadata, ownerReferences } });
  }
}

const rank = (pod: KubeObject): number =>
  (at(pod, 'spec', 'nodeName') === undefined ? 0 : 1) +
  (at(pod, 'status', 'phase') === 'Running' ? 2 : 0) +
  (isReady(pod) ? 4 : 0);

/** The pods to give up first: those that do least, then the youngest. */
function leastUseful(pods: readonly KubeObject[]): readonly KubeObject[] {
  const version = (pod: KubeObject): number => Number(pod.metadata.resourceVersion ?? 0);
  return [...pods].sort((a, b) => rank(a) - rank(b) || version(b) - version(a));
}

/** @returns why a pod could not be created */
function scale(set: KubeObject, active: readonly KubeObject[], bench: Workbench): string | undefined {
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  const component = 'replicaset-controller';
  for (let missing = wanted - active.length; missing > 0; missing--) {
    const refused = createPodFor(set, podFromTemplate(set, templateOf(set)), { bench, component });
    if (refused !== undefined) return refused;
  }
  for (const pod of leastUseful(active).slice(0, Math.max(0, active.length - wanted))) {
    bench.remove(pod);
    const message = `Deleted pod: ${pod.metadata.name ?? ''}`;
    bench.event(set, { type: 'Normal', reason: 'SuccessfulDelete', message, component });
  }
  return undefined;
}

/** The conditions of a set: one, while its pods are refused. */
function conditionsOf(set: KubeObject, refused: string | undefined, now: string): readonly unknown[] {
  const others = listAt(set, 'status', 'conditions').filter((entry) => at(entry, 'type') !== 'ReplicaFailure');
  if (refused === undefined) return others;
  // The text names a pod that never was; another name at each try is no news.
  if (conditionStatus(set, 'ReplicaFailure') === 'True') return listAt(set, 'status', 'conditions');
  const entry = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: refused };
  return withCondition(listAt(set, 'status', 'conditions'), entry, now);
}

/** Milliseconds until the next ready pod becomes available; undefined when none is on its way. */
function writeStatus(set: KubeObject, refused: string | undefined, bench: Workbench): number | undefined {
  const pods = bench.controlled(set, 'Pod');
  const active = pods.filter(isActive);
  const labels = Object.entries(templateLabels(templateOf(set)));
  const fullyLabeled = active.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value));
  const waits = active.flatMap(
    (pod) => untilAvailable(pod, numberAt(set, 'spec', 'minReadySeconds') ?? 0, bench.now()) ?? [],
  );
  const available = waits.filter((ms) => ms === 0).length;
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined).length;
  const conditions = conditionsOf(set, refused, bench.nowText());
  bench.updateStatus(set, {
    ...(conditions.length > 0 && { conditions }),
    replicas: active.length,
    ...(fullyLabeled.length > 0 && { fullyLabeledReplicas: fullyLabeled.length }),
    ...(waits.length > 0 && { readyReplicas: waits.length }),
    ...(available > 0 && { availableReplicas: available }),
    ...(set.kind === 'ReplicaSet' && { terminatingReplicas: terminating }),
    observedGeneration: set.metadata.generation,
  });
  const pending = waits.filter((ms) => ms > 0);
  return pending.length === 0 ? undefined : Math.min(...pending);
}

/** Keeps as many pods as a ReplicaSet (or ReplicationController) asks for. */
export function replicaSets(bench: Workbench, resource: 'replicasets.apps' | 'replicationcontrollers'): Controller {
  const kind = resources[resource] ?? '';
  return {
    name: resource,
    concerns: (event) => {
      const { object } = event;
      if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
      return event.resource === 'pods' ? ownerKey(object, kind) : [];
    },
    reconcile: (key) => {
      const set = bench.get({ resource, ...splitKey(key) });
      if (set === undefined) return undefined;
      const active = (): readonly KubeObject[] => bench.controlled(set, 'Pod').filter(isActive);
      let refused: string | undefined;
      if (set.metadata.deletionTimestamp === undefined) {
        const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
        if (active().length < wanted) adopt(set, bench);
        refused = scale(set, active(), bench);
      }
      const again = writeStatus(set, refused, bench);
      return refused === undefined ? again : refusedAgainMs;
    },
  };
}
