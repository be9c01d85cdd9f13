import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { ownerKey } from './replica-set.ts';
import { hashPart, keepRevisions, revisionLabel } from './revision.ts';
import { isActive, isReady, podFromTemplate, resolveCount, templateOf, untilAvailable } from './template.ts';
import { createPodFor, type Workbench } from './workbench.ts';

const resource = 'daemonsets.apps';
const component = 'daemonset-controller';

function nodesFor(set: KubeObject, bench: Workbench): readonly string[] {
  const wanted = at(templateOf(set), 'spec', 'nodeSelector');
  const fits = (node: KubeObject): boolean =>
    !isRecord(wanted) || Object.entries(wanted).every(([key, value]) => node.metadata.labels?.[key] === value);
  return bench
    .list('nodes')
    .filter(fits)
    .map((node) => node.metadata.name ?? '');
}

/** Daemon pods tolerate what would keep others from a node. */
const tolerations = [
  { effect: 'NoExecute', key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
  { effect: 'NoExecute', key: 'node.kubernetes.io/unreachable', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node.kubernetes.io/disk-pressure', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node.kubernetes.io/pid-pressure', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node.kubernetes.io/unschedulable', operator: 'Exists' },
];

function daemonPod(set: KubeObject, nodeName: string, hash: string): KubeObject {
  const template = templateOf(set);
  const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '1';
  return podFromTemplate(set, template, {
    labels: { [revisionLabel]: hash, 'pod-template-generation': generation },
    spec: { nodeName, tolerations: [...listAt(template, 'spec', 'tolerations'), ...tolerations] },
  });
}

function step(set: KubeObject, hash: string, bench: Workbench): void {
  const nodes = nodesFor(set, bench);
  const byNode = Map.groupBy(bench.controlled(set, 'Pod'), (pod) => stringAt(pod, 'spec', 'nodeName') ?? '');
  for (const node of nodes) {
    const pods = byNode.get(node) ?? [];
    for (const ended of pods.filter((pod) => !isActive(pod))) bench.remove(ended);
    if (pods.length > 0) continue;
    createPodFor(set, daemonPod(set, node, hash), { bench, component });
  }
  for (const [node, pods] of byNode)
    if (!nodes.includes(node)) for (const pod of pods) if (isActive(pod)) bench.remove(pod);
  if (stringAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  const active = bench.controlled(set, 'Pod').filter(isActive);
  const outdated = active.filter((pod) => pod.metadata.labels?.[revisionLabel] !== hash);
  const limit = resolveCount(
    at(set, 'spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable') ?? 1,
    nodes.length,
    'up',
  );
  const unavailable = nodes.length - active.filter(isReady).length;
  const idle = outdated.filter((pod) => !isReady(pod));
  const ready = outdated.filter(isReady).slice(0, Math.max(0, Math.max(limit, 1) - unavailable));
  for (const pod of [...idle, ...ready]) bench.remove(pod);
}

function writeStatus(set: KubeObject, hash: string, bench: Workbench): Again {
  const nodes = nodesFor(set, bench);
  const pods = bench.controlled(set, 'Pod').filter(isActive);
  const placed = pods.filter((pod) => nodes.includes(stringAt(pod, 'spec', 'nodeName') ?? ''));
  const waits = placed.flatMap(
    (pod) => untilAvailable(pod, numberAt(set, 'spec', 'minReadySeconds') ?? 0, bench.now()) ?? [],
  );
  const available = waits.filter((ms) => ms === 0).length;
  const updated = placed.filter((pod) => pod.metadata.labels?.[revisionLabel] === hash).length;
  const unavailable = nodes.length - available;
  bench.updateStatus(set, {
    currentNumberScheduled: placed.length,
    numberMisscheduled: pods.length - placed.length,
    desiredNumberScheduled: nodes.length,
    numberReady: waits.length,
    observedGeneration: set.metadata.generation,
    ...(updated > 0 && { updatedNumberScheduled: updated }),
    ...(available > 0 && { numberAvailable: available }),
    ...(unavailable > 0 && { numberUnavailable: unavailable }),
  });
  const pending = waits.filter((ms) => ms > 0);
  return pending.length === 0 ? undefined : Math.min(...pending);
}

/** Keeps one pod of a DaemonSet on each node that it selects. */
export const daemonSets = (bench: Workbench): Controller => ({
  name: 'daemonset',
  concerns: (event) => {
    const { object } = event;
    if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
    if (event.resource === 'nodes' && event.type !== 'MODIFIED')
      return bench.list(resource).map(({ metadata }) => keyText(metadata.namespace ?? '', metadata.name ?? ''));
    return event.resource === 'pods' ? ownerKey(object, 'DaemonSet') : [];
  },
  reconcile: (key) => {
    const set = bench.get({ resource, ...splitKey(key) });
    if (set === undefined) return undefined;
    const hash = hashPart(keepRevisions(set, bench).update, set);
    if (set.metadata.deletionTimestamp === undefined) step(set, hash, bench);
    return writeStatus(set, hash, bench);
  },
});
