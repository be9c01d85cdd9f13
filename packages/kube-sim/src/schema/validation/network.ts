import { isIP, isIPv6 } from 'node:net';
import { isRecord, type KubeObject } from '@tiphys/api';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkLabels, checkSelector } from './metadata.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, portName, qualifiedName, wildcardSubdomain } from './text-forms.ts';
import { immutable, type KindCheck } from './workloads.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

const isHeadless = (spec: Record<string, unknown>): boolean =>
  itemsAt(spec, 'clusterIPs')[0] === 'None' || spec['clusterIP'] === 'None';

const service: KindCheck = (object, old, faults) => {
  const spec = partOf(object, 'spec');
  const type = textAt(spec, 'type');
  const ports = itemsAt(spec, 'ports');
  if (old !== undefined) checkAddressesKept(spec, partOf(old, 'spec'), faults);
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') faults.required('spec.ports');
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort'))
    faults.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`);
  if (type === 'ExternalName') checkExternalName(spec, faults);
  checkServicePorts(spec, faults);
  checkLabels(spec['selector'], 'spec.selector', faults);
  faults.oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']);
  if (type !== 'ExternalName') checkAddresses(spec, faults);
  for (const [index, ip] of itemsAt(spec, 'externalIPs').entries())
    if (typeof ip === 'string' && isIP(ip) === 0)
      faults.invalid(`spec.externalIPs[${index}]`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
  faults.oneOf('spec.type', type, serviceTypes);
  checkByType(spec, type, faults);
};

function checkAddressesKept(spec: Record<string, unknown>, before: Record<string, unknown>, faults: Faults): void {
  if (textAt(spec, 'type') === 'ExternalName' || textAt(before, 'type') === 'ExternalName') return;
  if (isHeadless(spec) && isHeadless(before)) return;
  const now = itemsAt(spec, 'clusterIPs');
  const was = itemsAt(before, 'clusterIPs');
  if (was.length > 0 && now.length === 0)
    faults.invalid('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset');
  else if (was.length > 0 && now[0] !== was[0]) faults.invalid('spec.clusterIPs[0]', now, 'may not change once set');
}

function checkExternalName(spec: Record<string, unknown>, faults: Faults): void {
  for (const field of ['clusterIPs', 'ipFamilies'])
    if (itemsAt(spec, field).length > 0) faults.forbidden(`spec.${field}`, 'may not be set for ExternalName services');
  const name = textAt(spec, 'externalName').replace(/\.$/, '');
  if (name === '') faults.required('spec.externalName');
  else faults.malformed('spec.externalName', name, dnsSubdomain(name));
}

function checkAddresses(spec: Record<string, unknown>, faults: Faults): void {
  const ips = itemsAt(spec, 'clusterIPs');
  const ip = textAt(spec, 'clusterIP');
  if (ip !== '' && ips.length > 0 && ips[0] !== ip)
    faults.invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`');
  if (ip === '' && ips.length > 0)
    faults.invalid('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified');
}

/**
 * What is wrong with the addresses of a Service. They are given out before anything else is looked at: with a bad one
 * nothing else is.
 */
export function checkServiceAddresses(object: KubeObject, faults: Faults): void {
  const spec = partOf(object, 'spec');
  if (textAt(spec, 'type') === 'ExternalName' || checkAddressForm(spec, faults)) return;
  checkFamilies(spec, faults);
}

/** Only a Service without addresses and without pods may ask for both families: the cluster has one. */
function checkFamilies(spec: Record<string, unknown>, faults: Faults): void {
  if (spec['ipFamilyPolicy'] !== 'RequireDualStack' || !isHeadless(spec)) return;
  if (Object.keys(partOf(spec, 'selector')).length === 0) return;
  faults.invalid('spec.ipFamilyPolicy', 'RequireDualStack', 'this cluster is not configured for dual-stack services');
  for (const [index, family] of itemsAt(spec, 'ipFamilies').entries())
    if (family === 'IPv6') faults.invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster');
}

/** Whether one of the addresses is none. */
function checkAddressForm(spec: Record<string, unknown>, faults: Faults): boolean {
  let malformed = false;
  for (const [index, address] of itemsAt(spec, 'clusterIPs').entries()) {
    if (typeof address !== 'string' || (index === 0 && address === 'None') || isIP(address) !== 0) continue;
    malformed = true;
    faults.invalid(
      `spec.clusterIPs[${index}]`,
      address,
      'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    );
  }
  return malformed;
}

function checkServicePorts(spec: Record<string, unknown>, faults: Faults): void {
  const ports = itemsAt(spec, 'ports');
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const name = textAt(port, 'name');
    if (name === '' && ports.length > 1) faults.required(`${path}.name`);
    if (name !== '') {
      faults.malformed(`${path}.name`, name, dnsLabel(name));
      if (names.has(name)) faults.duplicate(`${path}.name`, name);
      names.add(name);
    }
    const number = numberIn(port, 'port') ?? 0;
    faults.port(`${path}.port`, number);
    faults.oneOf(`${path}.protocol`, textAt(port, 'protocol'), protocols);
    const target = isRecord(port) ? port['targetPort'] : undefined;
    if (typeof target === 'string') faults.malformed(`${path}.targetPort`, target, portName(target));
    else faults.port(`${path}.targetPort`, target);
    const app = textAt(port, 'appProtocol');
    if (app !== '') faults.malformed(`${path}.appProtocol`, app, qualifiedName(app));
    const key = `${textAt(port, 'protocol')}/${number}`;
    if (seen.has(key)) faults.duplicate(path, { port: number, protocol: textAt(port, 'protocol') });
    seen.add(key);
  }
}

function checkByType(spec: Record<string, unknown>, type: string, faults: Faults): void {
  if (type === 'ClusterIP')
    for (const [index, port] of itemsAt(spec, 'ports').entries())
      if ((numberIn(port, 'nodePort') ?? 0) !== 0)
        faults.forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'");
  if (type === 'LoadBalancer') return;
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'])
    if (spec[field] !== undefined) faults.forbidden(`spec.${field}`, "may only be used when `type` is 'LoadBalancer'");
  const external = type === 'NodePort' || itemsAt(spec, 'externalIPs').length > 0;
  if (textAt(spec, 'externalTrafficPolicy') !== '' && !external)
    faults.invalid(
      'spec.externalTrafficPolicy',
      spec['externalTrafficPolicy'],
      'may only be set for externally-accessible services',
    );
}

const ingress: KindCheck = (object, old, faults) => {
  const spec = partOf(object, 'spec');
  const rules = itemsAt(spec, 'rules');
  if (rules.length === 0 && spec['defaultBackend'] === undefined)
    faults.invalid('spec', null, 'either `defaultBackend` or `rules` must be specified');
  if (spec['defaultBackend'] !== undefined) checkBackend(spec['defaultBackend'], 'spec.defaultBackend', faults);
  for (const [index, rule] of rules.entries()) checkIngressRule(rule, `spec.rules[${index}]`, faults);
  const name = textAt(spec, 'ingressClassName');
  if (name !== '') faults.malformed('spec.ingressClassName', name, dnsSubdomain(name));
  const annotation = object.metadata.annotations?.['kubernetes.io/ingress.class'];
  if (old === undefined && annotation !== undefined && name !== '' && annotation !== name)
    faults.invalid(
      'annotations.kubernetes.io/ingress.class',
      annotation,
      'must match `ingressClassName` when both are specified',
    );
};

function checkIngressRule(rule: unknown, path: string, faults: Faults): void {
  const host = textAt(rule, 'host');
  if (host !== '') {
    if (isIP(host) !== 0) faults.invalid(`${path}.host`, host, 'must be a DNS name, not an IP address');
    faults.malformed(`${path}.host`, host, host.includes('*') ? wildcardSubdomain(host) : dnsSubdomain(host));
  }
  const http = isRecord(rule) ? rule['http'] : undefined;
  if (!isRecord(http)) return;
  const paths = itemsAt(http, 'paths');
  if (paths.length === 0) faults.required(`${path}.http.paths`);
  for (const [index, one] of paths.entries()) checkIngressPath(one, `${path}.http.paths[${index}]`, faults);
}

const badSequences = ['//', '/./', '/../', '%2f', '%2F'];

function checkIngressPath(item: unknown, here: string, faults: Faults): void {
  const type = textAt(item, 'pathType');
  const path = textAt(item, 'path');
  if (type === '') {
    faults.required(`${here}.pathType`, 'pathType must be specified');
    return;
  }
  const absolute = path.startsWith('/');
  if (type === 'Exact' || type === 'Prefix') {
    if (!absolute) faults.invalid(`${here}.path`, path, 'must be an absolute path');
    for (const bad of badSequences)
      if (path.includes(bad)) faults.invalid(`${here}.path`, path, `must not contain '${bad}'`);
    for (const end of ['/..', '/.'])
      if (path.endsWith(end)) faults.invalid(`${here}.path`, path, `cannot end with '${end}'`);
  } else if (type === 'ImplementationSpecific') {
    if (path !== '' && !absolute) faults.invalid(`${here}.path`, path, 'must be an absolute path');
  } else faults.unsupported(`${here}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix']);
  checkBackend(isRecord(item) ? item['backend'] : undefined, `${here}.backend`, faults);
}

function checkBackend(backend: unknown, path: string, faults: Faults): void {
  const target = partOf(backend, 'service');
  const hasService = isRecord(backend) && isRecord(backend['service']);
  const hasResource = isRecord(backend) && isRecord(backend['resource']);
  if (hasService && hasResource) faults.invalid(path, '', 'cannot set both resource and service backends');
  else if (!hasService && !hasResource) faults.invalid(path, '', 'resource or service backend is required');
  if (!hasService || hasResource) return;
  const name = textAt(target, 'name');
  if (name === '') faults.required(`${path}.service.name`);
  else faults.malformed(`${path}.service.name`, name, dns1035Label(name));
  const port = partOf(target, 'port');
  const number = numberIn(port, 'number') ?? 0;
  const named = textAt(port, 'name');
  if (named !== '' && number !== 0) faults.invalid(path, '', 'cannot set both port name & port number');
  else if (named !== '') faults.malformed(`${path}.service.port.name`, named, portName(named));
  else if (number !== 0) faults.port(`${path}.service.port.number`, number);
  else faults.required(path, 'port name or number is required');
}

const ingressClass: KindCheck = (object, old, faults) => {
  const spec = partOf(object, 'spec');
  const controller = textAt(spec, 'controller');
  if (old !== undefined)
    immutable({ now: controller, before: textAt(partOf(old, 'spec'), 'controller'), path: 'spec.controller' }, faults);
  if (controller === '') faults.required('spec.controller');
  else if (!/^[^/]+\/.+$/.test(controller))
    faults.invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")');
  const parameters = spec['parameters'];
  if (isRecord(parameters)) {
    for (const field of ['kind', 'name'])
      if (textAt(parameters, field) === '') faults.required(`spec.parameters.${field}`);
    const scopes = ['Cluster', 'Namespace'];
    const scope = textAt(parameters, 'scope');
    if (!scopes.includes(scope)) faults.unsupported('spec.parameters.scope', scope, scopes);
    const namespace = textAt(parameters, 'namespace');
    if (scope === 'Namespace' && namespace === '')
      faults.required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'");
    if (scope === 'Cluster' && namespace !== '')
      faults.forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'");
  }
};

const networkPolicy: KindCheck = (object, _old, faults) => {
  const spec = partOf(object, 'spec');
  checkSelector(spec['podSelector'], 'spec.podSelector', faults);
  for (const [direction, side] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const)
    for (const [index, rule] of itemsAt(spec, direction).entries()) {
      for (const [number, port] of itemsAt(rule, 'ports').entries())
        checkPolicyPort(port, `spec.${direction}[${index}].ports[${number}]`, faults);
      for (const [number, peer] of itemsAt(rule, side).entries())
        checkPeer(peer, `spec.${direction}[${index}].${side}[${number}]`, faults);
    }
  const allowed = ['Ingress', 'Egress'];
  for (const [index, type] of itemsAt(spec, 'policyTypes').entries())
    if (typeof type === 'string' && !allowed.includes(type))
      faults.unsupported(`spec.policyTypes[${index}]`, type, allowed);
};

function checkPolicyPort(item: unknown, path: string, faults: Faults): void {
  const protocol = textAt(item, 'protocol');
  if (!['TCP', 'UDP', 'SCTP'].includes(protocol))
    faults.unsupported(`${path}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']);
  const port = isRecord(item) ? item['port'] : undefined;
  if (typeof port === 'string') faults.malformed(`${path}.port`, port, portName(port));
  else faults.port(`${path}.port`, port);
}

function checkPeer(peer: unknown, path: string, faults: Faults): void {
  const given = ['podSelector', 'namespaceSelector', 'ipBlock'].filter(
    (field) => isRecord(peer) && peer[field] !== undefined,
  );
  if (given.length === 0) faults.required(path, 'must specify a peer');
  if (given.includes('ipBlock') && given.length > 1)
    faults.forbidden(path, 'may not specify both ipBlock and another peer');
  for (const field of given) if (field !== 'ipBlock') checkSelector(partOf(peer, field), `${path}.${field}`, faults);
  const cidr = textAt(partOf(peer, 'ipBlock'), 'cidr');
  if (given.includes('ipBlock') && cidr === '') faults.required(`${path}.ipBlock.cidr`);
  else if (given.includes('ipBlock') && !isCidr(cidr))
    faults.invalid(`${path}.ipBlock.cidr`, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)');
}

function isCidr(text: string): boolean {
  const [address = '', bits = ''] = text.split('/');
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32);
}

/** Checks of network objects, by group and kind. */
export const networkChecks: Readonly<Record<string, KindCheck>> = {
  '/Service': service,
  'networking.k8s.io/Ingress': ingress,
  'networking.k8s.io/IngressClass': ingressClass,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
};
