import { at, isRecord, listAt, matchesSelector, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import type { Cluster } from '../server/cluster.ts';
import { resourceText } from '../server/refusal.ts';
import { findByPath } from '../server/table/json-path.ts';
import { keyText, splitKey, type Controller } from './controller.ts';
import { isReady, resolveCount } from './template.ts';
import { controllerOf, withCondition, type Workbench } from './workbench.ts';

const resource = 'poddisruptionbudgets.policy';
const component = 'controllermanager';

/** Pods that a budget speaks of: none without a selector, all with an empty one. */
export const budgetSelects = (budget: KubeObject, pod: KubeObject): boolean => {
  const selector: unknown = at(budget, 'spec', 'selector');
  // A selector that has passed validation has the shape of one.
  return isRecord(selector) && matchesSelector(selector, pod.metadata.labels);
};

/** How many replicas the controller at the root of a pod's owners asks for; undefined when it has none that scales. */
function scaleOf(pod: KubeObject, { store, types }: Cluster): Readonly<{ uid: string; replicas: number }> | undefined {
  let found: Readonly<{ uid: string; replicas: number }> | undefined;
  let owner = controllerOf(pod);
  for (let level = 0; owner !== undefined && level < 5; level++) {
    const type = types.ofKind(owner);
    if (type === undefined) break;
    const place = { resource: resourceText(type), namespace: pod.metadata.namespace ?? '', name: owner.name };
    const object = store.get(place);
    if (object === undefined) break;
    const path = type.custom?.scale?.specReplicasPath ?? (type.subresources.includes('scale') ? '.spec.replicas' : '');
    const [replicas] = path === '' ? [] : findByPath(object, path);
    if (typeof replicas === 'number') found = { uid: object.metadata.uid ?? '', replicas };
    owner = controllerOf(object);
  }
  return found;
}

type Wanted = Readonly<{ expected: number; desired: number }> | Readonly<{ problem: string }>;

/** How many pods there are to be, and how many of them healthy. */
function wantedOf(budget: KubeObject, pods: readonly KubeObject[], cluster: Cluster): Wanted {
  const min: unknown = at(budget, 'spec', 'minAvailable');
  const max: unknown = at(budget, 'spec', 'maxUnavailable');
  if (typeof min === 'number') return { expected: pods.length, desired: min };
  const scales = new Map<string, number>();
  for (const pod of pods) {
    // A pod that nothing controls has no share in the sum; it is an error only when its controller cannot be found.
    if (controllerOf(pod) === undefined) continue;
    const scale = scaleOf(pod, cluster);
    if (scale === undefined) return { problem: `found no controllers for pod ${JSON.stringify(pod.metadata.name)}` };
    scales.set(scale.uid, scale.replicas);
  }
  const expected = [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
  if (max !== undefined) return { expected, desired: Math.max(0, expected - resolveCount(max, expected, 'up')) };
  if (min !== undefined) return { expected, desired: resolveCount(min, expected, 'up') };
  return { expected, desired: 0 };
}

/** Evictions that were allowed and whose pods are still there count as gone. */
function disruptedPods(budget: KubeObject, pods: readonly KubeObject[]): Record<string, unknown> {
  const known = at(budget, 'status', 'disruptedPods');
  const present = new Set(
    pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((p) => p.metadata.name),
  );
  return Object.fromEntries(Object.entries(isRecord(known) ? known : {}).filter(([name]) => present.has(name)));
}

function reconcile(budget: KubeObject, bench: Workbench): void {
  const { namespace = '', generation } = budget.metadata;
  const pods = bench.list('pods', namespace).filter((pod) => budgetSelects(budget, pod));
  if (pods.length === 0)
    bench.event(budget, { type: 'Normal', reason: 'NoPods', message: 'No matching pods found', component });
  const wanted = wantedOf(budget, pods, bench.cluster);
  const disrupted = disruptedPods(budget, pods);
  const healthy = pods.filter(
    (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined && !((pod.metadata.name ?? '') in disrupted),
  ).length;
  const before: unknown = at(budget, 'status', 'conditions');
  const conditionOf = (isTrue: boolean, reason: string, message: string): unknown =>
    withCondition(
      before,
      {
        type: 'DisruptionAllowed',
        status: isTrue ? 'True' : 'False',
        reason,
        message,
        ...(generation !== undefined && { observedGeneration: generation }),
      },
      bench.nowText(),
    );
  if ('problem' in wanted) {
    const message = `Failed to calculate the number of expected pods: ${wanted.problem}`;
    bench.event(budget, { type: 'Warning', reason: 'CalculateExpectedPodCountFailed', message, component });
    const status = isRecord(budget['status']) ? budget['status'] : {};
    const conditions = conditionOf(false, 'SyncFailed', wanted.problem);
    bench.updateStatus(budget, { ...status, disruptionsAllowed: 0, conditions });
    return;
  }
  const { expected, desired } = wanted;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  bench.updateStatus(budget, {
    conditions: conditionOf(allowed > 0, allowed > 0 ? 'SufficientPods' : 'InsufficientPods', ''),
    currentHealthy: healthy,
    desiredHealthy: desired,
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    expectedPods: expected,
    ...(generation !== undefined && { observedGeneration: generation }),
  });
}

/** Says of each PodDisruptionBudget how many pods may go. */
export const disruptionBudgets = (bench: Workbench): Controller => ({
  name: 'disruption',
  concerns: (event) => {
    const { namespace = '', name = '' } = event.object.metadata;
    if (event.resource === resource) return [keyText(namespace, name)];
    const scales = ['pods', 'deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'replicationcontrollers'];
    if (!scales.includes(event.resource)) return [];
    return bench
      .list(resource, namespace)
      .filter((budget) => event.resource !== 'pods' || budgetSelects(budget, event.object))
      .map((budget) => keyText(namespace, budget.metadata.name ?? ''));
  },
  reconcile: (key) => {
    const budget = bench.get({ resource, ...splitKey(key) });
    if (budget !== undefined && budget.metadata.deletionTimestamp === undefined) reconcile(budget, bench);
    return undefined;
  },
});

/** Whether the budgets of a pod let it be evicted; a text for each reason why not. */
export type Verdict =
  | Readonly<{ kind: 'free' }>
  | Readonly<{ kind: 'spend'; budget: KubeObject }>
  | Readonly<{ kind: 'refuse'; budget: string; needed: number; healthy: number }>
  | Readonly<{ kind: 'too-many' }>;

/** What the budgets say to the eviction of a pod. */
export function mayEvict(pod: KubeObject, { store }: Cluster): Verdict {
  const phase = stringAt(pod, 'status', 'phase') ?? '';
  if (['Succeeded', 'Failed', 'Pending'].includes(phase) || pod.metadata.deletionTimestamp !== undefined)
    return { kind: 'free' };
  const budgets = store.list(resource, pod.metadata.namespace ?? '').filter((one) => budgetSelects(one, pod));
  const [budget] = budgets;
  if (budget === undefined) return { kind: 'free' };
  if (budgets.length > 1) return { kind: 'too-many' };
  const healthy = numberAt(budget, 'status', 'currentHealthy') ?? 0;
  const needed = numberAt(budget, 'status', 'desiredHealthy') ?? 0;
  const always = at(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow';
  if (!isReady(pod) && (always || (healthy >= needed && needed > 0))) return { kind: 'free' };
  return (numberAt(budget, 'status', 'disruptionsAllowed') ?? 0) > 0
    ? { kind: 'spend', budget }
    : { kind: 'refuse', budget: budget.metadata.name ?? '', needed, healthy };
}

/** Notes in a budget that one of its pods is about to go. */
export function spend(budget: KubeObject, pod: string, context: Readonly<{ cluster: Cluster; now: string }>): void {
  const status = isRecord(budget['status']) ? budget['status'] : {};
  const known = isRecord(status['disruptedPods']) ? status['disruptedPods'] : {};
  context.cluster.store.put(resource, {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: (numberAt(status, 'disruptionsAllowed') ?? 1) - 1,
      disruptedPods: { ...known, [pod]: context.now },
      conditions: listAt(status, 'conditions'),
    },
  });
}
