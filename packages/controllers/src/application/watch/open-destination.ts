import { messageOf } from '@tiphys/api';
import { type LiveChange, type LiveCluster, openClusterWriter, openLiveCluster } from '@tiphys/engine';
import type { KubeClient } from '@tiphys/kube';
import { excludedKinds, type InstallationSettings } from '@tiphys/operations';
import type { Destination } from './destinations.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { ApplicationPorts } from '../ports.ts';

export type DestinationParts = Readonly<{
  ports: ApplicationPorts;
  ownership: Ownership;
  settings: InstallationSettings;
  /** A live object changed. */
  changed: (server: string, change: LiveChange) => void;
  /** All kinds have been searched for tracking marks. */
  searched: () => void;
  wrote: () => void;
  stopping: AbortSignal;
}>;

const sweepTimeoutMs = 300_000;
const sweepRetryMs = 15_000;
const factsMs = 60_000;

/** Searches a cluster until it has been searched: before that nothing on it is called Synced. */
async function search(live: LiveCluster, { ports, searched, stopping }: DestinationParts): Promise<void> {
  for (;;) {
    try {
      await live.sweep(AbortSignal.any([stopping, AbortSignal.timeout(sweepTimeoutMs)]));
      searched();
      return;
    } catch (error) {
      if (stopping.aborted) return;
      ports.log.warn('cluster not searched for tracked objects', { server: live.server, error: messageOf(error) });
    }
    await ports.clock.sleep(sweepRetryMs, stopping).catch(() => undefined);
  }
}

/** Live side and writer of one cluster. */
export function openDestination(
  { server, name, client }: Readonly<{ server: string; name: string; client: KubeClient }>,
  parts: DestinationParts,
): Destination {
  const { ports, ownership, settings } = parts;
  const { clock, log } = ports;
  const { tracking, exclusions, inclusions } = settings;
  const excluded = excludedKinds({ exclusions, inclusions, server });
  const live = openLiveCluster({ client, clock, log }, { tracking, excluded, factsMs });
  const writer = openClusterWriter(
    {
      client,
      clock,
      log,
      record: (record) => {
        parts.wrote();
        ports.record?.(record);
      },
      mayWrite: () => ownership.refusal(),
      noted: live.recentWrites,
    },
    { cluster: server, tracking, readOnly: false, maxPrune: undefined },
  );
  live.onChange((change) => parts.changed(server, change));
  void search(live, parts);
  return { server, name, client, live, writer };
}
