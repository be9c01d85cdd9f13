import { at, isRecord, listAt, parseJson, stringAt, stringifyJson, type KubeObject } from '@tiphys/api';
import { omit } from '../../schema/omit.ts';

/*
 * autoscaling/v1 says of metrics only the CPU utilisation. What else the stored form (v2) says is carried in annotations:
 * metrics in v1's own form, behaviours in the form of the server's inside.
 */

const prefix = 'autoscaling.alpha.kubernetes.io/';
const carried = {
  metrics: `${prefix}metrics`,
  behavior: `${prefix}behavior`,
  conditions: `${prefix}conditions`,
  currentMetrics: `${prefix}current-metrics`,
} as const;

type Part = Record<string, unknown>;

const defined = (fields: Part): Part =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const partAt = (value: unknown, ...path: readonly string[]): Part => {
  const found = at(value, ...path);
  return isRecord(found) ? found : {};
};

const isCpuUtilization = (metric: unknown): boolean =>
  at(metric, 'type') === 'Resource' &&
  at(metric, 'resource', 'name') === 'cpu' &&
  at(metric, 'resource', 'target', 'averageUtilization') !== undefined;

/** A metric in the form of v1. */
function metricToV1(metric: unknown): unknown {
  const type = stringAt(metric, 'type') ?? '';
  const field = type.charAt(0).toLowerCase() + type.slice(1);
  const body = partAt(metric, field);
  const target = partAt(body, 'target');
  const { averageUtilization, averageValue, value } = target;
  const named = { metricName: at(body, 'metric', 'name'), selector: at(body, 'metric', 'selector') };
  const forms: Readonly<Record<string, Part>> = {
    resource: { name: body['name'], targetAverageUtilization: averageUtilization, targetAverageValue: averageValue },
    containerResource: {
      ...{ name: body['name'], targetAverageUtilization: averageUtilization, targetAverageValue: averageValue },
      container: body['container'],
    },
    pods: { metricName: named.metricName, targetAverageValue: averageValue, selector: named.selector },
    object: {
      ...{ target: body['describedObject'], metricName: named.metricName, targetValue: value ?? '0' },
      ...{ selector: named.selector, averageValue },
    },
    external: {
      ...{ metricName: named.metricName, metricSelector: named.selector },
      ...{ targetValue: value, targetAverageValue: averageValue },
    },
  };
  return { type, [field]: defined(forms[field] ?? {}) };
}

const targetOf = (utilization: unknown, average: unknown, value?: unknown): Part =>
  utilization !== undefined
    ? { type: 'Utilization', averageUtilization: utilization }
    : average !== undefined
      ? { type: 'AverageValue', averageValue: average }
      : { type: 'Value', value };

function metricFromV1(metric: unknown): unknown {
  const type = stringAt(metric, 'type') ?? '';
  const field = type.charAt(0).toLowerCase() + type.slice(1);
  const body = partAt(metric, field);
  const { targetAverageUtilization: utilization, targetAverageValue: average, targetValue: value } = body;
  const metricPart = defined({ name: body['metricName'], selector: body['selector'] ?? body['metricSelector'] });
  const forms: Readonly<Record<string, Part>> = {
    resource: { name: body['name'], target: targetOf(utilization, average) },
    containerResource: { name: body['name'], target: targetOf(utilization, average), container: body['container'] },
    pods: { metric: metricPart, target: targetOf(undefined, average) },
    object: {
      ...{ describedObject: body['target'], metric: metricPart },
      target: targetOf(undefined, body['averageValue'], value),
    },
    external: { metric: metricPart, target: targetOf(undefined, average, value) },
  };
  return { type, [field]: forms[field] ?? {} };
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function rulesToV1(rules: unknown): unknown {
  if (!isRecord(rules)) return null;
  const policies = listAt(rules, 'policies').map((policy) => ({
    Type: at(policy, 'type'),
    Value: at(policy, 'value'),
    PeriodSeconds: at(policy, 'periodSeconds'),
  }));
  return {
    StabilizationWindowSeconds: rules['stabilizationWindowSeconds'] ?? null,
    SelectPolicy: rules['selectPolicy'] ?? null,
    Policies: policies,
    Tolerance: rules['tolerance'] ?? null,
  };
}

/** Inner names begin with a capital; what is null was not there. */
function fromInner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromInner);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(entries.map(([key, child]) => [lower(key), fromInner(child)]));
}

function withAnnotations(object: KubeObject, changes: Readonly<Record<string, string | undefined>>): KubeObject {
  const kept = omit(object.metadata.annotations ?? {}, ...Object.values(carried));
  const given = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const annotations = { ...kept, ...Object.fromEntries(given) };
  const metadata = omit(object.metadata, 'annotations');
  return { ...object, metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) } };
}

const text = (list: readonly unknown[]): string | undefined => (list.length === 0 ? undefined : stringifyJson(list));

/** A stored autoscaler as autoscaling/v1 shows it. */
export function autoscalerToV1(object: KubeObject): KubeObject {
  const spec = partAt(object, 'spec');
  const status = partAt(object, 'status');
  const metrics = listAt(spec, 'metrics');
  const cpu = metrics.find(isCpuUtilization);
  const behavior = spec['behavior'];
  const percentage = at(cpu, 'resource', 'target', 'averageUtilization');
  const current = listAt(status, 'currentMetrics').find((metric) => at(metric, 'resource', 'name') === 'cpu');
  const shown = withAnnotations(object, {
    [carried.behavior]: isRecord(behavior)
      ? stringifyJson(Object.fromEntries(['scaleUp', 'scaleDown'].map((way) => [upper(way), rulesToV1(behavior[way])])))
      : undefined,
    [carried.metrics]: text(metrics.filter((metric) => metric !== cpu).map(metricToV1)),
    [carried.conditions]: text(
      listAt(status, 'conditions').map((one) =>
        defined({
          ...{ type: at(one, 'type'), status: at(one, 'status') },
          ...{
            lastTransitionTime: at(one, 'lastTransitionTime'),
            reason: at(one, 'reason'),
            message: at(one, 'message'),
          },
        }),
      ),
    ),
  });
  return {
    ...shown,
    spec: {
      ...omit(spec, 'metrics', 'behavior'),
      ...(percentage !== undefined && { targetCPUUtilizationPercentage: percentage }),
    },
    status: defined({
      observedGeneration: status['observedGeneration'],
      lastScaleTime: status['lastScaleTime'],
      currentReplicas: status['currentReplicas'] ?? 0,
      desiredReplicas: status['desiredReplicas'] ?? 0,
      currentCPUUtilizationPercentage: at(current, 'resource', 'current', 'averageUtilization'),
    }),
  };
}

function carriedValue(object: KubeObject, key: string): unknown {
  const found = object.metadata.annotations?.[key];
  if (found === undefined) return undefined;
  try {
    return parseJson(found);
  } catch {
    // As if it were not there: the API server drops what it cannot read.
    return undefined;
  }
}

/** An autoscaling/v1 autoscaler as it is stored. */
export function autoscalerFromV1(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: percentage, ...rest } = partAt(object, 'spec');
  const target = { type: 'Utilization', averageUtilization: percentage };
  const cpu = percentage === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', target } }];
  const others = carriedValue(object, carried.metrics);
  const metrics = [...(Array.isArray(others) ? others.map(metricFromV1) : []), ...cpu];
  const behavior = fromInner(carriedValue(object, carried.behavior));
  return {
    ...withAnnotations(object, {}),
    spec: { ...rest, ...(metrics.length > 0 && { metrics }), ...(isRecord(behavior) && { behavior }) },
  };
}
