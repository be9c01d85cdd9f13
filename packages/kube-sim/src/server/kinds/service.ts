import { at, isRecord, listAt, type KubeObject } from '@tiphys/api';
import { equal } from '../equal.ts';
import type { Preparation } from '../cluster.ts';
import { omit } from '../../schema/omit.ts';

const records = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** Cluster addresses come from 10.96.0.0/16, node ports from 30000-32767: the defaults of kubeadm. */
const firstNodePort = 30_000;
const nodePortCount = 2768;

function freeAddress({ cluster }: Preparation): string {
  const used = new Set(cluster.store.list('services').map((service) => at(service, 'spec', 'clusterIP')));
  let number = 256 + Math.floor(cluster.random() * 60_000);
  const text = (): string => `10.96.${number >> 8}.${number & 255}`;
  while (used.has(text()) || (number & 255) === 0) number = 256 + ((number - 255) % 60_000);
  return text();
}

function freeNodePorts(count: number, { cluster }: Preparation): number[] {
  const used = new Set(
    cluster.store.list('services').flatMap((service) => listAt(service, 'spec', 'ports').map((p) => at(p, 'nodePort'))),
  );
  const start = Math.floor(cluster.random() * nodePortCount);
  const free: number[] = [];
  for (let i = 0; i < nodePortCount && free.length < count; i++) {
    const port = firstNodePort + ((start + i) % nodePortCount);
    if (!used.has(port)) free.push(port);
  }
  return free;
}

const familiesOf = (address: string): string[] => (address.includes(':') ? ['IPv6'] : ['IPv4']);

function withAddress(
  spec: Record<string, unknown>,
  oldSpec: unknown,
  preparation: Preparation,
): Record<string, unknown> {
  if (spec['type'] === 'ExternalName') {
    return omit(spec, 'clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy');
  }
  const asked = typeof spec['clusterIP'] === 'string' ? spec['clusterIP'] : '';
  const before = at(oldSpec, 'clusterIP');
  const kept = asked === '' && typeof before === 'string' ? before : asked;
  const clusterIP = kept === '' ? freeAddress(preparation) : kept;
  // A headless Service without a selector is ready for both address families.
  const both = clusterIP === 'None' && Object.keys(isRecord(spec['selector']) ? spec['selector'] : {}).length === 0;
  // Who changes only the one address means the first of the list, too.
  const listed: readonly unknown[] = Array.isArray(spec['clusterIPs']) ? spec['clusterIPs'] : [clusterIP];
  const untouched = typeof before === 'string' && clusterIP !== before && listed[0] === before;
  return {
    ...spec,
    clusterIP,
    clusterIPs: kept !== asked ? [clusterIP] : untouched ? [clusterIP, ...listed.slice(1)] : listed,
    ipFamilies: spec['ipFamilies'] ?? at(oldSpec, 'ipFamilies') ?? (both ? ['IPv4', 'IPv6'] : familiesOf(clusterIP)),
    ipFamilyPolicy:
      spec['ipFamilyPolicy'] ?? at(oldSpec, 'ipFamilyPolicy') ?? (both ? 'RequireDualStack' : 'SingleStack'),
  };
}

const sameProtocolPort = (a: Record<string, unknown>, b: unknown): boolean =>
  a['port'] === at(b, 'port') && (a['protocol'] ?? 'TCP') === (at(b, 'protocol') ?? 'TCP');

function withNodePorts(
  spec: Record<string, unknown>,
  oldSpec: unknown,
  preparation: Preparation,
): Record<string, unknown> {
  const ports = records(spec['ports']);
  const wants =
    spec['type'] === 'NodePort' || (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
  if (!wants) return spec;
  const reused = ports.map((port) => {
    if (typeof port['nodePort'] === 'number' && port['nodePort'] !== 0) return port;
    const before = listAt(oldSpec, 'ports').find((old) => sameProtocolPort(port, old));
    const nodePort = at(before, 'nodePort');
    return typeof nodePort === 'number' ? { ...port, nodePort } : port;
  });
  const fresh = freeNodePorts(reused.filter((port) => port['nodePort'] === undefined).length, preparation);
  return {
    ...spec,
    ports: reused.map((port) => (port['nodePort'] === undefined ? { ...port, nodePort: fresh.shift() } : port)),
  };
}

/** A field that the new type has no use for and that the writer did not touch goes with the old type. */
function withoutLeftovers(spec: Record<string, unknown>, oldSpec: unknown): Record<string, unknown> {
  const before = at(oldSpec, 'type');
  const external = (type: unknown): boolean => type === 'NodePort' || type === 'LoadBalancer';
  const reachable = (of: unknown): boolean => external(at(of, 'type')) || listAt(of, 'externalIPs').length > 0;
  if (before === spec['type'] && reachable(oldSpec) && !reachable(spec))
    return spec['externalTrafficPolicy'] === at(oldSpec, 'externalTrafficPolicy')
      ? omit(spec, 'externalTrafficPolicy')
      : spec;
  if (before === undefined || before === spec['type']) return spec;
  const untouched = (field: string): boolean => equal(spec[field], at(oldSpec, field));
  const gone = [
    ...(reachable(spec) ? [] : ['externalTrafficPolicy']),
    ...(external(spec['type']) ? [] : ['healthCheckNodePort']),
    ...(spec['type'] === 'LoadBalancer' ? [] : ['allocateLoadBalancerNodePorts', 'loadBalancerClass']),
  ].filter(untouched);
  const kept = Object.fromEntries(Object.entries(spec).filter(([field]) => !gone.includes(field)));
  if (external(spec['type'])) return kept;
  const oldPorts = listAt(oldSpec, 'ports');
  const ports = records(spec['ports']).map((port) => {
    const { nodePort, ...rest } = port;
    return oldPorts.some((old) => sameProtocolPort(port, old) && at(old, 'nodePort') === nodePort) ? rest : port;
  });
  return 'ports' in kept ? { ...kept, ports } : kept;
}

/** A load balancer that keeps traffic local asks nodes whether they have pods, at a port of its own. */
function withHealthCheckPort(
  spec: Record<string, unknown>,
  oldSpec: unknown,
  preparation: Preparation,
): Record<string, unknown> {
  const needed = spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local';
  const before = at(oldSpec, 'healthCheckNodePort');
  if (!needed && spec['healthCheckNodePort'] === before) return omit(spec, 'healthCheckNodePort');
  if (!needed || spec['healthCheckNodePort'] !== undefined) return spec;
  const kept = before ?? freeNodePorts(1, preparation)[0];
  return { ...spec, healthCheckNodePort: kept };
}

/** Gives a Service its cluster address and node ports, or keeps those that it had. */
export function prepareService(service: KubeObject, old: KubeObject | undefined, preparation: Preparation): KubeObject {
  const given = isRecord(service['spec']) ? service['spec'] : {};
  const spec = withoutLeftovers(given, old?.['spec']);
  const addressed = withAddress(spec, old?.['spec'], preparation);
  const reachable = withNodePorts(addressed, old?.['spec'], preparation);
  return { ...service, spec: withHealthCheckPort(reachable, old?.['spec'], preparation) };
}
