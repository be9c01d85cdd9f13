import { at, formatApiVersion, type KubeObject } from '@tiphys/api';
import { trackScale, trackUpdate } from '../../patch/index.ts';
import { applyDefaults } from '../../schema/default.ts';
import type { ResourceType } from '../../schema/types.ts';
import { timeText, type Cluster, type Target, type WriteOptions, type Written } from '../cluster.ts';
import { checkQuota } from '../admission/resource-quota.ts';
import { fromStored, otherVersions, toStored } from '../conversion.ts';
import { isSameObject } from '../equal.ts';
import { normalize, prepareForStatusUpdate, prepareForUpdate } from '../prepare.ts';
import { conflict, fieldError, invalid, modified, notFound, resourceText } from '../refusal.ts';
import { storageKey } from '../type-registry.ts';
import { create, errorsOf } from './create.ts';
import { placed, plainMetadata, readObject } from './incoming.ts';
import { omit } from '../../schema/omit.ts';

/** Kinds that a PUT may create. */
const createdByUpdate = new Set([
  'runtimeclasses.node.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'leases.coordination.k8s.io',
  'limitranges',
  'events',
  'services',
  'endpoints',
]);

/** Built-in kinds that must be updated from a read version. */
const conditional = new Set([
  'clustertrustbundles.certificates.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'csidrivers.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'leases.coordination.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
]);

/** The stored object behind a target, in the form of its version. */
export function liveObject(cluster: Cluster, { type, namespace, name }: Target): KubeObject | undefined {
  const stored = cluster.store.get({ resource: storageKey(type), namespace, name });
  return stored === undefined ? undefined : fromStored(stored, type);
}

const mustBeSpecified = fieldError(
  'metadata.resourceVersion',
  'FieldValueInvalid',
  'Invalid value: 0: must be specified for an update',
);

/** Where etcd would have the object; clients see it in one message. */
const storagePath = ({ metadata: { namespace, name = '' } }: KubeObject, { plural }: ResourceType): string =>
  ['/registry', plural, ...(namespace === undefined ? [] : [namespace]), name].join('/');

function checkVersion(object: KubeObject, live: KubeObject, type: ResourceType): void {
  const { name = '', resourceVersion = '', uid } = object.metadata;
  const unset = resourceVersion === '' || resourceVersion === '0';
  if (unset && (type.custom !== undefined || conditional.has(resourceText(type))))
    // This one answer names the resource where all others name the kind.
    throw invalid({ group: type.group, kind: type.plural }, name, [mustBeSpecified]);
  if (uid !== undefined && uid !== live.metadata.uid)
    throw conflict(
      type,
      name,
      `StorageError: invalid object, Code: 4, Key: ${storagePath(live, type)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ''}`,
    );
  if (!unset && resourceVersion !== live.metadata.resourceVersion) throw modified(type, name);
}

/** Replaces an object (or, for the kinds that allow it, creates it). */
export function update(
  cluster: Cluster,
  target: Target,
  request: Readonly<{ body: unknown; subresource: string; options: WriteOptions }>,
): Written {
  const { type, name } = target;
  const incoming = readObject(request.body, type, request.options);
  const object = placed(incoming.object, target);
  const live = liveObject(cluster, target);
  if (live === undefined) {
    if (request.subresource === '' && createdByUpdate.has(resourceText(type))) return create(cluster, target, request);
    throw notFound(type, name);
  }
  checkVersion(object, live, type);
  const written = commit(cluster, target, { live, next: object, ...request });
  return { ...written, warnings: incoming.warnings };
}

/** A change on its way to the store: from the live object to the next, in the form of the target's version. */
export type Change = Readonly<{
  live: KubeObject;
  next: KubeObject;
  subresource: string;
  options: WriteOptions;
  /** The managedFields of `next` are already as they are to be stored (server-side apply). */
  managed?: boolean;
  /** Written by the cluster itself from the live object: nothing to default or to check. */
  trusted?: boolean;
}>;

const isReset = (entries: readonly unknown[] | undefined): boolean =>
  entries?.length === 1 && entries.every((entry) => Object.keys(entry ?? {}).length === 0);

/** The metadata that a writer cannot change. */
function keepSystemFields(next: KubeObject, live: KubeObject, type: ResourceType): KubeObject {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = live.metadata;
  const { managedFields: sent } = next.metadata;
  const metadata = omit(
    next.metadata,
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'managedFields',
  );
  const managedFields = sent === undefined || sent.length === 0 ? live.metadata.managedFields : sent;
  const kept = {
    ...metadata,
    ...(type.namespaced && { namespace: live.metadata.namespace ?? '' }),
    name: live.metadata.name ?? '',
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    ...(generation !== undefined && { generation }),
    ...(managedFields !== undefined && { managedFields }),
    resourceVersion: live.metadata.resourceVersion ?? '',
  };
  return { ...next, metadata: plainMetadata(kept) };
}

const replicasPath = (type: ResourceType): string[] =>
  (type.custom?.scale?.specReplicasPath ?? '.spec.replicas').split('.').slice(1);

function trackReplicas(after: KubeObject, type: ResourceType, { live, options }: Change): KubeObject {
  const path = replicasPath(type);
  return trackScale({
    before: live,
    after,
    path: path.map((part) => `f:${part}`),
    isChanged: at(live, ...path) !== at(after, ...path),
    manager: options.manager,
    apiVersion: formatApiVersion(type.group, type.version),
  });
}

function track(
  cluster: Cluster,
  object: KubeObject,
  { type, change }: Readonly<{ type: ResourceType; change: Change }>,
) {
  if (change.managed === true) return object;
  if (isReset(object.metadata.managedFields)) {
    return { ...object, metadata: omit(object.metadata, 'managedFields') };
  }
  if (change.subresource === 'scale') return trackReplicas(object, type, change);
  return trackUpdate({
    before: change.live,
    after: object,
    manager: change.options.manager,
    operation: 'Update',
    ...(change.subresource !== '' && { subresource: change.subresource }),
    now: timeText(cluster.clock.now()),
    type,
    otherVersion: otherVersions(cluster.types, type),
  });
}

const mayGo = ({ metadata }: KubeObject, kind: string, object: KubeObject): boolean => {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false;
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  const spec = object['spec'];
  const contentFinalizers =
    kind === 'Namespace' && typeof spec === 'object' && spec !== null && 'finalizers' in spec ? spec.finalizers : [];
  return !Array.isArray(contentFinalizers) || contentFinalizers.length === 0;
};

/** Brings a changed object into its final form, checks it and stores it. The last finalizer's removal removes the object. */
export function commit(cluster: Cluster, target: Target, change: Change): Written {
  const { type, namespace, name } = target;
  const { live, subresource, options } = change;
  options.mayWrite?.(target, change.next, live);
  const preparation = { cluster, namespace, dryRun: options.dryRun };
  const identified = keepSystemFields(change.next, live, type);
  // After an apply that left nobody owning anything, nobody does.
  const unowned = change.managed === true && change.next.metadata.managedFields === undefined;
  const kept = unowned ? { ...identified, metadata: omit(identified.metadata, 'managedFields') } : identified;
  const complete = change.trusted === true ? kept : applyDefaults(normalize(kept, type), type);
  const tracked = track(cluster, complete, { type, change });
  const prepared =
    subresource === 'status'
      ? prepareForStatusUpdate(tracked, live, type)
      : subresource === 'finalize'
        ? tracked
        : prepareForUpdate({ object: tracked, old: live, type }, preparation);
  const errors =
    change.trusted === true ? [] : errorsOf(prepared, type, { old: live, ...(subresource !== '' && { subresource }) });
  if (errors.length > 0) throw invalid(type, name, errors);
  if (change.trusted !== true && subresource === '') checkQuota(cluster.store, { type, object: prepared, old: live });
  if (isSameObject(prepared, live)) return { object: live, warnings: [], created: false };
  if (options.dryRun) return { object: prepared, warnings: [], created: false };
  const key = storageKey(type);
  if (mayGo(prepared, type.kind, prepared)) {
    // The requester sees what it wrote; watchers see the last state that was stored, for this one never is.
    cluster.store.remove({ resource: key, namespace, name });
    return { object: prepared, warnings: [], created: false };
  }
  const stored = cluster.store.put(key, toStored(prepared, type, cluster.types.stored(key) ?? type));
  return { object: fromStored(stored, type), warnings: [], created: false };
}
