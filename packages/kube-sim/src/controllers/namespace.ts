import { at, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import { defaultAccount, rootCertificates } from '../server/bootstrap.ts';
import { ownWrite } from '../server/cluster.ts';
import { commit } from '../server/operations/update.ts';
import type { Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

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

/** Deletes everything in a namespace; how much is still there. */
function empty(name: string, bench: Workbench): number {
  const { store, types } = bench.cluster;
  let left = 0;
  for (const key of store.resources()) {
    const type = types.stored(key);
    if (type?.namespaced !== true) continue;
    for (const object of store.list(key, name))
      if (object.metadata.deletionTimestamp === undefined) bench.remove(object);
    left += store.list(key, name).length;
  }
  return left;
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
    if (empty(name, bench) === 0) finalize(namespace, bench);
    return undefined;
  },
});
