import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import { timeText, type Cluster, type Target } from '../cluster.ts';
import { fromStored, toStored } from '../conversion.ts';
import { conflict, fieldError, forbidden, invalidOptions, notFound, resourceText } from '../refusal.ts';
import { storageKey } from '../type-registry.ts';
import { liveObject } from './update.ts';
import { omit } from '../../schema/omit.ts';

/** metav1.DeleteOptions. */
export type DeleteOptions = Readonly<{
  dryRun: boolean;
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  uid?: string;
  resourceVersion?: string;
}>;

/** `gone`: the object was removed; otherwise it stays until its finalizers or its grace period let it go. */
export type Deleted = Readonly<{ gone: boolean; object: KubeObject }>;

const policies = ['Orphan', 'Background', 'Foreground'] as const;

const first = (query: URLSearchParams, name: string): string | undefined => query.get(name) ?? undefined;

/** Reads delete options from the body, and from the query where the body says nothing. */
export function readDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const grace = numberAt(body, 'gracePeriodSeconds') ?? first(query, 'gracePeriodSeconds');
  const orphan = at(body, 'orphanDependents') ?? first(query, 'orphanDependents');
  const stated = stringAt(body, 'propagationPolicy') ?? first(query, 'propagationPolicy');
  const policyText =
    stated ?? (orphan === undefined ? undefined : orphan === true || orphan === 'true' ? 'Orphan' : 'Background');
  const propagationPolicy = policies.find((policy) => policy === policyText);
  if (policyText !== undefined && propagationPolicy === undefined)
    throw invalidOptions(
      'DeleteOptions',
      fieldError(
        'propagationPolicy',
        'FieldValueNotSupported',
        `Unsupported value: ${JSON.stringify(policyText)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      ),
    );
  const uid = stringAt(body, 'preconditions', 'uid');
  const resourceVersion = stringAt(body, 'preconditions', 'resourceVersion');
  const dryRun = [...query.getAll('dryRun'), ...listAt(body, 'dryRun')];
  return {
    dryRun: dryRun.includes('All'),
    ...(grace !== undefined && { gracePeriodSeconds: Number(grace) }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

function checkNamespacePreconditions({ metadata }: KubeObject, options: DeleteOptions): void {
  const { uid = '', resourceVersion = '', name = '' } = metadata;
  const refuse = (what: string, wanted: string, found: string): Error =>
    conflict(
      { group: '', plural: 'namespaces' },
      name,
      `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`,
    );
  if (options.uid !== undefined && options.uid !== uid) throw refuse('UID', options.uid, uid);
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw refuse('ResourceVersion', options.resourceVersion, resourceVersion);
}

function checkPreconditions(live: KubeObject, { group, kind }: ResourceType, options: DeleteOptions): void {
  const { uid = '', resourceVersion = '', name = '' } = live.metadata;
  if (kind === 'Namespace') {
    checkNamespacePreconditions(live, options);
    return;
  }
  // This one answer names the kind where all others name the resource.
  const record = { group, plural: kind };
  if (options.uid !== undefined && options.uid !== uid)
    throw conflict(
      record,
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw conflict(
      record,
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
}

const collectorFinalizers = ['orphan', 'foregroundDeletion'];

/** Kinds whose dependents stay by default (batch/v1 Job and core/v1 ReplicationController, for old clients). */
const orphansByDefault = new Set(['jobs.batch', 'replicationcontrollers']);

/** The finalizers after a delete request: those of the garbage collector follow from the propagation policy. */
function finalizersFor(live: KubeObject, type: ResourceType, { propagationPolicy }: DeleteOptions): readonly string[] {
  const present = live.metadata.finalizers ?? [];
  const others = present.filter((finalizer) => !collectorFinalizers.includes(finalizer));
  if (propagationPolicy === 'Orphan') return [...others, 'orphan'];
  if (propagationPolicy === 'Foreground') return [...others, 'foregroundDeletion'];
  if (propagationPolicy === 'Background') return others;
  if (present.includes('orphan')) return [...others, 'orphan'];
  if (present.includes('foregroundDeletion')) return [...others, 'foregroundDeletion'];
  return orphansByDefault.has(resourceText(type)) ? [...others, 'orphan'] : others;
}

/** Seconds that a pod is given to end; 0 for everything else and for pods that do not run. */
function graceOf(live: KubeObject, type: ResourceType, options: DeleteOptions): number {
  if (resourceText(type) !== 'pods') return 0;
  const phase = stringAt(live, 'status', 'phase');
  if ((stringAt(live, 'spec', 'nodeName') ?? '') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
  const asked = options.gracePeriodSeconds ?? numberAt(live, 'spec', 'terminationGracePeriodSeconds') ?? 0;
  const seconds = asked < 0 ? 1 : asked;
  const before = live.metadata.deletionGracePeriodSeconds;
  return live.metadata.deletionTimestamp === undefined ? seconds : Math.min(seconds, before ?? 0);
}

const immortal = ['default', 'kube-system', 'kube-public'];

function marked(
  live: KubeObject,
  cluster: Cluster,
  parts: { finalizers: readonly string[]; grace: number },
): KubeObject {
  const metadata = omit(live.metadata, 'finalizers');
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation } = metadata;
  const isFirst = deletionTimestamp === undefined;
  const shortened = !isFirst && parts.grace < deletionGracePeriodSeconds;
  const end = timeText(new Date(cluster.clock.now().getTime() + parts.grace * 1000));
  return {
    ...live,
    metadata: {
      ...metadata,
      ...(parts.finalizers.length > 0 && { finalizers: parts.finalizers }),
      ...(isFirst && generation !== undefined && { generation: generation + 1 }),
      deletionTimestamp: isFirst || shortened ? end : deletionTimestamp,
      deletionGracePeriodSeconds: isFirst || shortened ? parts.grace : deletionGracePeriodSeconds,
    },
  };
}

function terminatingNamespace(live: KubeObject): KubeObject {
  const metadata = omit(live.metadata, 'deletionGracePeriodSeconds');
  return { ...live, metadata, status: { ...(isRecord(live['status']) && live['status']), phase: 'Terminating' } };
}

const definitionTerminating = (object: KubeObject, cluster: Cluster): KubeObject => {
  const { generation = 1 } = object.metadata;
  const metadata = omit(object.metadata, 'deletionGracePeriodSeconds');
  const conditions = listAt(object, 'status', 'conditions').filter((entry) => at(entry, 'type') !== 'Terminating');
  const condition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: timeText(cluster.clock.now()),
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  };
  return {
    ...object,
    metadata: { ...metadata, generation: generation - 1 },
    status: { ...(isRecord(object['status']) && object['status']), conditions: [...conditions, condition] },
  };
};

function finalizersOfKind(live: KubeObject, type: ResourceType, options: DeleteOptions): readonly string[] {
  const finalizers = finalizersFor(live, type, options);
  const cleanup = 'customresourcecleanup.apiextensions.k8s.io';
  const isFirst = live.metadata.deletionTimestamp === undefined;
  return type.kind === 'CustomResourceDefinition' && isFirst && !finalizers.includes(cleanup)
    ? [...finalizers, cleanup]
    : finalizers;
}

function markedForKind(
  live: KubeObject,
  type: ResourceType,
  context: { cluster: Cluster; grace: number; finalizers: readonly string[] },
): KubeObject {
  const object = marked(live, context.cluster, context);
  if (type.kind === 'Namespace') return terminatingNamespace(object);
  if (type.kind === 'CustomResourceDefinition') return definitionTerminating(object, context.cluster);
  return object;
}

/** Whether something besides finalizers in metadata keeps the object: a namespace's own finalizers. */
const heldByContent = (live: KubeObject, type: ResourceType): boolean => {
  const finalizers = at(live, 'spec', 'finalizers');
  return type.kind === 'Namespace' && Array.isArray(finalizers) && finalizers.length > 0;
};

/** What a client that says nothing about dependents should know, for the kinds where it matters. */
export const deleteWarnings = (type: ResourceType, { propagationPolicy }: DeleteOptions): readonly string[] =>
  resourceText(type) === 'jobs.batch' && propagationPolicy === undefined
    ? [
        'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
      ]
    : [];

/** Deletes an object, or marks it for deletion when finalizers or a grace period keep it. */
export function remove(cluster: Cluster, target: Target, options: DeleteOptions): Deleted {
  const { type, namespace, name } = target;
  const live = liveObject(cluster, target);
  if (live === undefined) throw notFound(type, name);
  checkPreconditions(live, type, options);
  if (type.kind === 'Namespace' && immortal.includes(name))
    throw forbidden(type, name, { why: 'this namespace may not be deleted' });
  // A namespace that is on its way out stays as it is until its content is gone.
  if (heldByContent(live, type) && live.metadata.deletionTimestamp !== undefined) return { gone: false, object: live };
  const key = storageKey(type);
  const grace = graceOf(live, type, options);
  const finalizers = finalizersOfKind(live, type, options);
  if (finalizers.length === 0 && grace === 0 && !heldByContent(live, type)) {
    const last = resourceText(type) === 'pods' ? marked(live, cluster, { finalizers, grace }) : live;
    if (options.dryRun) return { gone: true, object: last };
    // A pod is marked first, for its grace period may have been shortened: watchers see that.
    const stored = last === live ? live : cluster.store.put(key, last);
    cluster.store.remove({ resource: key, namespace, name }, stored);
    return { gone: true, object: stored };
  }
  const next = markedForKind(live, type, { cluster, grace, finalizers });
  const unchanged =
    live.metadata.deletionTimestamp !== undefined &&
    next.metadata.deletionGracePeriodSeconds === live.metadata.deletionGracePeriodSeconds &&
    finalizers.length === (live.metadata.finalizers ?? []).length &&
    finalizers.every((finalizer) => live.metadata.finalizers?.includes(finalizer));
  if (unchanged || options.dryRun) return { gone: false, object: unchanged ? live : next };
  const stored = cluster.store.put(key, toStored(next, type, cluster.types.stored(key) ?? type));
  return { gone: false, object: fromStored(stored, type) };
}
