import { isRecord, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../types.ts';
import { sameJson } from '../../patch/same-json.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, labelValueForm, pathSegment, qualifiedName } from './text-forms.ts';

type Form = (text: string) => string[];

/** Kinds whose names have another form than a DNS subdomain. */
const nameForms: Readonly<Record<string, Form>> = {
  '/Namespace': dnsLabel,
  '/Service': dns1035Label,
  'apps/StatefulSet': dnsLabel,
  'rbac.authorization.k8s.io/ClusterRole': pathSegment,
  'rbac.authorization.k8s.io/ClusterRoleBinding': pathSegment,
  'rbac.authorization.k8s.io/Role': pathSegment,
  'rbac.authorization.k8s.io/RoleBinding': pathSegment,
  'certificates.k8s.io/CertificateSigningRequest': dnsSubdomain,
};

const annotationLimit = 256 * 1024;
const banned = new Set(['v1/Event']);

/** Metadata of a new object, or of a changed one when `old` is given. */
export function checkMetadata(
  object: KubeObject,
  context: Readonly<{ type: ResourceType; old: KubeObject | undefined }>,
  faults: Faults,
): void {
  const { metadata } = object;
  if (context.old === undefined) checkIdentity(object, context.type, faults);
  else checkKept(object, context.old, faults);
  checkLabels(metadata.labels, 'metadata.labels', faults);
  checkAnnotations(metadata.annotations, faults);
  checkOwners(metadata.ownerReferences, faults);
  if (context.old === undefined) checkFinalizers(metadata.finalizers, faults);
}

function checkIdentity({ metadata }: KubeObject, type: ResourceType, faults: Faults): void {
  const form = nameForms[`${type.group}/${type.kind}`] ?? dnsSubdomain;
  const { name = '', generateName = '', namespace = '' } = metadata;
  // A name is going to follow what ends in a dash.
  if (generateName !== '')
    faults.malformed('metadata.generateName', generateName, form(generateName.replace(/-$/, 'a')));
  if (name === '') faults.required('metadata.name', 'name or generateName is required');
  else faults.malformed('metadata.name', name, form(name));
  if (type.namespaced && namespace === '') faults.required('metadata.namespace');
  else if (type.namespaced) faults.malformed('metadata.namespace', namespace, dnsLabel(namespace));
  else if (namespace !== '') faults.forbidden('metadata.namespace', 'not allowed on this type');
}

/** What an update may not change. Fields that the server takes from the old object are not looked at. */
function checkKept({ metadata }: KubeObject, old: KubeObject, faults: Faults): void {
  const before = old.metadata;
  if (before.deletionTimestamp !== undefined) {
    const known = new Set(before.finalizers);
    const added = (metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer)).sort();
    if (added.length > 0)
      faults.forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
          .map((finalizer) => JSON.stringify(finalizer))
          .join(', ')}}`,
      );
  }
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp'] as const) {
    const value = metadata[field] ?? undefined;
    if (value !== undefined && !sameJson(value, before[field]))
      faults.invalid(`metadata.${field}`, value, 'field is immutable');
  }
  if ((metadata.generation ?? 0) < (before.generation ?? 0))
    faults.invalid('metadata.generation', metadata.generation ?? 0, 'must not be decremented');
}

export function checkLabels(labels: unknown, path: string, faults: Faults): void {
  if (!isRecord(labels)) return;
  for (const [key, value] of Object.entries(labels)) {
    faults.malformed(path, key, qualifiedName(key));
    if (typeof value === 'string') faults.malformed(path, value, labelValueForm(value));
  }
}

function checkAnnotations(annotations: unknown, faults: Faults): void {
  if (!isRecord(annotations)) return;
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    faults.malformed('metadata.annotations', key, qualifiedName(key.toLowerCase()));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > annotationLimit) faults.tooLong('metadata.annotations', annotationLimit);
}

function checkOwners(owners: unknown, faults: Faults): void {
  const path = 'metadata.ownerReferences';
  let controller = '';
  for (const owner of Array.isArray(owners) ? owners : []) {
    if (textAt(owner, 'apiVersion') === '') faults.invalid(`${path}.apiVersion`, '', 'version must not be empty');
    for (const field of ['kind', 'name', 'uid'])
      if (textAt(owner, field) === '') faults.invalid(`${path}.${field}`, '', 'must not be empty');
    if (banned.has(`${textAt(owner, 'apiVersion')}/${textAt(owner, 'kind')}`))
      faults.invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner');
    if (!isRecord(owner) || owner['controller'] !== true) continue;
    const name = `${textAt(owner, 'kind')}/${textAt(owner, 'name')}`;
    if (controller !== '')
      faults.invalid(
        path,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
      );
    controller = name;
  }
}

function checkFinalizers(finalizers: readonly string[] | undefined, faults: Faults): void {
  for (const finalizer of finalizers ?? [])
    faults.malformed('metadata.finalizers', finalizer, qualifiedName(finalizer));
  if (finalizers?.includes('orphan') === true && finalizers.includes('foregroundDeletion'))
    faults.invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
}

export const notAnOperator = 'not a valid selector operator';

/** A label selector: its keys, operators and values. */
export function checkSelector(selector: unknown, path: string, faults: Faults): void {
  checkLabels(partOf(selector, 'matchLabels'), `${path}.matchLabels`, faults);
  for (const [index, expression] of itemsAt(selector, 'matchExpressions').entries())
    checkExpression(expression, { path: `${path}.matchExpressions[${index}]`, ordered: 'no operator' }, faults);
}

/** One requirement of a selector of labels, or of nodes: there `Gt` and `Lt` compare with a single value. */
export function checkExpression(
  expression: unknown,
  { path, ordered }: Readonly<{ path: string; ordered: 'single value' | 'no operator' }>,
  faults: Faults,
): void {
  const operator = textAt(expression, 'operator');
  const values = itemsAt(expression, 'values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) faults.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      faults.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (ordered === 'single value' && (operator === 'Gt' || operator === 'Lt')) {
    if (values.length !== 1)
      faults.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else faults.invalid(`${path}.operator`, operator, notAnOperator);
  const key = textAt(expression, 'key');
  faults.malformed(`${path}.key`, key, qualifiedName(key));
  for (const [index, value] of values.entries())
    if (typeof value === 'string') faults.malformed(`${path}.values[${index}]`, value, labelValueForm(value));
}

/** Whether a selector picks labels; undefined when it cannot be read. */
export function selects(selector: unknown, labels: Record<string, unknown>): boolean {
  const wanted = Object.entries(partOf(selector, 'matchLabels')).every(([key, value]) => labels[key] === value);
  return wanted && itemsAt(selector, 'matchExpressions').every((expression) => satisfies(expression, labels));
}

function satisfies(expression: unknown, labels: Record<string, unknown>): boolean {
  const value = labels[textAt(expression, 'key')];
  const values = itemsAt(expression, 'values');
  switch (textAt(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}

/** Whether a selector asks for nothing at all. */
export const isEmptySelector = (selector: unknown): boolean =>
  Object.keys(partOf(selector, 'matchLabels')).length + itemsAt(selector, 'matchExpressions').length === 0;

/** A number that may be a percentage, as a number; undefined when it is neither. */
export function countOf(value: unknown, field: string): number | undefined {
  const text = textAt(value, field);
  return text === '' ? numberIn(value, field) : Number.parseInt(text, 10);
}
