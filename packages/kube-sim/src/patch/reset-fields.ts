import type { ResourceType } from '../schema/types.ts';
import { emptySet, setOf, type FieldSet } from './field-set.ts';

const status = setOf(['f:status']);
const spec = setOf(['f:spec']);
const specAndMetadata = setOf(['f:spec'], ['f:metadata']);

/** Kinds whose status subresource ignores more than the spec. */
const throughStatus: Readonly<Record<string, FieldSet>> = {
  'apps/deployments': setOf(['f:spec'], ['f:metadata', 'f:labels']),
  '/pods': setOf(['f:spec'], ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']),
  'admissionregistration.k8s.io/validatingadmissionpolicies': specAndMetadata,
  'apiextensions.k8s.io/customresourcedefinitions': specAndMetadata,
  'flowcontrol.apiserver.k8s.io/flowschemas': specAndMetadata,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': specAndMetadata,
  'resource.k8s.io/resourceclaims': specAndMetadata,
  'storage.k8s.io/volumeattachments': specAndMetadata,
};

/** What a write to a resource, or to a part of it, leaves as it is: those fields get no owner by it. */
export function resetFields(type: ResourceType, subresource: string | undefined): FieldSet {
  if (subresource === 'status' || subresource === 'approval')
    return throughStatus[`${type.group}/${type.plural}`] ?? spec;
  const main = subresource === undefined || subresource === '';
  return main && type.subresources.includes('status') ? status : emptySet;
}
