import { quotaStatus } from '../server/admission/resource-quota.ts';
import { keyText, splitKey, type Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

const resource = 'resourcequotas';

/** Says of each ResourceQuota how much of it is used. */
export const resourceQuotas = (bench: Workbench): Controller => ({
  name: 'resourcequota',
  concerns: (event) => {
    const { namespace = '', name = '' } = event.object.metadata;
    if (event.resource === resource && event.type !== 'DELETED') return [keyText(namespace, name)];
    // A change of what is there already rarely counts, but for pods that end and for what grows.
    if (namespace === '' || event.resource === 'events' || bench.cluster.store.count(resource) === 0) return [];
    return bench.list(resource, namespace).map((quota) => keyText(namespace, quota.metadata.name ?? ''));
  },
  reconcile: (key) => {
    const quota = bench.get({ resource, ...splitKey(key) });
    if (quota !== undefined) bench.updateStatus(quota, quotaStatus(quota, bench.cluster.store));
    return undefined;
  },
});
