import { isRecord, parseJson, type KubeObject } from '@tiphys/api';
import { conditionsOf, type Condition } from './conditions.ts';
import { verdict, type Health } from './health.ts';

const failures: Readonly<Record<string, ReadonlySet<string>>> = {
  AbleToScale: new Set(['FailedGetScale', 'FailedUpdateScale']),
  ScalingActive: new Set([
    'FailedGetResourceMetric',
    'FailedGetObjectMetric',
    'FailedGetPodsMetric',
    'FailedGetExternalMetric',
    'FailedComputeMetricsReplicas',
    'InvalidSelector',
  ]),
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** autoscaling/v1 keeps its conditions in an annotation. */
function annotatedConditions(live: KubeObject): readonly Condition[] {
  const annotation = live.metadata.annotations?.['autoscaling.alpha.kubernetes.io/conditions'];
  if (annotation === undefined) return [];
  let parsed: unknown;
  try {
    parsed = parseJson(annotation);
  } catch {
    // Somebody's annotation that is no JSON says nothing about the autoscaler.
    return [];
  }
  return (Array.isArray(parsed) ? parsed : []).filter(isRecord).map((one) => ({
    type: text(one['type']),
    status: text(one['status']),
    reason: text(one['reason']),
    message: text(one['message']),
  }));
}

/** autoscaling/HorizontalPodAutoscaler v1 and v2: it can read its metrics and scale (contract 5.2). */
export function assessHorizontalPodAutoscaler(live: KubeObject): Health {
  const conditions = live.apiVersion === 'autoscaling/v1' ? annotatedConditions(live) : conditionsOf(live);
  const failed = conditions.find(({ type, reason }) => failures[type]?.has(reason) === true);
  if (failed !== undefined) return verdict('Degraded', failed.message);
  const able = conditions.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  );
  return able === undefined
    ? verdict('Progressing', 'Waiting for the first reading')
    : verdict('Healthy', able.message);
}
