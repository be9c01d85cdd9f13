import { isIP } from 'node:net';
import { isRecord } from '@tiphys/api';
import { parseQuantity } from '../quantity.ts';
import { checkAffinity, checkSpread } from './affinity.ts';
import { checkContainer, checkInitContainer } from './container.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkLabels } from './metadata.ts';
import { checkVolumes } from './pod-volumes.ts';
import { checkPodSecurity } from './security-context.ts';
import { dnsLabel, dnsSubdomain, labelValueForm, qualifiedName, searchDomain } from './text-forms.ts';

/** A pod template: its labels, annotations and spec. */
export function checkPodTemplate(template: unknown, path: string, faults: Faults): void {
  checkLabels(partOf(template, 'metadata')['labels'], `${path}.labels`, faults);
  for (const key of Object.keys(partOf(partOf(template, 'metadata'), 'annotations')))
    faults.malformed(`${path}.annotations`, key, qualifiedName(key.toLowerCase()));
  checkPodSpec(partOf(template, 'spec'), `${path}.spec`, faults);
  if (itemsAt(partOf(template, 'spec'), 'ephemeralContainers').length > 0)
    faults.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
}

/** Volumes, containers, and the fields whose values are few. */
export function checkPodSpec(spec: Record<string, unknown>, path: string, faults: Faults): void {
  const volumes = checkVolumes(itemsAt(spec, 'volumes'), `${path}.volumes`, faults);
  const containers = itemsAt(spec, 'containers');
  const pod = { volumes, names: new Set<string>(), spec };
  if (containers.length === 0) faults.required(`${path}.containers`);
  for (const [index, container] of containers.entries())
    checkContainer(container, { path: `${path}.containers[${index}]`, pod }, faults);
  for (const [index, container] of itemsAt(spec, 'initContainers').entries())
    checkInitContainer(container, { path: `${path}.initContainers[${index}]`, pod }, faults);
  faults.oneOf(`${path}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never']);
  faults.oneOf(`${path}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  checkLabels(spec['nodeSelector'], `${path}.nodeSelector`, faults);
  checkPodSecurity(spec, path, faults);
  checkAffinity(spec['affinity'], `${path}.affinity`, faults);
  checkResolver(spec, path, faults);
  checkGates(spec, path, faults);
  checkSpread(itemsAt(spec, 'topologySpreadConstraints'), `${path}.topologySpreadConstraints`, faults);
  checkNames(spec, path, faults);
  const system = partOf(spec, 'os')['name'];
  if (isRecord(spec['os']) && system !== 'linux' && system !== 'windows')
    faults.unsupported(`${path}.os`, system ?? '', ['linux', 'windows']);
}

/** What a pod is called, and what it names. */
function checkNames(spec: Record<string, unknown>, path: string, faults: Faults): void {
  named(spec, { field: 'serviceAccountName', form: dnsSubdomain, path }, faults);
  named(spec, { field: 'nodeName', form: dnsSubdomain, path }, faults);
  const deadline = numberIn(spec, 'activeDeadlineSeconds');
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647))
    faults.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive');
  named(spec, { field: 'hostname', form: dnsLabel, path }, faults);
  named(spec, { field: 'subdomain', form: dnsLabel, path }, faults);
  checkTolerations(itemsAt(spec, 'tolerations'), `${path}.tolerations`, faults);
  checkHostAliases(itemsAt(spec, 'hostAliases'), `${path}.hostAliases`, faults);
  named(spec, { field: 'priorityClassName', form: dnsSubdomain, path }, faults);
  named(spec, { field: 'runtimeClassName', form: dnsSubdomain, path }, faults);
  const preemption = textAt(spec, 'preemptionPolicy');
  const preemptions = ['PreemptLowerPriority', 'Never'];
  if (preemption !== '' && !preemptions.includes(preemption))
    faults.unsupported(`${path}.preemptionPolicy`, preemption, preemptions);
  for (const [name, value] of Object.entries(partOf(spec, 'overhead')))
    if ((parseQuantity(String(value))?.unscaled ?? 0n) < 0n)
      faults.invalid(`${path}.overhead.limits[${name}]`, value, 'must be greater than or equal to 0');
}

function checkGates(spec: Record<string, unknown>, path: string, faults: Faults): void {
  for (const [index, gate] of itemsAt(spec, 'readinessGates').entries()) {
    const type = textAt(gate, 'conditionType');
    faults.malformed(`${path}.readinessGates[${index}].conditionType`, type, qualifiedName(type));
  }
  const names = new Set<string>();
  for (const [index, gate] of itemsAt(spec, 'schedulingGates').entries()) {
    const name = textAt(gate, 'name');
    faults.malformed(`${path}.schedulingGates[${index}]`, name, qualifiedName(name));
    if (names.has(name)) faults.duplicate(`${path}.schedulingGates[${index}]`, name);
    names.add(name);
  }
}

type Named = Readonly<{ field: string; form: (text: string) => string[]; path: string }>;

function named(spec: Record<string, unknown>, { field, form, path }: Named, faults: Faults): void {
  const value = textAt(spec, field);
  if (value !== '') faults.malformed(`${path}.${field}`, value, form(value));
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function checkTolerations(tolerations: readonly unknown[], path: string, faults: Faults): void {
  for (const [index, toleration] of tolerations.entries()) {
    const here = `${path}[${index}]`;
    const key = textAt(toleration, 'key');
    const operator = textAt(toleration, 'operator');
    const value = textAt(toleration, 'value');
    const effect = textAt(toleration, 'effect');
    if (key !== '') faults.malformed(`${here}.key`, key, qualifiedName(key));
    if (key === '' && operator !== 'Exists')
      faults.invalid(
        `${here}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (numberIn(toleration, 'tolerationSeconds') !== undefined && effect !== 'NoExecute')
      faults.invalid(`${here}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (operator === '' || operator === 'Equal') faults.malformed(`${here}.operator`, value, labelValueForm(value));
    else if (operator !== 'Exists') faults.unsupported(`${here}.operator`, operator, ['Equal', 'Exists']);
    else if (value !== '') faults.invalid(`${here}.operator`, value, "value must be empty when `operator` is 'Exists'");
    if (effect !== '' && !effects.includes(effect)) faults.unsupported(`${here}.effect`, effect, effects);
  }
}

const ipFault = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

/** How a pod finds addresses. */
function checkResolver(spec: Record<string, unknown>, path: string, faults: Faults): void {
  const config = spec['dnsConfig'];
  const servers = itemsAt(config, 'nameservers');
  const here = `${path}.dnsConfig`;
  if (spec['dnsPolicy'] === 'None' && !isRecord(config))
    faults.required(here, 'must provide `dnsConfig` when `dnsPolicy` is None');
  else if (spec['dnsPolicy'] === 'None' && servers.length === 0)
    faults.required(`${here}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None');
  if (servers.length > 3) faults.invalid(`${here}.nameservers`, servers, 'must not have more than 3 nameservers');
  for (const [index, server] of servers.entries())
    if (isIP(String(server)) === 0) faults.invalid(`${here}.nameservers[${index}]`, server, ipFault);
  for (const [index, search] of itemsAt(config, 'searches').entries()) {
    const domain = String(search) === '.' ? '' : String(search).replace(/\.$/, '');
    if (domain !== '') faults.malformed(`${here}.searches[${index}]`, domain, searchDomain(domain));
  }
  for (const [index, option] of itemsAt(config, 'options').entries())
    if (textAt(option, 'name') === '') faults.required(`${here}.options[${index}]`, 'must not be empty');
}

function checkHostAliases(aliases: readonly unknown[], path: string, faults: Faults): void {
  for (const [index, alias] of aliases.entries()) {
    const ip = textAt(alias, 'ip');
    if (isIP(ip) === 0) faults.invalid(`${path}[${index}].ip`, ip, ipFault);
    for (const [at, name] of itemsAt(alias, 'hostnames').entries())
      faults.malformed(`${path}[${index}].hostnames[${at}]`, String(name), dnsSubdomain(String(name)));
  }
}
