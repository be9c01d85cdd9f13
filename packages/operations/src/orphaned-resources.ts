import type { AppProjectSpec, ResourceKey } from '@tiphys/api';
import { compileGlob } from '@tiphys/language';

/** What every cluster puts into a namespace by itself. */
const isOfTheCluster = ({ group, kind, namespace, name }: ResourceKey): boolean =>
  group === '' &&
  ((kind === 'ServiceAccount' && name === 'default') ||
    (kind === 'ConfigMap' && name === 'kube-root-ca.crt') ||
    (kind === 'Service' && namespace === 'default' && name === 'kubernetes'));

/** Whether an object that nobody manages counts as an orphan, by `spec.orphanedResources.ignore` of the project (PROJ-09). */
export function orphanRule(orphaned: AppProjectSpec['orphanedResources']): (key: ResourceKey) => boolean {
  const rules = (orphaned?.ignore ?? []).map(({ group = '', kind = '', name = '' }) => ({
    group: compileGlob(group),
    kind: compileGlob(kind),
    name: compileGlob(name === '' ? '*' : name),
  }));
  return (key) =>
    !isOfTheCluster(key) && !rules.some((rule) => rule.group(key.group) && rule.kind(key.kind) && rule.name(key.name));
}
