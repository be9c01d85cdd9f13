import { stringAt, type KubeObject } from '@tiphys/api';
import type { Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

/** Events end by themselves, so long after they were last written. */
const eventLifeMs = 3_600_000;

/** How often one looks for those that are over. */
const sweepMs = 60_000;

const resource = 'events';

const writtenAt = (event: KubeObject): number => {
  const texts = [
    stringAt(event, 'series', 'lastObservedTime'),
    stringAt(event, 'lastTimestamp'),
    stringAt(event, 'eventTime'),
    event.metadata.creationTimestamp,
  ];
  return new Date(texts.find((text) => text !== undefined) ?? 0).getTime();
};

/** Removes events an hour after they were last written. */
export const eventExpiry = (bench: Workbench): Controller => ({
  name: 'event-expiry',
  // One key is enough, and every cluster has this namespace.
  concerns: (event) =>
    event.resource === 'namespaces' && event.object.metadata.name === 'default' && event.type === 'ADDED' ? [''] : [],
  reconcile: () => {
    const end = bench.now().getTime() - eventLifeMs;
    for (const event of bench.list(resource)) {
      if (writtenAt(event) > end) continue;
      const { namespace = '', name = '' } = event.metadata;
      bench.cluster.store.remove({ resource, namespace, name });
    }
    return sweepMs;
  },
});
