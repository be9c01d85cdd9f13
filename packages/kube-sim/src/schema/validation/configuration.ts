import { isIPv4, isIPv6 } from 'node:net';
import { isRecord, type KubeObject } from '@tiphys/api';
import { sameJson } from '../../patch/same-json.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkSelector } from './metadata.ts';
import { configMapKey, dnsSubdomain, pathSegment } from './text-forms.ts';
import { immutable, type KindCheck } from './workloads.ts';

/** Data of a ConfigMap or Secret together may not be larger (bytes). */
const dataLimit = 1024 * 1024;

function checkFrozen(
  object: KubeObject,
  context: Readonly<{ old: KubeObject | undefined; fields: readonly string[] }>,
  faults: Faults,
): void {
  const { old, fields } = context;
  if (old?.['immutable'] !== true) return;
  const why = 'field is immutable when `immutable` is set';
  if (object['immutable'] !== true) faults.forbidden('immutable', why);
  for (const field of fields) if (!sameJson(partOf(object, field), partOf(old, field))) faults.forbidden(field, why);
}

const configMap: KindCheck = (object, old, faults) => {
  checkFrozen(object, { old, fields: ['data', 'binaryData'] }, faults);
  const data = partOf(object, 'data');
  const binary = partOf(object, 'binaryData');
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    faults.malformed(`data[${key}]`, key, configMapKey(key));
    if (binary[key] !== undefined) faults.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
    size += Buffer.byteLength(String(value));
  }
  for (const [key, value] of Object.entries(binary)) {
    faults.malformed(`binaryData[${key}]`, key, configMapKey(key));
    size += Buffer.byteLength(String(value), 'base64');
  }
  if (size > dataLimit) faults.tooLong('[]', dataLimit);
};

/** Keys without which a Secret of a type is refused. */
const secretKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

const secret: KindCheck = (object, old, faults) => {
  if (old !== undefined) immutable({ now: object['type'], before: old['type'], path: 'type' }, faults);
  checkFrozen(object, { old, fields: ['data'] }, faults);
  const data = partOf(object, 'data');
  const type = textAt(object, 'type');
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    faults.malformed(`data[${key}]`, key, configMapKey(key));
    size += Buffer.byteLength(String(value), 'base64');
  }
  if (size > dataLimit) faults.tooLong('data', dataLimit);
  for (const key of secretKeys[type] ?? []) if (data[key] === undefined) faults.required(`data[${key}]`);
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined)
    for (const key of ['username', 'password']) faults.required(`data[${key}]`);
  const account = 'kubernetes.io/service-account.name';
  if (type === 'kubernetes.io/service-account-token' && (object.metadata.annotations?.[account] ?? '') === '')
    faults.required(`metadata.annotations[${account}]`);
};

const rbacGroup = 'rbac.authorization.k8s.io';

const role =
  (namespaced: boolean): KindCheck =>
  (object, _old, faults) => {
    for (const [index, rule] of itemsAt(object, 'rules').entries()) {
      const path = `rules[${index}]`;
      if (itemsAt(rule, 'verbs').length === 0)
        faults.required(`${path}.verbs`, 'verbs must contain at least one value');
      const urls = itemsAt(rule, 'nonResourceURLs');
      if (urls.length > 0) {
        if (namespaced)
          faults.invalid(`${path}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs');
        if (['apiGroups', 'resources', 'resourceNames'].some((field) => itemsAt(rule, field).length > 0))
          faults.invalid(
            `${path}.nonResourceURLs`,
            urls,
            'rules cannot apply to both regular resources and non-resource URLs',
          );
        continue;
      }
      if (itemsAt(rule, 'apiGroups').length === 0)
        faults.required(`${path}.apiGroups`, 'resource rules must supply at least one api group');
      if (itemsAt(rule, 'resources').length === 0)
        faults.required(`${path}.resources`, 'resource rules must supply at least one resource');
    }
  };

const roleBinding =
  (namespaced: boolean): KindCheck =>
  (object, old, faults) => {
    const ref = partOf(object, 'roleRef');
    const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
    if (ref['apiGroup'] !== rbacGroup) faults.unsupported('roleRef.apiGroup', ref['apiGroup'] ?? '', [rbacGroup]);
    if (!kinds.includes(textAt(ref, 'kind'))) faults.unsupported('roleRef.kind', textAt(ref, 'kind'), kinds);
    const name = textAt(ref, 'name');
    if (name === '') faults.required('roleRef.name');
    else faults.malformed('roleRef.name', name, pathSegment(name));
    for (const [index, subject] of itemsAt(object, 'subjects').entries())
      checkSubject(subject, { path: `subjects[${index}]`, namespaced }, faults);
    if (old !== undefined && !sameJson(ref, partOf(old, 'roleRef')))
      faults.invalid('roleRef', ref, 'cannot change roleRef');
  };

function checkSubject(
  subject: unknown,
  { path, namespaced }: Readonly<{ path: string; namespaced: boolean }>,
  faults: Faults,
): void {
  const name = textAt(subject, 'name');
  const group = textAt(subject, 'apiGroup');
  const kind = textAt(subject, 'kind');
  if (name === '') faults.required(`${path}.name`);
  if (kind === 'ServiceAccount') {
    if (name !== '') faults.malformed(`${path}.name`, name, dnsSubdomain(name));
    if (group !== '') faults.unsupported(`${path}.apiGroup`, group, ['']);
    if (!namespaced && textAt(subject, 'namespace') === '') faults.required(`${path}.namespace`);
  } else if (kind === 'User' || kind === 'Group') {
    if (group !== rbacGroup) faults.unsupported(`${path}.apiGroup`, group, [rbacGroup]);
  } else faults.unsupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
}

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function checkAccessModes(spec: Record<string, unknown>, why: string, faults: Faults): void {
  const modes = itemsAt(spec, 'accessModes');
  if (modes.length === 0) faults.required('spec.accessModes', why);
  for (const mode of modes)
    if (typeof mode === 'string' && !accessModes.includes(mode))
      faults.unsupported('spec.accessModes', mode, accessModes);
}

function checkStorage(value: unknown, path: string, faults: Faults): void {
  const quantity = typeof value === 'string' ? parseQuantity(value) : undefined;
  if (quantity === undefined) faults.required(path);
  else if (quantity.unscaled <= 0n) faults.invalid(path, value, 'must be greater than zero');
}

const claim: KindCheck = (object, old, faults) => {
  const spec = partOf(object, 'spec');
  checkAccessModes(spec, 'at least 1 access mode is required', faults);
  if (spec['selector'] !== undefined) checkSelector(spec['selector'], 'spec.selector', faults);
  const size = partOf(partOf(spec, 'resources'), 'requests')['storage'];
  checkStorage(size, 'spec.resources[storage]', faults);
  const storageClass = textAt(spec, 'storageClassName');
  if (storageClass !== '') faults.malformed('spec.storageClassName', storageClass, dnsSubdomain(storageClass));
  faults.oneOf('spec.volumeMode', spec['volumeMode'], ['Block', 'Filesystem']);
  if (old !== undefined) checkClaimKept(object, old, faults);
};

function checkClaimKept(object: KubeObject, old: KubeObject, faults: Faults): void {
  const before = partOf(old, 'spec');
  const bound = partOf(old, 'status')['phase'] === 'Bound';
  const fixed = (spec: Record<string, unknown>): unknown => {
    const { resources, volumeName, storageClassName, volumeAttributesClassName, ...rest } = spec;
    const assigned = textAt(before, 'volumeName') !== '';
    return {
      ...rest,
      ...(assigned && { volumeName }),
      ...(before['storageClassName'] !== undefined && { storageClassName }),
      ...(!bound && { resources, volumeAttributesClassName }),
    };
  };
  const spec = partOf(object, 'spec');
  if (!sameJson(fixed(spec), fixed(before)))
    faults.forbidden(
      'spec',
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n',
    );
  const size = (of: Record<string, unknown>): ReturnType<typeof parseQuantity> =>
    parseQuantity(textAt(partOf(partOf(of, 'resources'), 'requests'), 'storage'));
  const now = size(spec) ?? { unscaled: 0n, scale: 0, family: 'decimal' };
  const was = size(before);
  const capacity = parseQuantity(textAt(partOf(partOf(old, 'status'), 'capacity'), 'storage')) ?? parseQuantity('0');
  const shrinks = was !== undefined && compareQuantities(now, was) < 0;
  if (shrinks && capacity !== undefined && compareQuantities(now, capacity) <= 0)
    faults.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
  immutable({ now: spec['volumeMode'], before: before['volumeMode'], path: 'volumeMode' }, faults);
}

/** Fields of a volume's spec that are not where its data lies. */
const volumeTraits = new Set(
  ['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'persistentVolumeReclaimPolicy'].concat(
    'storageClassName',
    'volumeAttributesClassName',
    'volumeMode',
  ),
);

const sourceOf = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(spec).filter(([key]) => !volumeTraits.has(key)));

const volume: KindCheck = (object, old, faults) => {
  const spec = partOf(object, 'spec');
  checkAccessModes(spec, '', faults);
  const capacity = partOf(spec, 'capacity');
  const named = Object.keys(capacity);
  if (named.length === 0) faults.required('spec.capacity');
  if (named.length !== 1 || named[0] !== 'storage') faults.unsupported('spec.capacity', spec['capacity'], ['storage']);
  else checkStorage(capacity['storage'], 'spec.capacity[storage]', faults);
  faults.oneOf('spec.persistentVolumeReclaimPolicy', spec['persistentVolumeReclaimPolicy'], [
    'Delete',
    'Recycle',
    'Retain',
  ]);
  const sources = Object.keys(sourceOf(spec));
  if (sources.length === 0) faults.required('spec', 'must specify a volume type');
  for (const source of sources.slice(1)) faults.forbidden(`spec.${source}`, 'may not specify more than 1 volume type');
  if (old === undefined) return;
  const before = partOf(old, 'spec');
  if (!sameJson(sourceOf(spec), sourceOf(before)))
    faults.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation\n');
  immutable({ now: spec['volumeMode'], before: before['volumeMode'], path: 'volumeMode' }, faults);
};

const storageClass: KindCheck = (object, old, faults) => {
  if (textAt(object, 'provisioner') === '') faults.required('provisioner');
  faults.oneOf('reclaimPolicy', object['reclaimPolicy'], ['Delete', 'Retain']);
  faults.oneOf('volumeBindingMode', object['volumeBindingMode'], ['Immediate', 'WaitForFirstConsumer']);
  if (old === undefined) return;
  if (!sameJson(partOf(object, 'parameters'), partOf(old, 'parameters')))
    faults.forbidden('parameters', 'updates to parameters are forbidden.');
  for (const field of ['provisioner', 'reclaimPolicy'])
    if (object[field] !== old[field]) faults.forbidden(field, `updates to ${field} are forbidden.`);
  const path = 'volumeBindingMode';
  immutable({ now: object[path], before: old[path], path }, faults);
};

const priorityClass: KindCheck = (object, old, faults) => {
  const { name = '' } = object.metadata;
  const value = numberIn(object, 'value') ?? 0;
  if (value > 1_000_000_000 && !name.startsWith('system-'))
    faults.forbidden('value', 'maximum allowed value of a user defined priority is 1000000000');
  if (!name.startsWith('system-') || old !== undefined)
    faults.oneOf('preemptionPolicy', object['preemptionPolicy'], ['Never', 'PreemptLowerPriority']);
  if (old === undefined) return;
  if (object['value'] !== old['value']) faults.forbidden('value', 'may not be changed in an update.');
  immutable({ now: object['preemptionPolicy'], before: old['preemptionPolicy'], path: 'preemptionPolicy' }, faults);
};

const lease: KindCheck = (object, _old, faults) => {
  const spec = partOf(object, 'spec');
  const duration = numberIn(spec, 'leaseDurationSeconds');
  if (duration !== undefined && duration <= 0)
    faults.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0');
  faults.notNegative('spec.leaseTransitions', spec['leaseTransitions']);
};

function checkEndpoint(
  addresses: readonly unknown[],
  { path, type }: Readonly<{ path: string; type: unknown }>,
  faults: Faults,
): void {
  for (const address of addresses) {
    if (typeof address !== 'string') continue;
    if (type === 'IPv4' && !isIPv4(address)) faults.invalid(path, address, 'must be an IPv4 address');
    else if (type === 'IPv6' && !isIPv6(address)) faults.invalid(path, address, 'must be an IPv6 address');
    else if (type === 'FQDN') faults.malformed(path, address, dnsSubdomain(address));
  }
}

const endpointSlice: KindCheck = (object, old, faults) => {
  // Endpoints that an update leaves alone are not looked at again.
  const known = old !== undefined && sameJson(itemsAt(object, 'endpoints'), itemsAt(old, 'endpoints'));
  const types = ['FQDN', 'IPv4', 'IPv6'];
  faults.oneOf('addressType', object['addressType'], types);
  for (const [index, endpoint] of known ? [] : itemsAt(object, 'endpoints').entries())
    if (itemsAt(endpoint, 'addresses').length === 0)
      faults.required(`endpoints[${index}].addresses`, 'must contain at least 1 address');
    else
      checkEndpoint(
        itemsAt(endpoint, 'addresses'),
        { path: `endpoints[${index}].addresses`, type: object['addressType'] },
        faults,
      );
  if (old !== undefined)
    immutable({ now: object['addressType'], before: old['addressType'], path: 'addressType' }, faults);
};

const webhooks: KindCheck = (object, _old, faults) => {
  const names = new Set<string>();
  for (const [index, webhook] of itemsAt(object, 'webhooks').entries()) {
    const path = `webhooks[${index}]`;
    const name = textAt(webhook, 'name');
    if (name.split('.').length < 3)
      faults.invalid(`${path}.name`, name, 'should be a domain with at least three segments separated by dots');
    if (names.has(name)) faults.duplicate(`${path}.name`, name);
    names.add(name);
    const config = partOf(webhook, 'clientConfig');
    if (isRecord(config['service']) === (textAt(config, 'url') !== ''))
      faults.required(`${path}.clientConfig`, 'exactly one of url or service is required');
    faults.oneOf(`${path}.sideEffects`, textAt(webhook, 'sideEffects'), ['None', 'NoneOnDryRun']);
    if (itemsAt(webhook, 'admissionReviewVersions').length === 0)
      faults.required(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1');
  }
};

/** Checks of configuration, access rights and storage, by group and kind. */
export const configurationChecks: Readonly<Record<string, KindCheck>> = {
  '/ConfigMap': configMap,
  '/PersistentVolume': volume,
  '/PersistentVolumeClaim': claim,
  '/Secret': secret,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'coordination.k8s.io/Lease': lease,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'rbac.authorization.k8s.io/ClusterRole': role(false),
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding(false),
  'rbac.authorization.k8s.io/Role': role(true),
  'rbac.authorization.k8s.io/RoleBinding': roleBinding(true),
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'storage.k8s.io/StorageClass': storageClass,
};
