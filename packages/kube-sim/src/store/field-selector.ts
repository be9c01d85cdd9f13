import { at, CodedError, type KubeObject } from '@tiphys/api';

/** One condition of a field selector. */
export type FieldRequirement = Readonly<{ path: string; equal: boolean; value: string }>;

const unescape = (text: string): string => text.replaceAll(/\\([\\,=])/g, '$1');

function parseOne(text: string): FieldRequirement {
  const parts = /^((?:\\.|[^\\=!])+?)(==|=|!=)((?:\\.|[^\\])*)$/.exec(text);
  if (parts === null)
    throw new CodedError('language/invalid', `invalid selector: '${text}'; can't understand '${text}'`);
  const [, path = '', operator, value = ''] = parts;
  return { path: path.trim(), equal: operator !== '!=', value: unescape(value) };
}

/**
 * Reads `metadata.name=x,status.phase!=Running`.
 * @throws CodedError language/invalid
 */
export const parseFieldSelector = (text: string): readonly FieldRequirement[] =>
  text
    .split(/(?<!\\),/)
    .filter((part) => part !== '')
    .map(parseOne);

/** Fields that can be selected on besides metadata.name and metadata.namespace (Kubernetes 1.35). */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  replicationcontrollers: ['status.replicas'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
  'certificatesigningrequests.certificates.k8s.io': ['spec.signerName'],
  'customresourcedefinitions.apiextensions.k8s.io': [],
};

/** Why a resource cannot be selected by a field, in the words of its kind. */
export function notSelectable(resource: string, path: string, isCustom: boolean): string {
  if (resource === 'jobs.batch') return `field label ${JSON.stringify(path)} not supported for Job`;
  if (isCustom || (selectable[resource] ?? []).length > 0) return `field label not supported: ${path}`;
  return `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** Whether a resource can be selected by a field; `more` are the selectable fields of a custom resource. */
export const isSelectable = (resource: string, path: string, more: readonly string[] = []): boolean =>
  path === 'metadata.name' ||
  path === 'metadata.namespace' ||
  (selectable[resource] ?? []).includes(path) ||
  more.some((field) => field.replace(/^\./, '') === path);

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return '';
};

function fieldText(object: KubeObject, path: string): string {
  if (path === 'source') return textOf(at(object, 'source', 'component'));
  if (path === 'status.successful') return textOf(at(object, 'status', 'succeeded'));
  if (path === 'spec.unschedulable' || path === 'spec.hostNetwork')
    return textOf(at(object, ...path.split('.')) ?? false);
  return textOf(at(object, ...path.split('.')));
}

/** Whether an object satisfies every requirement. A missing field counts as empty. */
export const matchesFields = (requirements: readonly FieldRequirement[], object: KubeObject): boolean =>
  requirements.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
