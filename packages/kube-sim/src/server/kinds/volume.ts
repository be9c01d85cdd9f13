import { isRecord, type KubeObject } from '@tiphys/api';
import type { Preparation } from '../cluster.ts';

/** Finalizers that keep a claim or a volume while something uses it. */
export const protection = { claim: 'kubernetes.io/pvc-protection', volume: 'kubernetes.io/pv-protection' } as const;

const withFinalizer = (object: KubeObject, finalizer: string): KubeObject => {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(finalizer)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
};

const defaultMark = 'storageclass.kubernetes.io/is-default-class';

/** What admission adds to a claim: the default storage class, and its protection while in use. */
export function admitClaim(claim: KubeObject, { cluster }: Preparation): KubeObject {
  const spec = isRecord(claim['spec']) ? claim['spec'] : {};
  const kept = withFinalizer(claim, protection.claim);
  if (spec['storageClassName'] !== undefined) return kept;
  const classes = cluster.store.list('storageclasses.storage.k8s.io');
  const found = classes.find(({ metadata }) => metadata.annotations?.[defaultMark] === 'true');
  return found === undefined ? kept : { ...kept, spec: { ...spec, storageClassName: found.metadata.name ?? '' } };
}

/** What admission adds to a volume. */
export const admitVolume = (volume: KubeObject): KubeObject => withFinalizer(volume, protection.volume);
