import { isRecord } from '@tiphys/api';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { partOf, textAt, type Faults } from './faults.ts';
import { qualifiedName } from './text-forms.ts';

/** What a pod may tell its containers about itself; `metadata.labels['x']` besides. */
const known = [
  ...['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'],
  ...['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName'],
  ...['status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
];

const inEnvironment = [
  ...['metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName'],
  ...['status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
];

const inVolume = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

type Place = Readonly<{ path: string; where: 'environment' | 'volume' }>;

/** A reference to a field of the pod itself. */
export function checkFieldRef(reference: unknown, { path, where }: Place, faults: Faults): void {
  const field = textAt(reference, 'fieldPath');
  const fieldPath = `${path}.fieldPath`;
  if (field === '') {
    faults.required(fieldPath);
    return;
  }
  const [, part, subscript = ''] = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(field) ?? [];
  if (part !== undefined) {
    const key = part === 'metadata.annotations' ? subscript.toLowerCase() : subscript;
    faults.malformed(path, key, qualifiedName(key));
    return;
  }
  if (!known.includes(field)) {
    faults.invalid(fieldPath, field, `error converting fieldPath: field label not supported: ${field}`);
    return;
  }
  const allowed = where === 'environment' ? inEnvironment : inVolume;
  if (!allowed.includes(field)) faults.unsupported(fieldPath, field, allowed);
}

const resources = ['limits', 'requests'].flatMap((part) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${part}.${name}`),
);

const sizes = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';

/** Units in which a resource may be told. */
const divisors: Readonly<Record<string, readonly string[]>> = {
  cpu: ['1m', '1'],
  memory: sizes.split(', '),
  'ephemeral-storage': sizes.split(', '),
};

/** A reference to a resource of a container. */
export function checkResourceRef(reference: unknown, { path, where }: Place, faults: Faults): void {
  const resource = textAt(reference, 'resource');
  if (where === 'volume' && textAt(reference, 'containerName') === '') faults.required(`${path}.containerName`);
  else if (resource === '') faults.required(`${path}.resource`);
  else if (!resources.includes(resource) && !/^(?:limits|requests)\.hugepages-/.test(resource))
    faults.unsupported(`${path}.resource`, resource, resources);
  const name = resource.replace(/^\w+\./, '');
  const allowed = divisors[name];
  const text = isRecord(reference) ? reference['divisor'] : undefined;
  const divisor = typeof text === 'string' && text !== '0' ? parseQuantity(text) : undefined;
  if (allowed === undefined || divisor === undefined) return;
  const isAllowed = allowed.some((one) => {
    const quantity = parseQuantity(one);
    return quantity !== undefined && compareQuantities(quantity, divisor) === 0;
  });
  const list = name === 'cpu' ? '1m and 1' : sizes;
  if (!isAllowed)
    faults.invalid(
      `${path}.divisor`,
      resource,
      `only divisor's values ${list} are supported with the ${name} resource`,
    );
}

/** One item of a volume that tells a pod about itself. */
export function checkDownwardItem(item: unknown, path: string, faults: Faults): void {
  const field = isRecord(item) && isRecord(item['fieldRef']);
  const resource = isRecord(item) && isRecord(item['resourceFieldRef']);
  if (field && resource)
    faults.invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  else if (field) checkFieldRef(partOf(item, 'fieldRef'), { path: `${path}.fieldRef`, where: 'volume' }, faults);
  else if (resource)
    checkResourceRef(partOf(item, 'resourceFieldRef'), { path: `${path}.resourceFieldRef`, where: 'volume' }, faults);
  else faults.required(path, 'one of fieldRef and resourceFieldRef is required');
}
