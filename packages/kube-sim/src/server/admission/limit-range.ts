import { at, isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { compareQuantities, formatQuantity, quantityNumber } from '../../schema/quantity.ts';
import type { ResourceType } from '../../schema/types.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { forbidden, resourceText } from '../refusal.ts';
import { amountsOf, podAmounts, type Amounts } from './usage.ts';

const ranges = 'limitranges';

const itemsFor = (store: ObjectStore, namespace: string, type: string): readonly unknown[] =>
  store
    .list(ranges, namespace)
    .flatMap((range) => listAt(range, 'spec', 'limits'))
    .filter((item) => at(item, 'type') === type);

function defaultsFrom(items: readonly unknown[], field: string): Record<string, unknown> {
  const lists = items.map((item) => at(item, field)).filter(isRecord);
  return Object.fromEntries(lists.flatMap((list) => Object.entries(list)));
}

type Added = Readonly<{ container: unknown; texts: readonly string[] }>;

/** A container with what it does not say itself, and a text for each kind of it. */
function completed(
  container: unknown,
  more: Readonly<{ requests: Record<string, unknown>; limits: Record<string, unknown>; title: string }>,
): Added {
  if (!isRecord(container)) return { container, texts: [] };
  const resources = isRecord(container['resources']) ? container['resources'] : {};
  const own = (kind: string): Record<string, unknown> => (isRecord(resources[kind]) ? resources[kind] : {});
  const missing = (wanted: Record<string, unknown>, kind: string): string[] =>
    Object.keys(wanted)
      .filter((name) => own(kind)[name] === undefined)
      .sort();
  const [requests, limits] = [missing(more.requests, 'requests'), missing(more.limits, 'limits')];
  if (requests.length === 0 && limits.length === 0) return { container, texts: [] };
  const title = `${more.title} ${String(container['name'])}`;
  return {
    container: {
      ...container,
      resources: {
        ...resources,
        ...((limits.length > 0 || resources['limits'] !== undefined) && {
          limits: { ...more.limits, ...own('limits') },
        }),
        ...((requests.length > 0 || resources['requests'] !== undefined) && {
          requests: { ...more.requests, ...own('requests') },
        }),
      },
    },
    texts: [
      ...(requests.length > 0 ? [`${requests.join(', ')} request for ${title}`] : []),
      ...(limits.length > 0 ? [`${limits.join(', ')} limit for ${title}`] : []),
    ],
  };
}

/** A new pod with the defaults of the limit ranges of its namespace. */
export function withLimitDefaults(pod: KubeObject, store: ObjectStore, namespace: string): KubeObject {
  const items = itemsFor(store, namespace, 'Container');
  if (items.length === 0 || !isRecord(pod['spec'])) return pod;
  const defaults = { requests: defaultsFrom(items, 'defaultRequest'), limits: defaultsFrom(items, 'default') };
  const { spec } = pod;
  const complete = (field: string, title: string): readonly Added[] =>
    listAt(spec, field).map((container) => completed(container, { ...defaults, title }));
  const [containers, init] = [complete('containers', 'container'), complete('initContainers', 'init container')];
  const texts = [...containers, ...init].flatMap((added) => added.texts);
  if (texts.length === 0) return pod;
  const annotations = {
    ...pod.metadata.annotations,
    'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${texts.join('; ')}`,
  };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: {
      ...spec,
      containers: containers.map((added) => added.container),
      ...(init.length > 0 && { initContainers: init.map((added) => added.container) }),
    },
  };
}

type Asked = Readonly<{ title: string; requests: Amounts; limits: Amounts }>;

/** What one item of a limit range says against what is asked. */
function faultsOf(item: unknown, { title, requests, limits }: Asked): string[] {
  const faults: string[] = [];
  const bound = (field: string) => amountsOf(at(item, field));
  for (const [name, min] of bound('min')) {
    const [request, limit] = [requests.get(name), limits.get(name)];
    const rule = `minimum ${name} usage per ${title} is ${formatQuantity(min)}`;
    if (request === undefined) faults.push(`${rule}.  No request is specified`);
    else if (compareQuantities(request, min) < 0) faults.push(`${rule}, but request is ${formatQuantity(request)}`);
    else if (limit !== undefined && compareQuantities(limit, min) < 0)
      faults.push(`${rule}, but limit is ${formatQuantity(limit)}`);
  }
  for (const [name, max] of bound('max')) {
    const [request, limit] = [requests.get(name), limits.get(name)];
    const rule = `maximum ${name} usage per ${title} is ${formatQuantity(max)}`;
    if (limit === undefined) faults.push(`${rule}.  No limit is specified`);
    else if (compareQuantities(limit, max) > 0) faults.push(`${rule}, but limit is ${formatQuantity(limit)}`);
    else if (request !== undefined && compareQuantities(request, max) > 0)
      faults.push(`${rule}, but request is ${formatQuantity(request)}`);
  }
  for (const [name, ratio] of bound('maxLimitRequestRatio')) {
    const [request, limit] = [requests.get(name), limits.get(name)];
    const rule = `${name} max limit to request ratio per ${title} is ${formatQuantity(ratio)}`;
    if (request === undefined || request.unscaled === 0n) {
      faults.push(`${rule}, but no request is specified or request is 0`);
      continue;
    }
    if (limit === undefined || limit.unscaled === 0n) {
      faults.push(`${rule}, but no limit is specified or limit is 0`);
      continue;
    }
    const found = quantityNumber(limit) / quantityNumber(request);
    if (found > quantityNumber(ratio)) faults.push(`${rule}, but provided ratio is ${found.toFixed(6)}`);
  }
  return faults;
}

function podFaults(pod: KubeObject, store: ObjectStore, namespace: string): string[] {
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')];
  const each = itemsFor(store, namespace, 'Container').flatMap((item) =>
    containers.flatMap((container) =>
      faultsOf(item, {
        title: 'Container',
        requests: amountsOf(at(container, 'resources', 'requests')),
        limits: amountsOf(at(container, 'resources', 'limits')),
      }),
    ),
  );
  const [requests, limits] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')];
  const together = itemsFor(store, namespace, 'Pod').flatMap((item) =>
    faultsOf(item, { title: 'Pod', requests, limits }),
  );
  return [...each, ...together];
}

function claimFaults(claim: KubeObject, store: ObjectStore, namespace: string): string[] {
  const requests = amountsOf(at(claim, 'spec', 'resources', 'requests'));
  return itemsFor(store, namespace, 'PersistentVolumeClaim').flatMap((item) => {
    // A claim has no limits, so its request stands for both.
    const asked = { title: 'PersistentVolumeClaim', requests, limits: requests };
    return faultsOf(item, asked)
      .map((fault) => fault.replace(', but limit is', ', but request is'))
      .filter((fault, index, all) => all.indexOf(fault) === index);
  });
}

/**
 * Checks a new object against the limit ranges of its namespace.
 * @throws Refusal 403
 */
export function checkLimitRanges(store: ObjectStore, object: KubeObject, type: ResourceType): void {
  const resource = resourceText(type);
  if ((resource !== 'pods' && resource !== 'persistentvolumeclaims') || store.count(ranges) === 0) return;
  const namespace = object.metadata.namespace ?? '';
  const faults = resource === 'pods' ? podFaults(object, store, namespace) : claimFaults(object, store, namespace);
  const unique = [...new Set(faults)];
  if (unique.length === 0) return;
  const why = unique.length === 1 ? unique.join('') : `[${unique.join(', ')}]`;
  throw forbidden(type, stringAt(object, 'metadata', 'name') ?? '', { why });
}
