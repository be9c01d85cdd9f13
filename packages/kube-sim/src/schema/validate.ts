import type { KubeObject } from '@tiphys/api';
import { checkCustom } from './validation/custom-resource.ts';
import { configurationChecks } from './validation/configuration.ts';
import { Faults } from './validation/faults.ts';
import { checkMetadata } from './validation/metadata.ts';
import { checkServiceAddresses, networkChecks } from './validation/network.ts';
import { checkStatus } from './validation/status.ts';
import { workloadChecks, type KindCheck } from './validation/workloads.ts';
import { checkValues } from './validation/values.ts';
import type { FieldError, ResourceType } from './types.ts';

export { checkDecodable } from './prune.ts';

const kindChecks: Readonly<Record<string, KindCheck>> = {
  ...configurationChecks,
  ...networkChecks,
  ...workloadChecks,
};

/**
 * What is wrong with an object after defaulting; empty when it may be stored. With `old` also what may not change.
 * `subresource` names the part that a write is restricted to (`status`).
 */
export function validate(
  object: KubeObject,
  type: ResourceType,
  context: Readonly<{ old?: KubeObject; subresource?: string }> = {},
): readonly FieldError[] {
  const faults = new Faults();
  const { old } = context;
  const kind = `${type.group}/${type.kind}`;
  if (kind === '/Service' && (context.subresource ?? '') === '') checkServiceAddresses(object, faults);
  if (faults.errors.length > 0) return faults.errors;
  checkMetadata(object, { type, old }, faults);
  if (type.custom !== undefined) checkCustom(object, { type, old }, faults);
  else if (context.subresource === 'status') checkStatus(object, kind, faults);
  else if (context.subresource === undefined || context.subresource === '') {
    const check = kindChecks[kind];
    const metadataFaults = faults.errors.length;
    if (check !== undefined) check(object, old, faults);
    else if (type.schema !== undefined) checkValues(object, type.schema, faults);
    // The checks of a new PodDisruptionBudget leave its metadata to a second look, which is for valid ones.
    if (type.kind === 'PodDisruptionBudget' && old === undefined && faults.errors.length > metadataFaults)
      return faults.errors.slice(metadataFaults);
  }
  return faults.errors;
}
