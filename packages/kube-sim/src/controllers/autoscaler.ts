import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { scaleOf, withScale } from '../server/http/subresource.ts';
import { resourceText } from '../server/refusal.ts';
import type { ResourceType } from '../schema/types.ts';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { withCondition, type Condition, type Workbench } from './workbench.ts';

const resource = 'horizontalpodautoscalers.autoscaling';
const component = 'horizontal-pod-autoscaler';

/** How often a real autoscaler looks. */
const intervalMs = 15_000;

/** Of the autoscaler or of its target: the CPU utilisation to report, in percent of what the pods request. */
const utilizationAnnotation = 'sim.tiphys.dev/cpu-utilization';

const withoutMetrics =
  'unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';

type Target = Readonly<{ type: ResourceType; object: KubeObject; replicas: number; current: number; selector: string }>;

function targetOf(autoscaler: KubeObject, bench: Workbench): Target | string {
  const reference: unknown = at(autoscaler, 'spec', 'scaleTargetRef');
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((field) => stringAt(reference, field) ?? '');
  const type = bench.cluster.types.ofKind({ apiVersion: apiVersion ?? '', kind: kind ?? '' });
  if (type?.subresources.includes('scale') !== true)
    return `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify((apiVersion ?? '').replace(/\/?[^/]*$/, ''))}`;
  const { namespace = '' } = autoscaler.metadata;
  const object = bench.get({ resource: resourceText(type), namespace, name: name ?? '' });
  if (object === undefined) return `${resourceText(type)} ${JSON.stringify(name)} not found`;
  const scale = scaleOf(object, type);
  return {
    type,
    object,
    replicas: numberAt(scale, 'spec', 'replicas') ?? 0,
    current: numberAt(scale, 'status', 'replicas') ?? 0,
    selector: stringAt(scale, 'status', 'selector') ?? '',
  };
}

const cpuTarget = (autoscaler: KubeObject): number | undefined => {
  const metric = listAt(autoscaler, 'spec', 'metrics').find((one) => at(one, 'resource', 'name') === 'cpu');
  return numberAt(metric, 'resource', 'target', 'averageUtilization');
};

/** What to scale to, and what to say about it. */
type Proposal = Readonly<{ replicas: number; reason: string; conditions: readonly Condition[]; metrics?: unknown }>;

const able = (reason: string, message: string): Condition => ({ type: 'AbleToScale', status: 'True', reason, message });
const gotScale = able('SucceededGetScale', "the HPA controller was able to get the target's current scale");

function limits(autoscaler: KubeObject): Readonly<{ min: number; max: number }> {
  return {
    min: numberAt(autoscaler, 'spec', 'minReplicas') ?? 1,
    max: numberAt(autoscaler, 'spec', 'maxReplicas') ?? 1,
  };
}

function byMetrics(autoscaler: KubeObject, target: Target, utilization: number): Proposal {
  const wanted = cpuTarget(autoscaler) ?? 100;
  const { min, max } = limits(autoscaler);
  const ratio = utilization / wanted;
  // Within a tenth of the target nothing is done.
  const exact = Math.abs(ratio - 1) <= 0.1 ? target.replicas : Math.ceil(ratio * target.replicas);
  const replicas = Math.min(max, Math.max(min, exact));
  const limited =
    exact > max
      ? {
          status: 'True',
          reason: 'TooManyReplicas',
          message: 'the desired replica count is more than the maximum replica count',
        }
      : exact < min
        ? {
            status: 'True',
            reason: 'TooFewReplicas',
            message: 'the desired replica count is less than the minimum replica count',
          }
        : {
            status: 'False',
            reason: 'DesiredWithinRange',
            message: 'the desired count is within the acceptable range',
          };
  const message =
    'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)';
  return {
    replicas,
    reason: `cpu resource utilization (percentage of request) ${ratio > 1 ? 'above' : 'below'} target`,
    conditions: [
      able('ReadyForNewScale', 'recommended size matches current size'),
      { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message },
      { type: 'ScalingLimited', ...limited },
    ],
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: utilization, averageValue: '0' } } },
    ],
  };
}

function propose(autoscaler: KubeObject, target: Target, bench: Workbench): Proposal {
  const { min, max } = limits(autoscaler);
  const { replicas } = target;
  if (replicas === 0 && min !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    const disabled = { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message };
    return { replicas, reason: '', conditions: [gotScale, disabled] };
  }
  if (replicas > max)
    return { replicas: max, reason: 'Current number of replicas above Spec.MaxReplicas', conditions: [gotScale] };
  if (replicas < min)
    return { replicas: min, reason: 'Current number of replicas below Spec.MinReplicas', conditions: [gotScale] };
  const annotations = { ...target.object.metadata.annotations, ...autoscaler.metadata.annotations };
  const utilization = Number(annotations[utilizationAnnotation] ?? Number.NaN);
  if (!Number.isNaN(utilization)) return byMetrics(autoscaler, target, utilization);
  const count = Math.max(1, listAt(autoscaler, 'spec', 'metrics').length);
  const failed = `failed to get cpu utilization: ${withoutMetrics}`;
  bench.event(autoscaler, { type: 'Warning', reason: 'FailedGetResourceMetric', message: failed, component });
  const summary = `invalid metrics (${count} invalid out of ${count}), first error is: failed to get cpu resource metric value: ${failed}`;
  bench.event(autoscaler, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: summary, component });
  const message = `the HPA was unable to compute the replica count: ${failed}`;
  const inactive = { type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric', message };
  // A metric that could not be read is an empty entry.
  return {
    replicas,
    reason: '',
    conditions: [gotScale, inactive],
    metrics: Array.from({ length: count }, () => ({ type: '' })),
  };
}

type Outcome = Readonly<{
  conditions: readonly Condition[];
  current?: number;
  desired?: number;
  scaled: boolean;
  metrics?: unknown;
}>;

function writeStatus(autoscaler: KubeObject, outcome: Outcome, bench: Workbench): void {
  const before = isRecord(autoscaler['status']) ? autoscaler['status'] : {};
  const now = bench.nowText();
  let conditions: unknown = before['conditions'];
  for (const entry of outcome.conditions) conditions = withCondition(conditions, entry, now);
  const lastScaleTime = outcome.scaled ? now : before['lastScaleTime'];
  bench.updateStatus(autoscaler, {
    conditions,
    currentMetrics: outcome.metrics ?? null,
    ...(outcome.current !== undefined && outcome.current !== 0 && { currentReplicas: outcome.current }),
    desiredReplicas: outcome.desired ?? before['desiredReplicas'] ?? 0,
    ...(lastScaleTime !== undefined && { lastScaleTime }),
  });
}

function reconcile(autoscaler: KubeObject, bench: Workbench): Again {
  const target = targetOf(autoscaler, bench);
  if (typeof target === 'string') {
    const message = `the HPA controller was unable to get the target's current scale: ${target}`;
    bench.event(autoscaler, { type: 'Warning', reason: 'FailedGetScale', message: target, component });
    const failed = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message };
    writeStatus(autoscaler, { conditions: [failed], scaled: false }, bench);
    return intervalMs;
  }
  const proposal = propose(autoscaler, target, bench);
  const { replicas, conditions, metrics } = proposal;
  if (replicas === target.replicas) {
    const isKnown = conditions.some(({ reason }) => reason === 'ValidMetricFound');
    const found = { conditions, current: target.current, scaled: false, metrics };
    writeStatus(autoscaler, isKnown ? { ...found, desired: replicas } : found, bench);
    return intervalMs;
  }
  bench.update(withScale(target.object, target.type, { spec: { replicas } }));
  const message = `New size: ${replicas}; reason: ${proposal.reason}`;
  bench.event(autoscaler, { type: 'Normal', reason: 'SuccessfulRescale', message, component });
  const rescaled = able('SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`);
  const outcome = { conditions: [...conditions.filter(({ type }) => type !== 'AbleToScale'), rescaled] };
  writeStatus(autoscaler, { ...outcome, current: target.current, desired: replicas, scaled: true, metrics }, bench);
  return intervalMs;
}

/** Keeps scaled objects within the bounds of their autoscalers. There is no metrics API: only an annotation says what pods use. */
export const autoscalers = (bench: Workbench): Controller => ({
  name: 'autoscaler',
  concerns: (event) => {
    const { namespace = '', name = '' } = event.object.metadata;
    if (event.resource === resource) return event.type === 'DELETED' ? [] : [keyText(namespace, name)];
    const { kind } = event.object;
    return bench
      .list(resource, namespace)
      .filter(
        (one) =>
          at(one, 'spec', 'scaleTargetRef', 'name') === name && at(one, 'spec', 'scaleTargetRef', 'kind') === kind,
      )
      .map((one) => keyText(namespace, one.metadata.name ?? ''));
  },
  reconcile: (key) => {
    const autoscaler = bench.get({ resource, ...splitKey(key) });
    return autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined
      ? undefined
      : reconcile(autoscaler, bench);
  },
});
