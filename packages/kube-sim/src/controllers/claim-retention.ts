import { numberAt, stringAt, type KubeObject, type OwnerReference } from '@tiphys/api';
import { sameJson } from '../patch/same-json.ts';
import { claimTemplates } from './revision.ts';
import { controllerReference, type Workbench } from './workbench.ts';

const policyOf = (set: KubeObject, when: 'whenDeleted' | 'whenScaled'): boolean =>
  stringAt(set, 'spec', 'persistentVolumeClaimRetentionPolicy', when) === 'Delete';

/** Whether an ordinal is one that its StatefulSet wants no more. */
function isSurplus(set: KubeObject, ordinal: number): boolean {
  const first = numberAt(set, 'spec', 'ordinals', 'start') ?? 0;
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  return ordinal < first || ordinal >= first + wanted;
}

/** Whom a claim is to go with: the pod that is scaled away, the set when that is deleted, or nobody. */
function ownerOf(set: KubeObject, ordinal: number, pod: KubeObject): OwnerReference | undefined {
  if (policyOf(set, 'whenScaled') && isSurplus(set, ordinal)) return controllerReference(pod);
  return policyOf(set, 'whenDeleted') ? controllerReference(set) : undefined;
}

const isOurs = (reference: OwnerReference, set: KubeObject, pod: KubeObject): boolean =>
  reference.uid === set.metadata.uid || (reference.kind === 'Pod' && reference.name === pod.metadata.name);

/** Makes the claims of a StatefulSet's pods go with what its retention policy says; the garbage collector does the rest. */
export function keepClaimOwners(set: KubeObject, pods: ReadonlyMap<number, KubeObject>, bench: Workbench): void {
  const { namespace = '', name = '' } = set.metadata;
  for (const [ordinal, pod] of pods)
    for (const template of claimTemplates(set)) {
      const place = { resource: 'persistentvolumeclaims', namespace, name: `${template.name}-${name}-${ordinal}` };
      const claim = bench.get(place);
      if (claim === undefined) continue;
      const before = claim.metadata.ownerReferences ?? [];
      const owner = ownerOf(set, ordinal, pod);
      const others = before.filter((reference) => !isOurs(reference, set, pod));
      const ownerReferences = owner === undefined ? others : [...others, owner];
      if (sameJson(before, ownerReferences)) continue;
      bench.update({ ...claim, metadata: { ...claim.metadata, ownerReferences } });
    }
}
