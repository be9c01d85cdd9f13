import { at, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import { protection } from '../server/kinds/volume.ts';
import { keyText, splitKey, type Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

const claims = 'persistentvolumeclaims';
const volumes = 'persistentvolumes';
const provisioner = 'sim.tiphys.dev/volumes';

const phase = (object: KubeObject): string => stringAt(object, 'status', 'phase') ?? '';

function newVolume(claim: KubeObject): KubeObject {
  const { namespace = '', name = '', uid = '' } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      storageClassName: stringAt(claim, 'spec', 'storageClassName') ?? '',
      accessModes: at(claim, 'spec', 'accessModes'),
      volumeMode: at(claim, 'spec', 'volumeMode'),
      persistentVolumeReclaimPolicy: 'Delete',
      capacity: { storage: at(claim, 'spec', 'resources', 'requests', 'storage') },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: `/simulated/${volumeName}` },
    },
  };
}

/** Claims that a pod mounts. */
const claimsOf = (pod: KubeObject): readonly string[] => {
  const used = at(pod, 'spec', 'volumes');
  return (Array.isArray(used) ? used : []).flatMap(
    (entry) => stringAt(entry, 'persistentVolumeClaim', 'claimName') ?? [],
  );
};

/** Waits for a consumer where the storage class says so. */
const mayBind = (claim: KubeObject, storageClass: KubeObject, bench: Workbench): boolean =>
  storageClass['volumeBindingMode'] !== 'WaitForFirstConsumer' ||
  bench.list('pods', claim.metadata.namespace).some((pod) => claimsOf(pod).includes(claim.metadata.name ?? ''));

function provision(claim: KubeObject, bench: Workbench): KubeObject | undefined {
  const name = stringAt(claim, 'spec', 'storageClassName') ?? '';
  const storageClass = bench.get({ resource: 'storageclasses.storage.k8s.io', namespace: '', name });
  if (storageClass?.['provisioner'] !== provisioner || !mayBind(claim, storageClass, bench)) return undefined;
  const volumeName = `pvc-${claim.metadata.uid ?? ''}`;
  return bench.get({ resource: volumes, namespace: '', name: volumeName }) ?? bench.create(newVolume(claim));
}

/** A volume made beforehand that fits: same class, unclaimed or kept for this claim. */
function prepared(claim: KubeObject, bench: Workbench): KubeObject | undefined {
  const asked = stringAt(claim, 'spec', 'volumeName') ?? '';
  if (asked !== '') return bench.get({ resource: volumes, namespace: '', name: asked });
  const storageClass = stringAt(claim, 'spec', 'storageClassName') ?? '';
  return bench.list(volumes).find((volume) => {
    const reference = at(volume, 'spec', 'claimRef');
    const free =
      reference === undefined ||
      (stringAt(reference, 'name') === claim.metadata.name &&
        stringAt(reference, 'namespace') === claim.metadata.namespace);
    return free && phase(volume) !== 'Bound' && (stringAt(volume, 'spec', 'storageClassName') ?? '') === storageClass;
  });
}

function bind(claim: KubeObject, volume: KubeObject, bench: Workbench): void {
  const { namespace = '', name = '', uid = '' } = claim.metadata;
  const volumeSpec = isRecord(volume['spec']) ? volume['spec'] : {};
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
  const held = bench.update({ ...volume, spec: { ...volumeSpec, claimRef } });
  bench.updateStatus(held, { phase: 'Bound' });
  const spec = isRecord(claim['spec']) ? claim['spec'] : {};
  const annotations = {
    ...claim.metadata.annotations,
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'volume.beta.kubernetes.io/storage-provisioner': provisioner,
    'volume.kubernetes.io/storage-provisioner': provisioner,
  };
  const bound = bench.update({
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...spec, volumeName: volume.metadata.name ?? '' },
  });
  bench.updateStatus(bound, {
    phase: 'Bound',
    accessModes: at(volume, 'spec', 'accessModes'),
    capacity: at(volume, 'spec', 'capacity'),
  });
}

function unprotect(object: KubeObject, finalizer: string, bench: Workbench): void {
  const present = object.metadata.finalizers ?? [];
  if (!present.includes(finalizer)) return;
  const finalizers = present.filter((entry) => entry !== finalizer);
  bench.update({ ...object, metadata: { ...object.metadata, finalizers } });
}

const isUsed = (claim: KubeObject, bench: Workbench): boolean =>
  bench
    .list('pods', claim.metadata.namespace)
    .some((pod) => !['Failed', 'Succeeded'].includes(phase(pod)) && claimsOf(pod).includes(claim.metadata.name ?? ''));

/** A claim whose volume somebody took away. */
function loseVolume(claim: KubeObject, bench: Workbench): void {
  const name = stringAt(claim, 'spec', 'volumeName') ?? '';
  if (bench.get({ resource: volumes, namespace: '', name }) !== undefined) return;
  const lost = bench.updateStatus(claim, { phase: 'Lost' });
  const message = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!';
  bench.event(lost, { type: 'Warning', reason: 'ClaimLost', message, component: 'persistentvolume-controller' });
}

function reconcileClaim(claim: KubeObject, bench: Workbench): void {
  if (claim.metadata.deletionTimestamp !== undefined) {
    if (!isUsed(claim, bench)) unprotect(claim, protection.claim, bench);
    return;
  }
  if (phase(claim) === 'Bound') {
    loseVolume(claim, bench);
    return;
  }
  if (phase(claim) === 'Lost') return;
  const volume = prepared(claim, bench) ?? provision(claim, bench);
  if (volume !== undefined) bind(claim, volume, bench);
}

function claimIsGone(volume: KubeObject, bench: Workbench): boolean {
  const reference = at(volume, 'spec', 'claimRef');
  const claim = bench.get({
    resource: claims,
    namespace: stringAt(reference, 'namespace') ?? '',
    name: stringAt(reference, 'name') ?? '',
  });
  const uid = at(reference, 'uid');
  return claim === undefined || (uid !== undefined && uid !== claim.metadata.uid);
}

/** A volume whose claim is gone is deleted or kept, as its policy says. */
function reconcileVolume(volume: KubeObject, bench: Workbench): void {
  const reference = at(volume, 'spec', 'claimRef');
  if (volume.metadata.deletionTimestamp !== undefined) {
    if (phase(volume) !== 'Bound' || claimIsGone(volume, bench)) unprotect(volume, protection.volume, bench);
    return;
  }
  if (!isRecord(reference)) {
    if (phase(volume) === 'Pending') bench.updateStatus(volume, { phase: 'Available' });
    return;
  }
  if (phase(volume) !== 'Bound' || !claimIsGone(volume, bench)) return;
  if (stringAt(volume, 'spec', 'persistentVolumeReclaimPolicy') === 'Delete') bench.remove(volume);
  else bench.updateStatus(volume, { phase: 'Released' });
}

/** Provisions, binds and reclaims volumes. */
export const persistentVolumes = (bench: Workbench): Controller => ({
  name: 'volume',
  concerns: ({ resource, object }) => {
    const { namespace = '', name = '' } = object.metadata;
    if (resource === volumes) {
      const claim = at(object, 'spec', 'claimRef');
      const [owner = '', claimName = ''] = [stringAt(claim, 'namespace'), stringAt(claim, 'name')];
      return [`${volumes}|${name}`, ...(claimName === '' ? [] : [`${claims}|${keyText(owner, claimName)}`])];
    }
    if (resource === claims) {
      const volume = stringAt(object, 'spec', 'volumeName') ?? '';
      return [`${claims}|${keyText(namespace, name)}`, ...(volume === '' ? [] : [`${volumes}|${volume}`])];
    }
    if (resource !== 'pods') return [];
    return claimsOf(object).map((claimName) => `${claims}|${keyText(namespace, claimName)}`);
  },
  reconcile: (key) => {
    const bar = key.indexOf('|');
    const resource = key.slice(0, bar);
    const object = bench.get({ resource, ...splitKey(key.slice(bar + 1)) });
    if (object === undefined) return undefined;
    if (resource === claims) reconcileClaim(object, bench);
    else reconcileVolume(object, bench);
    return undefined;
  },
});
