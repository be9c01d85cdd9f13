import { at, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import type { Controller } from './controller.ts';
import { withCondition, type Workbench } from './workbench.ts';

const resource = 'customresourcedefinitions.apiextensions.k8s.io';
const cleanup = 'customresourcecleanup.apiextensions.k8s.io';

/** What is served under the definition's names, from its `spec.names`. */
function acceptedNames(definition: KubeObject): Record<string, unknown> {
  const names = at(definition, 'spec', 'names');
  const given = isRecord(names) ? names : {};
  const kind = stringAt(given, 'kind') ?? '';
  return { ...given, listKind: given['listKind'] ?? `${kind}List`, singular: given['singular'] ?? kind.toLowerCase() };
}

function establish(definition: KubeObject, bench: Workbench): void {
  const now = bench.nowText();
  const names = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const established = {
    type: 'Established',
    status: 'True',
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
  };
  const before: unknown = at(definition, 'status', 'conditions');
  const conditions = withCondition(withCondition(before, names, now), established, now);
  const status = isRecord(definition['status']) ? definition['status'] : {};
  bench.updateStatus(definition, { ...status, acceptedNames: acceptedNames(definition), conditions }, 'kube-apiserver');
}

function storedResource(definition: KubeObject): string {
  return `${stringAt(definition, 'spec', 'names', 'plural') ?? ''}.${stringAt(definition, 'spec', 'group') ?? ''}`;
}

/** Deletes the objects of a definition that is going, then lets it go. */
function cleanUp(definition: KubeObject, bench: Workbench): void {
  const finalizers = definition.metadata.finalizers ?? [];
  if (!finalizers.includes(cleanup)) return;
  const key = storedResource(definition);
  const now = bench.nowText();
  const status = isRecord(definition['status']) ? definition['status'] : {};
  const progress = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
  };
  const conditions = withCondition(status['conditions'], progress, now);
  bench.updateStatus(definition, { ...status, conditions }, 'kube-apiserver');
  for (const object of bench.list(key)) if (object.metadata.deletionTimestamp === undefined) bench.remove(object);
  if (bench.list(key).length > 0) return;
  const left = finalizers.filter((finalizer) => finalizer !== cleanup);
  const latest = bench.get({ resource, namespace: '', name: definition.metadata.name ?? '' });
  if (latest === undefined) return;
  bench.update({ ...latest, metadata: { ...latest.metadata, finalizers: left } }, 'kube-apiserver');
}

/** Establishes custom resource definitions, and removes their objects with them. */
export const definitions = (bench: Workbench): Controller => ({
  name: 'definition',
  concerns: (event) => {
    if (event.resource === resource) return [event.object.metadata.name ?? ''];
    const isLast =
      event.type === 'DELETED' && bench.get({ resource, namespace: '', name: event.resource }) !== undefined;
    return isLast ? [event.resource] : [];
  },
  reconcile: (name) => {
    const definition = bench.get({ resource, namespace: '', name });
    if (definition === undefined) return undefined;
    if (definition.metadata.deletionTimestamp === undefined) establish(definition, bench);
    else cleanUp(definition, bench);
    return undefined;
  },
});
