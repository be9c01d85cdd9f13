import { isRecord } from '@tiphys/api';
import { checkFieldRef, checkResourceRef } from './downward.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkLifecycle, checkProbe } from './probe.ts';
import { checkContainerResources } from './resources.ts';
import { checkContainerSecurity, checkNoWayUp, checkRelativePath } from './security-context.ts';
import { configMapKey, dnsLabel, dnsSubdomain, envName, portName } from './text-forms.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];

/** What a container is checked against: the volumes that there are, the names that are taken, the pod's spec. */
export type PodAround = Readonly<{
  volumes: ReadonlySet<string>;
  names: Set<string>;
  spec: Readonly<Record<string, unknown>>;
}>;

type Place = Readonly<{ path: string; pod: PodAround }>;

function checkAnyContainer(container: unknown, { path, pod }: Place, faults: Faults): void {
  const name = textAt(container, 'name');
  if (name === '') faults.required(`${path}.name`);
  else faults.malformed(`${path}.name`, name, dnsLabel(name));
  if (textAt(container, 'image') === '') faults.required(`${path}.image`);
  const policies = ['File', 'FallbackToLogsOnError'];
  faults.oneOf(`${path}.terminationMessagePolicy`, textAt(container, 'terminationMessagePolicy'), policies);
  checkPorts(itemsAt(container, 'ports'), `${path}.ports`, faults);
  checkEnv(itemsAt(container, 'env'), `${path}.env`, faults);
  checkEnvFrom(itemsAt(container, 'envFrom'), `${path}.envFrom`, faults);
  checkMounts(container, { path: `${path}.volumeMounts`, pod }, faults);
  faults.oneOf(`${path}.imagePullPolicy`, textAt(container, 'imagePullPolicy'), ['Always', 'IfNotPresent', 'Never']);
  const claims = itemsAt(pod.spec, 'resourceClaims').map((claim) => textAt(claim, 'name'));
  checkContainerResources(partOf(container, 'resources'), { path: `${path}.resources`, claims }, faults);
  if (pod.names.has(name)) faults.duplicate(`${path}.name`, name);
  pod.names.add(name);
  const security = { path: `${path}.securityContext`, hostUsers: pod.spec['hostUsers'] };
  checkContainerSecurity(partOf(container, 'securityContext'), security, faults);
}

function checkHooks(container: unknown, { path, pod }: Place, faults: Faults): void {
  const graceSeconds = numberIn(pod.spec, 'terminationGracePeriodSeconds') ?? 30;
  checkLifecycle(partOf(container, 'lifecycle'), { path: `${path}.lifecycle`, graceSeconds }, faults);
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    if (isRecord(container) && isRecord(container[probe]))
      checkProbe(container[probe], { path: `${path}.${probe}`, graceSeconds }, faults);
}

export function checkContainer(container: unknown, place: Place, faults: Faults): void {
  checkAnyContainer(container, place, faults);
  checkHooks(container, place, faults);
}

/** One that has to end before the others start neither needs probes nor hooks; only sidecars do. */
export function checkInitContainer(container: unknown, place: Place, faults: Faults): void {
  checkAnyContainer(container, place, faults);
  if (isRecord(container) && container['restartPolicy'] !== 'Always') {
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
      if (container[field] !== undefined)
        faults.forbidden(`${place.path}.${field}`, 'may not be set for init containers without restartPolicy=Always');
  } else checkHooks(container, place, faults);
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
    if (isRecord(from)) checkEnvSource(from, { path: `${here}.valueFrom`, value: textAt(variable, 'value') }, faults);
  }
}

type EnvPlace = Readonly<{ path: string; value: string }>;

function checkEnvSource(from: Record<string, unknown>, { path, value }: EnvPlace, faults: Faults): void {
  const sources = envSources.filter((source) => isRecord(from[source]));
  const where = 'environment';
  if (isRecord(from['fieldRef'])) checkFieldRef(from['fieldRef'], { path: `${path}.fieldRef`, where }, faults);
  if (isRecord(from['resourceFieldRef']))
    checkResourceRef(from['resourceFieldRef'], { path: `${path}.resourceFieldRef`, where }, faults);
  for (const source of ['configMapKeyRef', 'secretKeyRef'].filter((one) => sources.includes(one))) {
    const name = textAt(from[source], 'name');
    faults.malformed(`${path}.${source}.name`, name, dnsSubdomain(name));
    const key = textAt(from[source], 'key');
    if (key === '') faults.required(`${path}.${source}.key`);
    else faults.malformed(`${path}.${source}.key`, key, configMapKey(key));
  }
  if (sources.length === 0)
    faults.invalid(
      path,
      '',
      `must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
    );
  else if (value !== '') faults.invalid(path, '', 'may not be specified when `value` is not empty');
  else if (sources.length > 1) faults.invalid(path, '', 'may not have more than one field specified at a time');
}

function checkEnvFrom(sources: readonly unknown[], path: string, faults: Faults): void {
  for (const [index, source] of sources.entries()) {
    const here = `${path}[${index}]`;
    const prefix = textAt(source, 'prefix');
    if (prefix !== '') faults.malformed(`${here}.prefix`, prefix, envName(prefix));
    const given = ['configMapRef', 'secretRef'].filter((field) => isRecord(source) && isRecord(source[field]));
    for (const field of given) {
      const name = textAt(partOf(source, field), 'name');
      if (name === '') faults.required(`${here}.${field}.name`);
      else faults.malformed(`${here}.${field}.name`, name, dnsSubdomain(name));
    }
    if (given.length === 0) faults.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (given.length > 1) faults.invalid(path, '', 'may not have more than one field specified at a time');
  }
}

const propagations = ['Bidirectional', 'HostToContainer', 'None'];

function checkMounts(container: unknown, { path, pod }: Place, faults: Faults): void {
  const points = new Set<string>();
  for (const [index, mount] of itemsAt(container, 'volumeMounts').entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(mount, 'name');
    const point = textAt(mount, 'mountPath');
    if (name === '') faults.required(`${here}.name`);
    if (!pod.volumes.has(name)) faults.notFound(`${here}.name`, name);
    if (point === '') faults.required(`${here}.mountPath`);
    if (points.has(point)) faults.invalid(`${here}.mountPath`, point, 'must be unique');
    points.add(point);
    checkSubPath(mount, { path, here }, faults);
    checkPropagation(mount, { path, container }, faults);
  }
}

function checkSubPath(mount: unknown, { path, here }: Readonly<{ path: string; here: string }>, faults: Faults): void {
  const sub = textAt(mount, 'subPath');
  const expression = textAt(mount, 'subPathExpr');
  // The real server leaves out which mount it is.
  if (sub !== '') checkRelativePath(sub, `${path}.subPath`, faults);
  if (expression === '') return;
  if (sub !== '') faults.invalid(`${here}.subPathExpr`, expression, 'subPathExpr and subPath are mutually exclusive');
  checkNoWayUp(expression, `${path}.subPathExpr`, faults);
}

type Around = Readonly<{ path: string; container: unknown }>;

function checkPropagation(mount: unknown, { path, container }: Around, faults: Faults): void {
  const mode = isRecord(mount) ? mount['mountPropagation'] : undefined;
  if (typeof mode === 'string' && !propagations.includes(mode))
    faults.unsupported(`${path}.mountPropagation`, mode, propagations);
  if (mode === 'Bidirectional' && partOf(container, 'securityContext')['privileged'] !== true)
    faults.forbidden(
      `${path}.mountPropagation`,
      'Bidirectional mount propagation is available only to privileged containers',
    );
  const recursive = isRecord(mount) ? mount['recursiveReadOnly'] : undefined;
  if (typeof recursive !== 'string' || recursive === 'Disabled') return;
  if (!isRecord(mount) || mount['readOnly'] !== true)
    faults.forbidden(`${path}.recursiveReadOnly`, 'may only be specified when readOnly is true');
}
