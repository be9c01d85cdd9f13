import { at, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import { defaultAccount, rootCertificates } from '../server/bootstrap.ts';
import { ownWrite } from '../server/cluster.ts';
import { commit } from '../server/operations/update.ts';
import type { Controller } from './controller.ts';
import { withCondition, type Condition, type Workbench } from './workbench.ts';

const resource = 'namespaces';

/** Gives a namespace what every one has. */
function furnish(name: string, caPem: string, bench: Workbench): void {
  for (const object of [defaultAccount(name), rootCertificates(caPem, name)]) {
    const place = {
      resource: object.kind === 'ConfigMap' ? 'configmaps' : 'serviceaccounts',
      namespace: name,
      name: object.metadata.name ?? '',
    };
    if (bench.get(place) === undefined) bench.create(object);
  }
}

/** What is still in a namespace: how many objects of each resource, and how many wait for each finalizer. */
type Rest = Readonly<{ resources: ReadonlyMap<string, number>; finalizers: ReadonlyMap<string, number> }>;

/** Deletes everything in a namespace. */
function empty(name: string, bench: Workbench): Rest {
  const { store, types } = bench.cluster;
  const resources = new Map<string, number>();
  const finalizers = new Map<string, number>();
  for (const key of store.resources()) {
    const type = types.stored(key);
    if (type?.namespaced !== true) continue;
    for (const object of store.list(key, name))
      if (object.metadata.deletionTimestamp === undefined) bench.remove(object);
    const left = store.list(key, name);
    if (left.length > 0) resources.set(key.includes('.') ? key : `${key}.`, left.length);
    for (const { metadata } of left)
      for (const finalizer of metadata.finalizers ?? [])
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
  return { resources, finalizers };
}

const sorted = (counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

/** Says in the namespace what its deletion waits for. */
function tell(namespace: KubeObject, { resources, finalizers }: Rest, bench: Workbench): void {
  const now = bench.nowText();
  const content = sorted(resources).map(([resource, count]) => `${resource} has ${count} resource instances`);
  const waiting = sorted(finalizers).map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const left = content.length > 0;
  const held = waiting.length > 0;
  const entries: readonly Condition[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: `All content successfully deleted${left ? ', may be waiting on finalization' : ''}`,
    },
    {
      type: 'NamespaceContentRemaining',
      status: left ? 'True' : 'False',
      reason: left ? 'SomeResourcesRemain' : 'ContentRemoved',
      message: left ? `Some resources are remaining: ${content.join(', ')}` : 'All content successfully removed',
    },
    {
      type: 'NamespaceFinalizersRemaining',
      status: held ? 'True' : 'False',
      reason: held ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
      message: held
        ? `Some content in the namespace has finalizers remaining: ${waiting.join(', ')}`
        : 'All content-preserving finalizers finished',
    },
  ];
  let conditions: unknown = at(namespace, 'status', 'conditions');
  for (const entry of entries) conditions = withCondition(conditions, entry, now);
  const status = isRecord(namespace['status']) ? namespace['status'] : {};
  bench.updateStatus(namespace, { ...status, conditions });
}

function finalize(namespace: KubeObject, bench: Workbench): void {
  const type = bench.cluster.types.at('', 'v1', resource);
  if (type === undefined) return;
  const spec = isRecord(namespace['spec']) ? namespace['spec'] : {};
  const finalizers = Array.isArray(spec['finalizers'])
    ? spec['finalizers'].filter((entry) => entry !== 'kubernetes')
    : [];
  const target = { type, namespace: '', name: namespace.metadata.name ?? '' };
  commit(bench.cluster, target, {
    live: namespace,
    next: { ...namespace, spec: { ...spec, finalizers } },
    subresource: 'finalize',
    options: ownWrite('kube-controller-manager'),
    managed: true,
  });
}

/** Furnishes new namespaces and empties those that are being deleted. */
export const namespaces = (bench: Workbench, caPem: string): Controller => ({
  name: 'namespace',
  concerns: (event) => {
    if (event.resource === resource) return [event.object.metadata.name ?? ''];
    const { namespace = '' } = event.object.metadata;
    if (event.type !== 'DELETED' || namespace === '') return [];
    // Something left: a namespace that waits for that, or one that misses its account, looks again.
    const home = bench.get({ resource, namespace: '', name: namespace });
    const furniture = event.resource === 'configmaps' || event.resource === 'serviceaccounts';
    return furniture || stringAt(home, 'status', 'phase') === 'Terminating' ? [namespace] : [];
  },
  reconcile: (name) => {
    const namespace = bench.get({ resource, namespace: '', name });
    if (namespace === undefined) return undefined;
    if (namespace.metadata.deletionTimestamp === undefined) {
      furnish(name, caPem, bench);
      return undefined;
    }
    if (at(namespace, 'spec', 'finalizers', 0) === undefined) return undefined;
    const rest = empty(name, bench);
    if (rest.resources.size === 0) finalize(namespace, bench);
    else tell(namespace, rest, bench);
    return undefined;
  },
});
