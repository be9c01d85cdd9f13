import type { KubeObject, OwnerReference } from '@tiphys/api';
import type { Place } from '../store/place.ts';
import { storageKey } from '../server/type-registry.ts';
import type { Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

const orphan = 'orphan';
const foreground = 'foregroundDeletion';

const textOf = ({ resource, namespace, name }: Place): string => `${resource}|${namespace}|${name}`;

function placeOf(key: string): Place {
  const [resource = '', namespace = '', name = ''] = key.split('|');
  return { resource, namespace, name };
}

const has = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).includes(finalizer);

function without(object: KubeObject, finalizer: string, bench: Workbench): void {
  const finalizers = (object.metadata.finalizers ?? []).filter((entry) => entry !== finalizer);
  bench.update({ ...object, metadata: { ...object.metadata, finalizers } });
}

const dependentsOf = (object: KubeObject, bench: Workbench): readonly KubeObject[] =>
  bench.cluster.store.ownedBy(object.metadata.uid ?? '');

/** Lets the dependents of an object live on without it. */
function orphanDependents(object: KubeObject, bench: Workbench): void {
  for (const dependent of dependentsOf(object, bench)) {
    const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== object.metadata.uid);
    bench.update({ ...dependent, metadata: { ...dependent.metadata, ownerReferences } });
  }
  without(object, orphan, bench);
}

const blocks = (dependent: KubeObject, owner: KubeObject): boolean =>
  (dependent.metadata.ownerReferences ?? []).some(
    ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true,
  );

/** Deletes the dependents of an object first; the object goes when none is left that blocks it. */
function deleteForeground(object: KubeObject, bench: Workbench): void {
  const remaining = dependentsOf(object, bench);
  if (!remaining.some((dependent) => blocks(dependent, object))) without(object, foreground, bench);
}

/** How an owner stands: alive, gone, or waiting until its dependents are. */
type Standing = 'solid' | 'dangling' | 'waiting';

function standingOf(reference: OwnerReference, dependent: KubeObject, bench: Workbench): Standing {
  const owner = bench.cluster.store.withUid(reference.uid);
  const { namespace = '' } = owner?.metadata ?? {};
  // A namespaced owner in another namespace does not exist for its dependent.
  if (owner === undefined || (namespace !== '' && namespace !== dependent.metadata.namespace)) return 'dangling';
  return has(owner, foreground) ? 'waiting' : 'solid';
}

function collect(object: KubeObject, bench: Workbench): void {
  const references = object.metadata.ownerReferences ?? [];
  const standings = references.map((reference) => ({ reference, standing: standingOf(reference, object, bench) }));
  const solid = standings.filter(({ standing }) => standing === 'solid').map(({ reference }) => reference);
  if (solid.length === references.length) return;
  if (solid.length > 0) {
    bench.update({ ...object, metadata: { ...object.metadata, ownerReferences: solid } });
    return;
  }
  if (object.metadata.deletionTimestamp !== undefined) return;
  const waiting = standings.some(({ standing }) => standing === 'waiting');
  const own = dependentsOf(object, bench).length > 0;
  bench.remove(object, { propagationPolicy: waiting && own ? 'Foreground' : 'Background' });
}

/** Deletes what has lost its owners, in the order that the deletion policies ask for. */
export function garbageCollector(bench: Workbench): Controller {
  const { store } = bench.cluster;
  return {
    name: 'garbage-collector',
    concerns: ({ type, resource, object, previous }) => {
      const { namespace = '', name = '', uid = '', ownerReferences = [], deletionTimestamp } = object.metadata;
      const own = textOf({ resource, namespace, name });
      const dependents = (): string[] => store.dependents(uid).map(textOf);
      if (type === 'DELETED') {
        // An owner that waits for its dependents looks again when one has gone.
        const owners = ownerReferences.flatMap((reference) => {
          const owner = store.withUid(reference.uid);
          const storedType = owner === undefined ? undefined : bench.cluster.types.ofKind(owner);
          if (owner === undefined || storedType === undefined || !has(owner, foreground)) return [];
          const { namespace: home = '', name: called = '' } = owner.metadata;
          return [textOf({ resource: storageKey(storedType), namespace: home, name: called })];
        });
        return [...dependents(), ...owners];
      }
      if (deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined)
        return [own, ...dependents()];
      return ownerReferences.length > 0 || deletionTimestamp !== undefined ? [own] : [];
    },
    reconcile: (key) => {
      const object = bench.get(placeOf(key));
      if (object === undefined) return undefined;
      if (has(object, orphan)) orphanDependents(object, bench);
      else if (has(object, foreground)) deleteForeground(object, bench);
      const after = bench.get(placeOf(key));
      if (after !== undefined) collect(after, bench);
      return undefined;
    },
  };
}
