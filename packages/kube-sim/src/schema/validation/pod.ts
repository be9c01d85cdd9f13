import { isRecord } from '@tiphys/api';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkLabels } from './metadata.ts';
import { dnsLabel, dnsSubdomain, envName, portName, qualifiedName } from './text-forms.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];

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
  if (containers.length === 0) faults.required(`${path}.containers`);
  const names = new Set<string>();
  for (const [index, container] of containers.entries())
    checkContainer(container, { path: `${path}.containers[${index}]`, volumes, names }, faults);
  for (const [index, container] of itemsAt(spec, 'initContainers').entries()) {
    checkContainer(container, { path: `${path}.initContainers[${index}]`, volumes, names }, faults);
    checkInitContainer(container, `${path}.initContainers[${index}]`, faults);
  }
  faults.oneOf(`${path}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never']);
  faults.oneOf(`${path}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  checkLabels(spec['nodeSelector'], `${path}.nodeSelector`, faults);
  named(spec, { field: 'serviceAccountName', form: dnsSubdomain, path }, faults);
  named(spec, { field: 'nodeName', form: dnsSubdomain, path }, faults);
  named(spec, { field: 'hostname', form: dnsLabel, path }, faults);
  named(spec, { field: 'subdomain', form: dnsLabel, path }, faults);
  named(spec, { field: 'priorityClassName', form: dnsSubdomain, path }, faults);
  const deadline = numberIn(spec, 'activeDeadlineSeconds');
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647))
    faults.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive');
  checkTolerations(itemsAt(spec, 'tolerations'), `${path}.tolerations`, faults);
}

/** One that has to end before the others start neither needs probes nor hooks; only sidecars do. */
function checkInitContainer(container: unknown, path: string, faults: Faults): void {
  if (!isRecord(container) || container['restartPolicy'] === 'Always') return;
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
    if (container[field] !== undefined)
      faults.forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always');
}

type Named = Readonly<{ field: string; form: (text: string) => string[]; path: string }>;

function named(spec: Record<string, unknown>, { field, form, path }: Named, faults: Faults): void {
  const value = textAt(spec, field);
  if (value !== '') faults.malformed(`${path}.${field}`, value, form(value));
}

function checkVolumes(volumes: readonly unknown[], path: string, faults: Faults): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(volume, 'name');
    const before = faults.errors.length;
    checkVolumeSource(volume, here, faults);
    if (name === '') faults.required(`${here}.name`);
    else faults.malformed(`${here}.name`, name, dnsLabel(name));
    if (names.has(name)) faults.duplicate(`${here}.name`, name);
    if (faults.errors.length === before) names.add(name);
  }
  return names;
}

/** Where a source names another object, the field that does. */
const sourceNames: Readonly<Record<string, string>> = {
  configMap: 'name',
  secret: 'secretName',
  persistentVolumeClaim: 'claimName',
  hostPath: 'path',
  csi: 'driver',
};

function checkVolumeSource(volume: unknown, path: string, faults: Faults): void {
  const sources = isRecord(volume) ? Object.keys(volume).filter((key) => key !== 'name') : [];
  for (const source of sources.slice(1))
    faults.forbidden(`${path}.${source}`, 'may not specify more than 1 volume type');
  const [source] = sources;
  if (source === undefined) {
    faults.required(path, 'must specify a volume type');
    return;
  }
  const field = sourceNames[source];
  const body = partOf(volume, source);
  if (field !== undefined && textAt(body, field) === '') faults.required(`${path}.${source}.${field}`);
  for (const [index, item] of itemsAt(body, 'items').entries()) {
    if (textAt(item, 'key') === '' && source !== 'downwardAPI')
      faults.required(`${path}.${source}.items[${index}].key`);
    if (textAt(item, 'path') === '') faults.required(`${path}.${source}.items[${index}].path`);
  }
}

type Place = Readonly<{ path: string; volumes: ReadonlySet<string>; names: Set<string> }>;

function checkContainer(container: unknown, { path, volumes, names }: Place, faults: Faults): void {
  const name = textAt(container, 'name');
  if (name === '') faults.required(`${path}.name`);
  else faults.malformed(`${path}.name`, name, dnsLabel(name));
  const image = textAt(container, 'image');
  if (image === '') faults.required(`${path}.image`);
  const policies = ['FallbackToLogsOnError', 'File'];
  faults.oneOf(
    `${path}.terminationMessagePolicy`,
    textAt(container, 'terminationMessagePolicy'),
    policies.toReversed(),
  );
  checkPorts(itemsAt(container, 'ports'), `${path}.ports`, faults);
  checkEnv(itemsAt(container, 'env'), `${path}.env`, faults);
  checkMounts(itemsAt(container, 'volumeMounts'), { path: `${path}.volumeMounts`, volumes }, faults);
  faults.oneOf(`${path}.imagePullPolicy`, textAt(container, 'imagePullPolicy'), ['Always', 'IfNotPresent', 'Never']);
  checkResources(partOf(container, 'resources'), `${path}.resources`, faults);
  if (names.has(name)) faults.duplicate(`${path}.name`, name);
  names.add(name);
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    if (isRecord(container) && isRecord(container[probe])) checkProbe(container[probe], `${path}.${probe}`, faults);
}

function checkPorts(ports: readonly unknown[], path: string, faults: Faults): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(port, 'name');
    const wrong = name === '' ? [] : portName(name);
    faults.malformed(`${here}.name`, name, wrong);
    if (name !== '' && wrong.length === 0 && names.has(name)) faults.duplicate(`${here}.name`, name);
    names.add(name);
    const number = numberIn(port, 'containerPort') ?? 0;
    if (number === 0) faults.required(`${here}.containerPort`);
    else faults.port(`${here}.containerPort`, number);
    const host = numberIn(port, 'hostPort') ?? 0;
    if (host !== 0) faults.port(`${here}.hostPort`, host);
    faults.oneOf(`${here}.protocol`, textAt(port, 'protocol'), protocols);
  }
}

const envSources = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];

function checkEnv(variables: readonly unknown[], path: string, faults: Faults): void {
  for (const [index, variable] of variables.entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(variable, 'name');
    if (name === '') faults.required(`${here}.name`);
    else faults.malformed(`${here}.name`, name, envName(name));
    const from = isRecord(variable) ? variable['valueFrom'] : undefined;
    if (!isRecord(from)) continue;
    const sources = envSources.filter((source) => isRecord(from[source]));
    const keyed = sources.filter((source) => source.endsWith('KeyRef') && source !== 'fileKeyRef');
    for (const source of keyed)
      if (textAt(from[source], 'key') === '') faults.required(`${here}.valueFrom.${source}.key`);
    if (sources.length === 0)
      faults.invalid(
        `${here}.valueFrom`,
        '',
        `must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
      );
    else if (textAt(variable, 'value') !== '')
      faults.invalid(`${here}.valueFrom`, '', 'may not be specified when `value` is not empty');
    else if (sources.length > 1)
      faults.invalid(`${here}.valueFrom`, '', 'may not have more than one field specified at a time');
  }
}

type Mounting = Readonly<{ path: string; volumes: ReadonlySet<string> }>;

function checkMounts(mounts: readonly unknown[], { path, volumes }: Mounting, faults: Faults): void {
  const points = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(mount, 'name');
    const point = textAt(mount, 'mountPath');
    if (name === '') faults.required(`${here}.name`);
    if (!volumes.has(name)) faults.notFound(`${here}.name`, name);
    if (point === '') faults.required(`${here}.mountPath`);
    if (points.has(point)) faults.invalid(`${here}.mountPath`, point, 'must be unique');
    points.add(point);
  }
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

function checkProbe(probe: Record<string, unknown>, path: string, faults: Faults): void {
  const given = handlers.filter((handler) => isRecord(probe[handler]));
  for (const handler of given.slice(1))
    faults.forbidden(`${path}.${handler}`, 'may not specify more than 1 handler type');
  if (given.length === 0) faults.required(path, 'must specify a handler type');
  const [handler] = given;
  if (handler === 'exec' && itemsAt(probe['exec'], 'command').length === 0) faults.required(`${path}.exec.command`);
  if (handler === 'httpGet' || handler === 'tcpSocket')
    checkHandlerPort(partOf(probe, handler), `${path}.${handler}`, faults);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ])
    faults.notNegative(`${path}.${field}`, probe[field]);
  if (/livenessProbe|startupProbe/.test(path) && (numberIn(probe, 'successThreshold') ?? 1) !== 1)
    faults.invalid(`${path}.successThreshold`, probe['successThreshold'], 'must be 1');
}

function checkHandlerPort(handler: Record<string, unknown>, path: string, faults: Faults): void {
  const port = handler['port'];
  if (typeof port === 'string') faults.malformed(`${path}.port`, port, portName(port));
  else faults.port(`${path}.port`, port ?? 0);
}

const known = /^(?:cpu|memory|storage|ephemeral-storage|hugepages-.+|.+\/.+)$/;

/** Requests and limits: known names, no negative values, requests within limits. */
export function checkResources(resources: Record<string, unknown>, path: string, faults: Faults): void {
  const limits = partOf(resources, 'limits');
  const requests = partOf(resources, 'requests');
  for (const [field, list] of [
    ['limits', limits],
    ['requests', requests],
  ] as const)
    for (const [name, value] of Object.entries(list)) {
      const here = `${path}.${field}[${name}]`;
      if (!known.test(name)) faults.invalid(here, name, 'must be a standard resource type or fully qualified');
      const quantity = typeof value === 'string' ? parseQuantity(value) : undefined;
      if (quantity !== undefined && quantity.unscaled < 0n)
        faults.invalid(here, value, 'must be greater than or equal to 0');
    }
  for (const [name, value] of Object.entries(requests)) {
    const limit = limits[name];
    const asked = typeof value === 'string' ? parseQuantity(value) : undefined;
    const allowed = typeof limit === 'string' ? parseQuantity(limit) : undefined;
    if (asked !== undefined && allowed !== undefined && compareQuantities(asked, allowed) > 0)
      faults.invalid(`${path}.requests`, value, `must be less than or equal to ${name} limit of ${String(limit)}`);
  }
}

function checkTolerations(tolerations: readonly unknown[], path: string, faults: Faults): void {
  for (const [index, toleration] of tolerations.entries()) {
    const here = `${path}[${index}]`;
    const key = textAt(toleration, 'key');
    const operator = textAt(toleration, 'operator');
    if (key !== '') faults.malformed(`${here}.key`, key, qualifiedName(key));
    if (key === '' && operator !== 'Exists')
      faults.invalid(
        `${here}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (operator === 'Exists' && textAt(toleration, 'value') !== '')
      faults.invalid(
        `${here}.operator`,
        textAt(toleration, 'value'),
        "value must be empty when `operator` is 'Exists'",
      );
    if (!['', 'Equal', 'Exists'].includes(operator))
      faults.unsupported(`${here}.operator`, operator, ['Equal', 'Exists']);
  }
}
