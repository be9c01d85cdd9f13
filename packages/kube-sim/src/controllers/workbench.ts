import { StatusError } from '../schema/status-error.ts';
import { isRecord, type KubeObject, type OwnerReference } from '@tiphys/api';
import { equal } from '../server/equal.ts';
import { ownWrite, timeText, type Cluster } from '../server/cluster.ts';
import { createObject } from '../server/operations/create.ts';
import { remove, type DeleteOptions } from '../server/operations/delete.ts';
import { commit } from '../server/operations/update.ts';
import type { Target } from '../server/cluster.ts';
import { EventRecorder, type EventText } from './event-recorder.ts';
import type { Place } from '../store/place.ts';

/** What the controllers read and write with: the same operations that requests go through, without HTTP. */
export type Workbench = Readonly<{
  cluster: Cluster;
  now: () => Date;
  nowText: () => string;
  get: (place: Place) => KubeObject | undefined;
  list: (resource: string, namespace?: string) => readonly KubeObject[];
  /** Objects of a resource that an object controls. */
  controlled: (owner: KubeObject, kind: string) => readonly KubeObject[];
  create: (object: KubeObject, manager?: string) => KubeObject;
  update: (object: KubeObject, manager?: string) => KubeObject;
  /** Writes `status` (and annotations) when it differs. */
  updateStatus: (object: KubeObject, status: unknown, manager?: string) => KubeObject;
  /** Writes what no request may: a pod's node. */
  put: (object: KubeObject) => KubeObject;
  remove: (object: KubeObject, options?: Partial<DeleteOptions>) => void;
  event: (about: KubeObject, text: EventText) => void;
}>;

const controllerManager = 'kube-controller-manager';

function targetOf({ types }: Cluster, object: KubeObject): Target {
  const type = types.ofKind(object);
  if (type === undefined) throw new Error(`${object.apiVersion} ${object.kind} is not served`);
  return {
    type,
    namespace: type.namespaced ? (object.metadata.namespace ?? '') : '',
    name: object.metadata.name ?? '',
  };
}

const resourceOf = (cluster: Cluster, object: KubeObject): string => {
  const { type } = targetOf(cluster, object);
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
};

/** The reference that makes an object the controller of another. */
export const controllerReference = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/** The controller of an object. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);

export function createWorkbench(cluster: Cluster): Workbench {
  const { store, clock } = cluster;
  const recorder = new EventRecorder(cluster);
  const change = (
    object: KubeObject,
    next: KubeObject,
    how: { subresource: string; manager: string; trusted?: boolean },
  ): KubeObject =>
    commit(cluster, targetOf(cluster, object), {
      live: object,
      next,
      subresource: how.subresource,
      options: ownWrite(how.manager),
      trusted: how.trusted === true,
    }).object;
  const live = (object: KubeObject): KubeObject => {
    const { namespace = '', name = '' } = object.metadata;
    return store.get({ resource: resourceOf(cluster, object), namespace, name }) ?? object;
  };
  return {
    cluster,
    now: () => clock.now(),
    nowText: () => timeText(clock.now()),
    get: (place) => store.get(place),
    list: (resource, namespace) => store.list(resource, namespace),
    controlled: (owner, kind) =>
      store
        .ownedBy(owner.metadata.uid ?? '')
        .filter((object) => object.kind === kind && controllerOf(object)?.uid === owner.metadata.uid),
    create: (object, manager = controllerManager) =>
      createObject(cluster, targetOf(cluster, object), { object, options: ownWrite(manager) }).object,
    update: (object, manager = controllerManager) => change(live(object), object, { subresource: '', manager }),
    updateStatus: (object, status, manager = controllerManager) => {
      const current = live(object);
      const { annotations } = object.metadata;
      if (equal(current['status'], status) && equal(current.metadata.annotations, annotations)) return current;
      const metadata = { ...current.metadata, ...(annotations !== undefined && { annotations }) };
      return change(current, { ...current, metadata, status }, { subresource: 'status', manager, trusted: true });
    },
    put: (object) => store.put(resourceOf(cluster, object), object),
    remove: (object, options = {}) => {
      const target = targetOf(cluster, object);
      if (
        store.get({ resource: resourceOf(cluster, object), namespace: target.namespace, name: target.name }) ===
        undefined
      )
        return;
      remove(cluster, target, { dryRun: false, propagationPolicy: 'Background', ...options });
    },
    event: (about, text) => recorder.record(about, text),
  };
}

/**
 * Creates a pod for its owner, and says so in an event; a pod that is refused (a quota, a limit, a policy) is told there
 * too.
 * @returns why it was refused; undefined when it is there
 */
export function createPodFor(
  owner: KubeObject,
  pod: KubeObject,
  { bench, component }: Readonly<{ bench: Workbench; component: string }>,
): string | undefined {
  try {
    const created = bench.create(pod);
    const message = `Created pod: ${created.metadata.name ?? ''}`;
    bench.event(owner, { type: 'Normal', reason: 'SuccessfulCreate', message, component });
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    bench.event(owner, {
      type: 'Warning',
      reason: 'FailedCreate',
      message: `Error creating: ${error.message}`,
      component,
    });
    return error.message;
  }
}

/** One condition, with whatever else its kind has in one. */
export type Condition = Readonly<{
  type: string;
  status: string;
  reason?: string;
  message?: string;
  [more: string]: unknown;
}>;

/** A metav1-style condition list with one entry set; lastTransitionTime moves only when the status changes. */
export function withCondition(conditions: unknown, entry: Condition, now: string): readonly Record<string, unknown>[] {
  const list = Array.isArray(conditions) ? conditions.filter(isRecord) : [];
  const before = list.find((condition) => condition['type'] === entry.type);
  const lastTransitionTime = before?.['status'] === entry.status ? before['lastTransitionTime'] : now;
  const next = { ...before, lastTransitionTime, ...entry };
  return before === undefined ? [...list, next] : list.map((condition) => (condition === before ? next : condition));
}
