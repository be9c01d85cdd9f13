import { isRecord } from '@tiphys/api';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkExpression, checkSelector, notAnOperator } from './metadata.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from './text-forms.ts';

const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
const soft = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Where a pod would rather be, or must. */
export function checkAffinity(affinity: unknown, path: string, faults: Faults): void {
  const nodes = partOf(affinity, 'nodeAffinity');
  if (isRecord(nodes[hard])) checkNodeTerms(nodes[hard], `${path}.nodeAffinity.${hard}`, faults);
  for (const [index, preferred] of itemsAt(nodes, soft).entries()) {
    const here = `${path}.nodeAffinity.${soft}[${index}]`;
    checkWeight(preferred, here, faults);
    checkNodeTerm(partOf(preferred, 'preference'), `${here}.preference`, faults);
  }
  for (const field of ['podAffinity', 'podAntiAffinity']) {
    const pods = partOf(affinity, field);
    for (const [index, term] of itemsAt(pods, hard).entries())
      checkPodTerm(term, `${path}.${field}.${hard}[${index}]`, faults);
    for (const [index, preferred] of itemsAt(pods, soft).entries()) {
      const here = `${path}.${field}.${soft}[${index}]`;
      checkWeight(preferred, here, faults);
      checkPodTerm(partOf(preferred, 'podAffinityTerm'), `${here}.podAffinityTerm`, faults);
    }
  }
}

function checkWeight(preferred: unknown, path: string, faults: Faults): void {
  const weight = numberIn(preferred, 'weight') ?? 0;
  if (weight < 1 || weight > 100) faults.invalid(`${path}.weight`, weight, 'must be in the range 1-100');
}

function checkNodeTerms(selector: unknown, path: string, faults: Faults): void {
  const terms = itemsAt(selector, 'nodeSelectorTerms');
  if (terms.length === 0) faults.required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term');
  for (const [index, term] of terms.entries()) checkNodeTerm(term, `${path}.nodeSelectorTerms[${index}]`, faults);
}

function checkNodeTerm(term: unknown, path: string, faults: Faults): void {
  for (const [index, expression] of itemsAt(term, 'matchExpressions').entries())
    checkExpression(expression, { path: `${path}.matchExpressions[${index}]`, ordered: 'single value' }, faults);
  for (const [index, expression] of itemsAt(term, 'matchFields').entries())
    checkNodeField(expression, `${path}.matchFields[${index}]`, faults);
}

function checkNodeField(expression: unknown, path: string, faults: Faults): void {
  const operator = textAt(expression, 'operator');
  const values = itemsAt(expression, 'values');
  if (operator !== 'In' && operator !== 'NotIn') faults.invalid(`${path}.operator`, operator, notAnOperator);
  else if (values.length !== 1)
    faults.required(
      `${path}.values`,
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
    );
  const key = textAt(expression, 'key');
  if (key !== 'metadata.name') {
    faults.invalid(`${path}.key`, key, 'not a valid field selector key');
    return;
  }
  for (const [index, value] of values.entries())
    faults.malformed(`${path}.values[${index}]`, String(value), dnsSubdomain(String(value)));
}

function checkPodTerm(term: unknown, path: string, faults: Faults): void {
  checkSelector(partOf(term, 'labelSelector'), `${path}.labelSelector`, faults);
  checkSelector(partOf(term, 'namespaceSelector'), `${path}.namespaceSelector`, faults);
  for (const name of itemsAt(term, 'namespaces'))
    faults.malformed(`${path}.namespace`, String(name), dnsLabel(String(name)));
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys']) checkLabelKeys(term, { path, field }, faults);
  const others = itemsAt(term, 'mismatchLabelKeys');
  for (const [index, key] of itemsAt(term, 'matchLabelKeys').entries())
    if (others.includes(key))
      faults.invalid(`${path}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  const topology = textAt(term, 'topologyKey');
  if (topology === '') faults.required(`${path}.topologyKey`, 'can not be empty');
  faults.malformed(`${path}.topologyKey`, topology, qualifiedName(topology));
}

/** Labels whose values a term takes from the pod itself. */
function checkLabelKeys(
  term: unknown,
  { path, field }: Readonly<{ path: string; field: string }>,
  faults: Faults,
): void {
  const keys = itemsAt(term, field);
  if (keys.length === 0) return;
  if (!isRecord(term) || !isRecord(term['labelSelector'])) {
    faults.forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set');
    return;
  }
  for (const [index, key] of keys.entries())
    faults.malformed(`${path}.${field}[${index}]`, String(key), qualifiedName(String(key)));
}

/** How pods are to be spread over the nodes. */
export function checkSpread(constraints: readonly unknown[], path: string, faults: Faults): void {
  const shown = (one: unknown): string => `{${textAt(one, 'topologyKey')}, ${textAt(one, 'whenUnsatisfiable')}}`;
  for (const [index, constraint] of constraints.entries()) {
    const here = `${path}[${index}]`;
    checkConstraint(constraint, here, faults);
    for (const other of constraints.slice(index + 1))
      if (shown(other) === shown(constraint))
        faults.duplicate(`${here}.{topologyKey, whenUnsatisfiable}`, shown(constraint));
    checkLabelKeys(constraint, { path: here, field: 'matchLabelKeys' }, faults);
    checkSelector(partOf(constraint, 'labelSelector'), `${here}.labelSelector`, faults);
  }
}

function checkConstraint(constraint: unknown, path: string, faults: Faults): void {
  const positive = 'must be greater than zero';
  const skew = numberIn(constraint, 'maxSkew') ?? 0;
  if (skew <= 0) faults.invalid(`${path}.maxSkew`, skew, positive);
  if (textAt(constraint, 'topologyKey') === '') faults.required(`${path}.topologyKey`, 'can not be empty');
  const action = textAt(constraint, 'whenUnsatisfiable');
  if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway')
    faults.unsupported(`${path}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']);
  const domains = numberIn(constraint, 'minDomains');
  if (domains !== undefined && domains <= 0) faults.invalid(`${path}.minDomains`, domains, positive);
  if (domains !== undefined && action !== 'DoNotSchedule')
    faults.invalid(
      `${path}.minDomains`,
      domains,
      `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`,
    );
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
    const policy = isRecord(constraint) ? constraint[field] : undefined;
    if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore')
      faults.unsupported(`${path}.${field}`, policy, ['Honor', 'Ignore']);
  }
}
