import { at, isRecord, listAt, type KubeObject, type ObjectMeta } from '@tiphys/api';
import type { ResourceType } from '../schema/types.ts';
import { mergeStringData } from './kinds/secret.ts';
import { prepareNewJob } from './kinds/job.ts';
import { withLimitDefaults } from './admission/limit-range.ts';
import { admitChangedPod, admitPod, prepareNewPod } from './kinds/pod.ts';
import type { Preparation } from './cluster.ts';
import { equal, semanticallyEqual } from './equal.ts';
import { prepareService } from './kinds/service.ts';
import { admitClaim, admitVolume } from './kinds/volume.ts';
import { resourceText } from './refusal.ts';
import { omit } from '../schema/omit.ts';

type KindRules = Readonly<{
  /** Before defaulting: what admission adds. */
  admit?: (object: KubeObject, preparation: Preparation) => KubeObject;
  /** After defaulting of a new object. */
  create?: (object: KubeObject, preparation: Preparation) => KubeObject;
  /** After defaulting of a changed one; the status is the old one already. */
  update?: (object: KubeObject, old: KubeObject, preparation: Preparation) => KubeObject;
}>;

/** Built-in kinds whose objects count their generations (Kubernetes 1.35). */
const counted = new Set([
  'priorityclasses.scheduling.k8s.io',
  'ingressclasses.networking.k8s.io',
  'networkpolicies.networking.k8s.io',
  'ingresses.networking.k8s.io',
  'endpointslices.discovery.k8s.io',
  'poddisruptionbudgets.policy',
  'resourceslices.resource.k8s.io',
  'deviceclasses.resource.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'daemonsets.apps',
  'statefulsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'pods',
  'podtemplates',
  'replicationcontrollers',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
]);

/** The status that a new object shows where it is not simply empty: Go's fields without `omitempty`. */
const firstStatus: Readonly<Record<string, unknown>> = {
  services: { loadBalancer: {} },
  'ingresses.networking.k8s.io': { loadBalancer: {} },
  'replicasets.apps': { replicas: 0 },
  replicationcontrollers: { replicas: 0 },
  'statefulsets.apps': { availableReplicas: 0, replicas: 0 },
  'daemonsets.apps': {
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  },
  'poddisruptionbudgets.policy': { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  'horizontalpodautoscalers.autoscaling': { currentMetrics: null, desiredReplicas: 0 },
  persistentvolumeclaims: { phase: 'Pending' },
  persistentvolumes: { phase: 'Pending' },
};

const withLabel = (object: KubeObject, key: string, value: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [key]: value } },
});

function prepareNamespace(object: KubeObject): KubeObject {
  const spec = isRecord(object['spec']) ? object['spec'] : {};
  const finalizers = listAt(spec, 'finalizers');
  const all = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'];
  const labelled = withLabel(object, 'kubernetes.io/metadata.name', object.metadata.name ?? '');
  return { ...labelled, spec: { ...spec, finalizers: all }, status: { phase: 'Active' } };
}

function storedVersions(object: KubeObject, known: unknown): readonly unknown[] {
  const storage = listAt(object, 'spec', 'versions').find((version) => at(version, 'storage') === true);
  const name = at(storage, 'name');
  const before: readonly unknown[] = Array.isArray(known) ? known : [];
  return name === undefined || before.includes(name) ? before : [...before, name];
}

const prepareDefinition = (object: KubeObject, old?: KubeObject): KubeObject => ({
  ...object,
  status: {
    ...(old !== undefined && isRecord(old['status']) ? old['status'] : { acceptedNames: { kind: '', plural: '' } }),
    ...(old === undefined && { conditions: null }),
    storedVersions: storedVersions(object, at(old, 'status', 'storedVersions')),
  },
});

function prepareDaemonSet(object: KubeObject, old: KubeObject): KubeObject {
  const found = at(old, 'metadata', 'annotations', 'deprecated.daemonset.template.generation');
  const generation = typeof found === 'string' ? found : '1';
  const same = semanticallyEqual(at(object, 'spec', 'template'), at(old, 'spec', 'template'));
  const next = same ? generation : String(Number(generation) + 1);
  const annotations = { ...object.metadata.annotations, 'deprecated.daemonset.template.generation': next };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Of the secrets of a service account only the names count. */
function prepareServiceAccount(object: KubeObject): KubeObject {
  const secrets = object['secrets'];
  if (!Array.isArray(secrets)) return object;
  return { ...object, secrets: secrets.map((secret: unknown) => ({ name: at(secret, 'name') })) };
}

const rules: Readonly<Record<string, KindRules>> = {
  serviceaccounts: { create: prepareServiceAccount, update: prepareServiceAccount },
  pods: {
    admit: (pod, preparation) =>
      admitPod(withLimitDefaults(pod, preparation.cluster.store, preparation.namespace), preparation),
    create: prepareNewPod,
    update: admitChangedPod,
  },
  'jobs.batch': { create: prepareNewJob },
  persistentvolumeclaims: { admit: admitClaim },
  persistentvolumes: { admit: admitVolume },
  services: { create: (object, preparation) => prepareService(object, undefined, preparation), update: prepareService },
  namespaces: {
    create: prepareNamespace,
    update: (object, old) => ({
      ...withLabel(object, 'kubernetes.io/metadata.name', object.metadata.name ?? ''),
      spec: { ...(isRecord(object['spec']) && object['spec']), finalizers: at(old, 'spec', 'finalizers') },
    }),
  },
  'customresourcedefinitions.apiextensions.k8s.io': {
    create: (object) => prepareDefinition(object),
    update: (object, old) => prepareDefinition(object, old),
  },
  'daemonsets.apps': {
    create: (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, 'deprecated.daemonset.template.generation': '1' },
      },
    }),
    update: prepareDaemonSet,
  },
};

const hasStatus = (type: ResourceType): boolean => type.subresources.includes('status');

/** What decoding does to an object of a kind besides giving its fields their types. */
export const normalize = (object: KubeObject, type: ResourceType): KubeObject =>
  resourceText(type) === 'secrets' ? mergeStringData(object) : object;

/** What admission adds to a new object before it is defaulted and checked. */
export const admit = (object: KubeObject, type: ResourceType, preparation: Preparation): KubeObject =>
  rules[resourceText(type)]?.admit?.(object, preparation) ?? object;

/** A new object as the server stores it: no status of the sender's, the first generation, the kind's own rules. */
export function prepareForCreate(object: KubeObject, type: ResourceType, preparation: Preparation): KubeObject {
  const key = resourceText(type);
  const metadata = omit(object.metadata, 'generation');
  const first = type.custom !== undefined || counted.has(key) ? { ...metadata, generation: 1 } : metadata;
  const prepared = withFreshStatus({ ...object, metadata: first }, type);
  return rules[key]?.create?.(prepared, preparation) ?? prepared;
}

function withFreshStatus(object: KubeObject, type: ResourceType): KubeObject {
  if (!hasStatus(type) || type.kind === 'Node') return object;
  const rest = omit(object, 'status');
  const bare: KubeObject = { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
  if (type.custom !== undefined) return bare;
  return { ...bare, status: firstStatus[resourceText(type)] ?? {} };
}

const content = (object: KubeObject): unknown => ({ ...object, metadata: {}, status: {}, apiVersion: '' });

function generationOf(object: KubeObject, old: KubeObject, type: ResourceType): number | undefined {
  const key = resourceText(type);
  const before = old.metadata.generation;
  // The generation of a PriorityClass stays the first: nothing of it that counts can change.
  if (type.custom === undefined && (!counted.has(key) || type.kind === 'PriorityClass')) return before;
  const statusCounts = type.custom !== undefined && !hasStatus(type);
  // Custom resources are compared as they are: an empty list is not nothing.
  const same = type.custom === undefined ? semanticallyEqual : equal;
  const changed = statusCounts
    ? !same({ ...object, metadata: {} }, { ...old, metadata: {} })
    : !same(content(object), content(old));
  // A Deployment's annotations are copied to its replica sets, so they count as a change of what is wanted.
  const annotated =
    key === 'deployments.apps' && !semanticallyEqual(object.metadata.annotations, old.metadata.annotations);
  const labelled =
    key === 'endpointslices.discovery.k8s.io' && !semanticallyEqual(object.metadata.labels, old.metadata.labels);
  return changed || annotated || labelled ? (before ?? 0) + 1 : before;
}

const withGeneration = (metadata: ObjectMeta, generation: number | undefined): ObjectMeta => {
  const rest = omit(metadata, 'generation');
  return generation === undefined ? rest : { ...rest, generation };
};

/** A changed object as the server stores it: the old status, the next generation when what is wanted changed. */
export function prepareForUpdate(
  change: Readonly<{ object: KubeObject; old: KubeObject; type: ResourceType }>,
  preparation: Preparation,
): KubeObject {
  const { object, old, type } = change;
  const rest = omit(object, 'status');
  const bare: KubeObject = { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
  const kept = hasStatus(type) ? { ...bare, ...('status' in old && { status: old['status'] }) } : object;
  const prepared = rules[resourceText(type)]?.update?.(kept, old, preparation) ?? kept;
  return { ...prepared, metadata: withGeneration(prepared.metadata, generationOf(prepared, old, type)) };
}

/** Kinds whose status subresource leaves all metadata as it is. */
const statusOnly = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'resourceclaims.resource.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'volumeattachments.storage.k8s.io',
]);

/** Most built-in kinds take metadata through `status`; a Deployment all but its labels. */
function metadataThroughStatus(next: ObjectMeta, old: ObjectMeta, type: ResourceType): ObjectMeta {
  const key = resourceText(type);
  if (type.custom !== undefined || statusOnly.has(key)) return old;
  if (key !== 'deployments.apps') return next;
  const rest = omit(next, 'labels');
  return { ...rest, ...(old.labels !== undefined && { labels: old.labels }) };
}

/** A write to `status`: everything else stays. Custom resources keep their metadata too. */
export function prepareForStatusUpdate(object: KubeObject, old: KubeObject, type: ResourceType): KubeObject {
  const { managedFields } = object.metadata;
  const metadata = metadataThroughStatus(object.metadata, old.metadata, type);
  const rest = omit(old, 'status');
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...withGeneration(metadata, old.metadata.generation),
      ...(managedFields !== undefined && { managedFields }),
    },
    ...('status' in object && { status: object['status'] }),
  };
}
