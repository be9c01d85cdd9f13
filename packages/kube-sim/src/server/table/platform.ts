import { at, isRecord, type KubeObject } from '@tiphys/api';
import {
  age,
  ageText,
  computed,
  count,
  countOf,
  labelsText,
  name,
  records,
  selectorText,
  text,
  textOf,
  wide,
  type Column,
} from './column.ts';

const keys = (value: unknown): number => (isRecord(value) ? Object.keys(value).length : 0);

export const configMaps: readonly Column[] = [
  name,
  {
    ...computed('Data', (object) => keys(object['data']) + keys(object['binaryData'])),
    type: 'string',
  },
  age,
];

export const secrets: readonly Column[] = [
  name,
  text('Type', 'type'),
  { ...computed('Data', (object) => keys(object['data'])), type: 'string' },
  age,
];

export const namespaces: readonly Column[] = [name, text('Status', 'status', 'phase'), age];

/** Kinds of which only the name and the age are shown. */
export const nameAndAge: readonly Column[] = [name, age];

const addresses = (list: unknown): string[] =>
  records(list)
    .map((entry) => textOf(entry['ip'], textOf(entry['hostname'])))
    .filter((address) => address !== '');

// A long list of addresses is cut as the API server cuts it, unless everything is asked for.
const cut = (list: string): string => (list.length > 16 ? `${list.slice(0, 13)}...` : list);

function externalAddress(service: KubeObject): string {
  const spec = service['spec'];
  const given = at(spec, 'externalIPs');
  const external = Array.isArray(given) ? given.map((ip) => textOf(ip)) : [];
  switch (at(spec, 'type')) {
    case 'LoadBalancer': {
      const balancer = cut(addresses(at(service, 'status', 'loadBalancer', 'ingress')).join(','));
      const all = [...(balancer === '' ? [] : [balancer]), ...external];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return textOf(at(spec, 'externalName'));
    default:
      return external.length === 0 ? '<none>' : external.join(',');
  }
}

const portText = (port: Record<string, unknown>): string => {
  const node = countOf(port['nodePort']);
  return `${textOf(port['port'])}${node > 0 ? `:${node}` : ''}/${textOf(port['protocol'])}`;
};

export const services: readonly Column[] = [
  name,
  text('Type', 'spec', 'type'),
  computed('Cluster-IP', (object) => textOf(at(object, 'spec', 'clusterIPs', 0), '<none>')),
  computed('External-IP', externalAddress),
  computed(
    'Port(s)',
    (o) =>
      records(at(o, 'spec', 'ports'))
        .map(portText)
        .join(',') || '<none>',
  ),
  age,
  wide(computed('Selector', (object) => labelsText(at(object, 'spec', 'selector')))),
];

function hostsText(ingress: KubeObject): string {
  const hosts = records(at(ingress, 'spec', 'rules'))
    .map((rule) => textOf(rule['host']))
    .filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
}

export const ingresses: readonly Column[] = [
  name,
  computed('Class', (object) => textOf(at(object, 'spec', 'ingressClassName'), '<none>')),
  computed('Hosts', hostsText),
  computed('Address', (object) => cut(addresses(at(object, 'status', 'loadBalancer', 'ingress')).join(','))),
  computed('Ports', (object) => (records(at(object, 'spec', 'tls')).length > 0 ? '80, 443' : '80')),
  age,
];

export const ingressClasses: readonly Column[] = [
  name,
  text('Controller', 'spec', 'controller'),
  computed('Parameters', (object) => {
    const parameters = at(object, 'spec', 'parameters');
    if (!isRecord(parameters)) return '<none>';
    const group = textOf(parameters['apiGroup']);
    return `${textOf(parameters['kind'])}${group === '' ? '' : `.${group}`}/${textOf(parameters['name'])}`;
  }),
  age,
];

export const networkPolicies: readonly Column[] = [
  name,
  computed('Pod-Selector', (object) => selectorText(at(object, 'spec', 'podSelector'))),
  age,
];

function endpointsText(object: KubeObject): string {
  const all = records(object['subsets']).flatMap((subset) => {
    const ips = addresses(subset['addresses']);
    const ports = records(subset['ports']);
    if (ports.length === 0) return ips;
    return ports.flatMap((port) => ips.map((ip) => `${ip}:${textOf(port['port'])}`));
  });
  if (all.length === 0) return '<none>';
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',');
}

export const endpoints: readonly Column[] = [name, computed('Endpoints', endpointsText), age];

const few = (list: readonly string[], none: string): string => {
  if (list.length === 0) return none;
  return list.length > 3 ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...` : list.join(',');
};

export const endpointSlices: readonly Column[] = [
  name,
  text('AddressType', 'addressType'),
  computed('Ports', (o) =>
    few(
      records(o['ports']).map((port) => textOf(port['port'], '*')),
      '<unset>',
    ),
  ),
  computed('Endpoints', (o) =>
    few(
      records(o['endpoints']).flatMap((endpoint) =>
        Array.isArray(endpoint['addresses']) ? endpoint['addresses'].map((address) => textOf(address)) : [],
      ),
      '<unset>',
    ),
  ),
  age,
];

function nodeStatus(node: KubeObject): string {
  const ready = records(at(node, 'status', 'conditions')).find((entry) => entry['type'] === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(node: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(node.metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
  return roles.length === 0
    ? '<none>'
    : roles
        .map((key) => key.slice(prefix.length))
        .sort()
        .join(',');
}

const nodeAddress = (node: KubeObject, type: string): string =>
  textOf(records(at(node, 'status', 'addresses')).find((entry) => entry['type'] === type)?.['address'], '<none>');

const nodeText = (title: string, field: string): Column =>
  wide(computed(title, (node) => textOf(at(node, 'status', 'nodeInfo', field), '<unknown>')));

export const nodes: readonly Column[] = [
  name,
  computed('Status', nodeStatus),
  computed('Roles', nodeRoles),
  age,
  text('Version', 'status', 'nodeInfo', 'kubeletVersion'),
  wide(computed('Internal-IP', (node) => nodeAddress(node, 'InternalIP'))),
  wide(computed('External-IP', (node) => nodeAddress(node, 'ExternalIP'))),
  nodeText('OS-Image', 'osImage'),
  nodeText('Kernel-Version', 'kernelVersion'),
  nodeText('Container-Runtime', 'containerRuntimeVersion'),
];

const firstSeen = (event: KubeObject, now: Date): string => ageText(event['firstTimestamp'] ?? event['eventTime'], now);

function lastSeen(event: KubeObject, now: Date): string {
  const observed = at(event, 'series', 'lastObservedTime') ?? event['lastTimestamp'];
  return observed === undefined || observed === null ? firstSeen(event, now) : ageText(observed, now);
}

function involved(event: KubeObject): string {
  const kind = textOf(at(event, 'involvedObject', 'kind')).toLowerCase();
  const target = textOf(at(event, 'involvedObject', 'name'));
  return target === '' ? kind : `${kind}/${target}`;
}

function sourceText(event: KubeObject): string {
  const component = textOf(at(event, 'source', 'component'), textOf(event['reportingComponent']));
  const host = textOf(at(event, 'source', 'host'), textOf(event['reportingInstance']));
  return host === '' ? component : `${component}, ${host}`;
}

export const events: readonly Column[] = [
  computed('Last Seen', lastSeen),
  text('Type', 'type'),
  text('Reason', 'reason'),
  computed('Object', involved),
  wide(text('Subobject', 'involvedObject', 'fieldPath')),
  wide(computed('Source', sourceText)),
  computed('Message', (event) => textOf(event['message']).trim()),
  wide(computed('First Seen', firstSeen)),
  wide(computed('Count', (event) => textOf(at(event, 'series', 'count') ?? event['count'], '1'))),
  wide(name),
];

const modeTexts: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const modesText = (modes: unknown): string =>
  (Array.isArray(modes) ? modes : []).map((mode) => modeTexts[textOf(mode)] ?? '').join(',');

const storagePhase = (object: KubeObject): string =>
  object.metadata.deletionTimestamp === undefined ? textOf(at(object, 'status', 'phase')) : 'Terminating';

const volumeMode = wide(computed('VolumeMode', (object) => textOf(at(object, 'spec', 'volumeMode'), '<unset>')));

const attributesClass = computed('VolumeAttributesClass', (object) =>
  textOf(at(object, 'spec', 'volumeAttributesClassName'), '<unset>'),
);

export const volumes: readonly Column[] = [
  name,
  text('Capacity', 'spec', 'capacity', 'storage'),
  computed('Access Modes', (object) => modesText(at(object, 'spec', 'accessModes'))),
  text('Reclaim Policy', 'spec', 'persistentVolumeReclaimPolicy'),
  computed('Status', storagePhase),
  computed('Claim', (object) => {
    const claim = at(object, 'spec', 'claimRef');
    return isRecord(claim) ? `${textOf(claim['namespace'])}/${textOf(claim['name'])}` : '';
  }),
  text('StorageClass', 'spec', 'storageClassName'),
  attributesClass,
  text('Reason', 'status', 'reason'),
  age,
  volumeMode,
];

const bound = (object: KubeObject): boolean => textOf(at(object, 'spec', 'volumeName')) !== '';

export const volumeClaims: readonly Column[] = [
  name,
  computed('Status', storagePhase),
  text('Volume', 'spec', 'volumeName'),
  computed('Capacity', (object) => (bound(object) ? textOf(at(object, 'status', 'capacity', 'storage')) : '')),
  computed('Access Modes', (object) => (bound(object) ? modesText(at(object, 'status', 'accessModes')) : '')),
  text('StorageClass', 'spec', 'storageClassName'),
  attributesClass,
  age,
  volumeMode,
];

export const storageClasses: readonly Column[] = [
  computed('Name', (object) => {
    const isDefault = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
    return `${object.metadata.name ?? ''}${isDefault ? ' (default)' : ''}`;
  }),
  text('Provisioner', 'provisioner'),
  computed('ReclaimPolicy', (object) => textOf(object['reclaimPolicy'], 'Delete')),
  computed('VolumeBindingMode', (object) => textOf(object['volumeBindingMode'], 'Immediate')),
  computed('AllowVolumeExpansion', (object) => textOf(object['allowVolumeExpansion'], 'false')),
  age,
];

const subjects = (title: string, kind: string): Column =>
  wide(
    computed(title, (object) =>
      records(object['subjects'])
        .filter((subject) => subject['kind'] === kind)
        .map((s) => (kind === 'ServiceAccount' ? `${textOf(s['namespace'])}/${textOf(s['name'])}` : textOf(s['name'])))
        .join(', '),
    ),
  );

export const bindings: readonly Column[] = [
  name,
  computed('Role', (o) => `${textOf(at(o, 'roleRef', 'kind'))}/${textOf(at(o, 'roleRef', 'name'))}`),
  age,
  subjects('Users', 'User'),
  subjects('Groups', 'Group'),
  subjects('ServiceAccounts', 'ServiceAccount'),
];

/** Roles and the like show when they were created, not how old they are. */
export const nameAndCreated: readonly Column[] = [
  name,
  { name: 'Created At', type: 'date', cell: (object) => object.metadata.creationTimestamp ?? '' },
];

export const leases: readonly Column[] = [name, text('Holder', 'spec', 'holderIdentity'), age];

export const priorityClasses: readonly Column[] = [
  name,
  count('Value', 'value'),
  { ...computed('Global-Default', (object) => object['globalDefault'] === true), type: 'boolean' },
  age,
  computed('PreemptionPolicy', (object) => textOf(object['preemptionPolicy'])),
];

export const disruptionBudgets: readonly Column[] = [
  name,
  computed('Min Available', (object) => textOf(at(object, 'spec', 'minAvailable'), 'N/A')),
  computed('Max Unavailable', (object) => textOf(at(object, 'spec', 'maxUnavailable'), 'N/A')),
  count('Allowed Disruptions', 'status', 'disruptionsAllowed'),
  age,
];

export const controllerRevisions: readonly Column[] = [
  name,
  computed('Controller', (object) => {
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (owner === undefined) return '<none>';
    const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0] ?? ''}` : '';
    return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
  }),
  count('Revision', 'revision'),
  age,
];

const quota = (title: string, prefix: 'limits.' | 'requests.'): Column =>
  computed(title, (object) => {
    const hard = at(object, 'status', 'hard');
    const names = isRecord(hard) ? Object.keys(hard).sort() : [];
    return names
      .filter((key) => key.startsWith('limits.') === (prefix === 'limits.'))
      .map((key) => `${key}: ${textOf(at(object, 'status', 'used', key))}/${textOf(at(hard, key))}`)
      .join(', ');
  });

export const quotas: readonly Column[] = [name, quota('Request', 'requests.'), quota('Limit', 'limits.'), age];
