import { compareQuantities, parseQuantity } from '../quantity.ts';
import { itemsAt, partOf, textAt, type Faults } from './faults.ts';

const known = /^(?:cpu|memory|storage|ephemeral-storage|hugepages-.+|.+\/.+)$/;
const ofContainers = /^(?:cpu|memory|ephemeral-storage|hugepages-.+|.+\/.+)$/;

/** Devices and the like: whole ones, and a container gets what it may use. */
const isExtended = (name: string): boolean => name.includes('/') && !/(?:^|\.)kubernetes\.io\//.test(name);
const isFixed = (name: string): boolean => isExtended(name) || name.startsWith('hugepages-');

type List = Readonly<Record<string, unknown>>;
type Amount = Readonly<{ name: string; value: unknown }>;
type Place = Readonly<{ path: string; claims: readonly string[] }>;

const quantityOf = (value: unknown) => (typeof value === 'string' ? parseQuantity(value) : undefined);

/** Requests and limits of a container. `claims`: the names of the pod's resource claims. */
export function checkContainerResources(resources: List, { path, claims }: Place, faults: Faults): void {
  const limits = partOf(resources, 'limits');
  const requests = partOf(resources, 'requests');
  for (const [field, list] of [
    ['limits', limits],
    ['requests', requests],
  ] as const)
    for (const [name, value] of Object.entries(list)) checkOne({ name, value }, `${path}.${field}[${name}]`, faults);
  for (const [name, value] of Object.entries(requests)) checkRequest({ name, value }, { path, limits }, faults);
  const names = Object.keys({ ...limits, ...requests });
  const hasHuge = names.some((name) => name.startsWith('hugepages-'));
  if (hasHuge && !names.includes('cpu') && !names.includes('memory'))
    faults.forbidden(path, 'HugePages require cpu or memory');
  for (const [index, claim] of itemsAt(resources, 'claims').entries()) {
    const name = textAt(claim, 'name');
    if (claims.includes(name)) continue;
    const detail = `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims`;
    faults.add(
      `${path}.claims[${index}]`,
      'FieldValueNotFound',
      claims.length === 0 ? `${detail} which is empty` : detail,
    );
  }
}

function checkOne({ name, value }: Amount, path: string, faults: Faults): void {
  if (!known.test(name)) faults.invalid(path, name, 'must be a standard resource type or fully qualified');
  if (!ofContainers.test(name)) faults.invalid(path, name, 'must be a standard resource for containers');
  const quantity = quantityOf(value);
  if (quantity === undefined) return;
  if (quantity.unscaled < 0n) faults.invalid(path, value, 'must be greater than or equal to 0');
  if (isExtended(name) && !/^[+-]?\d+$/.test(inUnits(value))) faults.invalid(path, value, 'must be an integer');
}

/** A quantity without fractions as plain digits; others as they are. */
function inUnits(value: unknown): string {
  const text = String(value);
  return /^[+-]?\d+(?:[kMGTPE]i?|e\d+)?$/.test(text) ? text.replace(/(?:[kMGTPE]i?|e\d+)$/, '') : text;
}

type RequestPlace = Readonly<{ path: string; limits: List }>;

function checkRequest({ name, value }: Amount, { path, limits }: RequestPlace, faults: Faults): void {
  const limit = limits[name];
  const [asked, allowed] = [quantityOf(value), quantityOf(limit)];
  if (isFixed(name) && limit === undefined) {
    faults.required(`${path}.limits`, 'Limit must be set for non overcommitable resources');
    return;
  }
  if (asked === undefined || allowed === undefined) return;
  const order = compareQuantities(asked, allowed);
  if (isFixed(name) && order !== 0)
    faults.invalid(`${path}.requests`, value, `must be equal to ${name} limit of ${String(limit)}`);
  else if (order > 0)
    faults.invalid(`${path}.requests`, value, `must be less than or equal to ${name} limit of ${String(limit)}`);
}
