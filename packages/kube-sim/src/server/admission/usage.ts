import { at, isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { addQuantities, compareQuantities, parseQuantity, zeroQuantity, type Quantity } from '../../schema/quantity.ts';

/** Amounts by the name of a resource: what a pod asks for, what a namespace uses, what a quota allows. */
export type Amounts = ReadonlyMap<string, Quantity>;

const one: Quantity = { unscaled: 1n, scale: 0, family: 'decimal' };

const count = (number: number): Quantity => ({ unscaled: BigInt(number), scale: 0, family: 'decimal' });

/** A resource list (`{cpu: 100m}`) as amounts; what is no quantity is left out. */
export function amountsOf(value: unknown): Amounts {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return new Map(
    entries.flatMap(([name, text]) => {
      const quantity = parseQuantity(String(text));
      return quantity === undefined ? [] : [[name, quantity] as const];
    }),
  );
}

export function sum(all: readonly Amounts[]): Amounts {
  const total = new Map<string, Quantity>();
  for (const amounts of all)
    for (const [name, amount] of amounts) total.set(name, addQuantities(total.get(name) ?? zeroQuantity, amount));
  return total;
}

function largest(all: readonly Amounts[]): Amounts {
  const result = new Map<string, Quantity>();
  for (const amounts of all)
    for (const [name, amount] of amounts) {
      const known = result.get(name);
      if (known === undefined || compareQuantities(amount, known) > 0) result.set(name, amount);
    }
  return result;
}

/** What a pod asks for or is limited to: its containers together, or its greediest init container. */
export function podAmounts(pod: KubeObject, kind: 'requests' | 'limits'): Amounts {
  const of = (field: string): readonly (readonly [unknown, Amounts])[] =>
    listAt(pod, 'spec', field).map((container) => [container, amountsOf(at(container, 'resources', kind))] as const);
  const init = of('initContainers');
  const sidecars = init
    .filter(([container]) => at(container, 'restartPolicy') === 'Always')
    .map(([, amounts]) => amounts);
  const others = init
    .filter(([container]) => at(container, 'restartPolicy') !== 'Always')
    .map(([, amounts]) => amounts);
  const running = sum([...of('containers').map(([, amounts]) => amounts), ...sidecars]);
  const overhead = kind === 'requests' ? [amountsOf(at(pod, 'spec', 'overhead'))] : [];
  return sum([largest([running, ...others]), ...overhead]);
}

const hasEnded = (pod: KubeObject): boolean => ['Failed', 'Succeeded'].includes(stringAt(pod, 'status', 'phase') ?? '');

function podUsage(pod: KubeObject): Amounts {
  if (hasEnded(pod)) return new Map();
  const usage = new Map<string, Quantity>([['pods', one]]);
  for (const [name, amount] of podAmounts(pod, 'requests')) {
    // Of requests for what is neither CPU nor memory only some names stand for themselves.
    if (['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-')) usage.set(name, amount);
    usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of podAmounts(pod, 'limits')) usage.set(`limits.${name}`, amount);
  return usage;
}

function serviceUsage(service: KubeObject): Amounts {
  const type = stringAt(service, 'spec', 'type');
  const ports = listAt(service, 'spec', 'ports').length;
  const hasNodePorts = type === 'NodePort' || type === 'LoadBalancer';
  return new Map([
    ['services', one],
    ['services.nodeports', count(hasNodePorts ? ports : 0)],
    ['services.loadbalancers', count(type === 'LoadBalancer' ? 1 : 0)],
  ]);
}

function claimUsage(claim: KubeObject): Amounts {
  const storage = amountsOf(at(claim, 'spec', 'resources', 'requests')).get('storage') ?? zeroQuantity;
  const usage = new Map([
    ['persistentvolumeclaims', one],
    ['requests.storage', storage],
  ]);
  const storageClass = stringAt(claim, 'spec', 'storageClassName');
  if (storageClass !== undefined) {
    usage.set(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, one);
    usage.set(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, storage);
  }
  return usage;
}

const byResource: Readonly<Record<string, (object: KubeObject) => Amounts>> = {
  pods: podUsage,
  services: serviceUsage,
  persistentvolumeclaims: claimUsage,
};

/** Resources that are counted under their plain name too. */
const counted = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

/** What one object uses up of a quota. The resource as `plural.group`. */
export function usageOf(resource: string, object: KubeObject): Amounts {
  const usage = new Map(byResource[resource]?.(object));
  usage.set(`count/${resource}`, one);
  if (counted.has(resource)) usage.set(resource, one);
  return usage;
}

/** Which resources (`plural.group`) count towards an entry of a quota. */
export function resourcesBehind(entry: string): readonly string[] {
  if (entry.startsWith('count/')) return [entry.slice('count/'.length)];
  if (counted.has(entry)) return [entry];
  if (entry === 'services' || entry.startsWith('services.')) return ['services'];
  if (entry === 'persistentvolumeclaims' || entry === 'requests.storage' || entry.includes('.storageclass.storage'))
    return ['persistentvolumeclaims'];
  return ['pods'];
}
