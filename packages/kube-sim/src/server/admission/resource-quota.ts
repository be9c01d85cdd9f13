import { at, isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  negated,
  zeroQuantity,
  type Quantity,
} from '../../schema/quantity.ts';
import type { ResourceType } from '../../schema/types.ts';
import { forbidden, resourceText } from '../refusal.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { amountsOf, podAmounts, resourcesBehind, sum, usageOf, type Amounts } from './usage.ts';

const quotas = 'resourcequotas';

const isBestEffort = (pod: KubeObject): boolean =>
  podAmounts(pod, 'requests').size === 0 && podAmounts(pod, 'limits').size === 0;

/** Whether a pod lies in a scope of a quota. */
function inScope(pod: KubeObject, scope: unknown): boolean {
  const name = typeof scope === 'string' ? scope : stringAt(scope, 'scopeName');
  const isTerminating = at(pod, 'spec', 'activeDeadlineSeconds') !== undefined;
  switch (name) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass': {
      const priority = stringAt(pod, 'spec', 'priorityClassName') ?? '';
      const operator = stringAt(scope, 'operator');
      if (operator === 'Exists' || operator === undefined) return priority !== '';
      if (operator === 'DoesNotExist') return priority === '';
      return listAt(scope, 'values').includes(priority) === (operator === 'In');
    }
    default:
      return false;
  }
}

/** Quotas with scopes are about pods alone. */
function covers(quota: KubeObject, resource: string, object: KubeObject): boolean {
  const scopes = [...listAt(quota, 'spec', 'scopes'), ...listAt(quota, 'spec', 'scopeSelector', 'matchExpressions')];
  return scopes.length === 0 || (resource === 'pods' && scopes.every((scope) => inScope(object, scope)));
}

/** What a namespace uses of everything that a quota limits. */
export function usedOf(quota: KubeObject, store: ObjectStore): Amounts {
  const hard = amountsOf(at(quota, 'spec', 'hard'));
  const resources = new Set([...hard.keys()].flatMap(resourcesBehind));
  const { namespace = '' } = quota.metadata;
  const usages = [...resources].flatMap((resource) =>
    store
      .list(resource, namespace)
      .filter((object) => covers(quota, resource, object))
      .map((object) => usageOf(resource, object)),
  );
  const total = sum(usages);
  return new Map([...hard.keys()].map((name) => [name, total.get(name) ?? zeroQuantity]));
}

/** Amounts as a resource list. */
export const listed = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]));

const pretty = (names: readonly string[], amounts: Amounts): string =>
  names.map((name) => `${name}=${formatQuantity(amounts.get(name) ?? zeroQuantity)}`).join(',');

const mustBeStated = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/** Which containers do not say how much they want of what a quota limits. */
function unstated(hard: Amounts, pod: KubeObject): string {
  const containers = [...listAt(pod, 'spec', 'initContainers'), ...listAt(pod, 'spec', 'containers')];
  const missing = [...hard.keys()].sort().flatMap((name) => {
    if (!mustBeStated.has(name)) return [];
    const kind = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(?:limits|requests)\./, '');
    const names = containers
      .filter((container) => at(container, 'resources', kind, resource) === undefined)
      .map((container) => stringAt(container, 'name') ?? '');
    return names.length === 0 ? [] : [`${name} for: ${names.sort().join(',')}`];
  });
  return missing.join('; ');
}

function difference(usage: Amounts, before: Amounts): Amounts {
  const names = [...usage.keys()];
  return new Map(
    names.map((name) => [
      name,
      addQuantities(usage.get(name) ?? zeroQuantity, negated(before.get(name) ?? zeroQuantity)),
    ]),
  );
}

const isPositive = (amount: Quantity): boolean => amount.unscaled > 0n;

type Write = Readonly<{ type: ResourceType; object: KubeObject; old?: KubeObject }>;

/**
 * Checks a write against the quotas of its namespace.
 * @throws Refusal 403 when one of them is exceeded, or cannot tell because the pod does not say what it wants
 */
export function checkQuota(store: ObjectStore, { type, object, old }: Write): void {
  if (!type.namespaced || store.count(quotas) === 0) return;
  const resource = resourceText(type);
  const { namespace = '', name = '' } = object.metadata;
  for (const quota of store.list(quotas, namespace)) {
    const hard = amountsOf(at(quota, 'spec', 'hard'));
    const isConcerned = [...hard.keys()].some((entry) => resourcesBehind(entry).includes(resource));
    if (!isConcerned || !covers(quota, resource, object)) continue;
    const refuse = (why: string) => forbidden(type, name, { why });
    const quotaName = quota.metadata.name ?? '';
    if (resource === 'pods' && old === undefined) {
      const missing = unstated(hard, object);
      if (missing !== '') throw refuse(`failed quota: ${quotaName}: must specify ${missing}`);
    }
    const asked = difference(usageOf(resource, object), old === undefined ? new Map() : usageOf(resource, old));
    const used = usedOf(quota, store);
    const exceeded = [...hard].flatMap(([entry, limit]) => {
      const more = asked.get(entry) ?? zeroQuantity;
      const total = addQuantities(used.get(entry) ?? zeroQuantity, more);
      return isPositive(more) && compareQuantities(total, limit) > 0 ? [entry] : [];
    });
    if (exceeded.length === 0) continue;
    const names = exceeded.sort();
    throw refuse(
      `exceeded quota: ${quotaName}, requested: ${pretty(names, asked)}, used: ${pretty(names, used)}, limited: ${pretty(names, hard)}`,
    );
  }
}

/** The status of a quota: its limits, and what is used of them. */
export const quotaStatus = (quota: KubeObject, store: ObjectStore): Record<string, unknown> => {
  const hard: unknown = at(quota, 'spec', 'hard');
  return { hard: isRecord(hard) ? hard : {}, used: listed(usedOf(quota, store)) };
};
