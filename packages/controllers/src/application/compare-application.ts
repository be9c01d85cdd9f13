import type { Application } from '@tiphys/api';
import {
  compare,
  type CompareMemory,
  type Comparison,
  type CompareRequest,
  type DesiredMemory,
  type ReadPorts,
  type WantedSource,
} from '@tiphys/engine';
import { comparisonRequest, type InstallationSettings } from '@tiphys/operations';
import type { Destination } from './destinations.ts';
import type { ApplicationPorts } from './ports.ts';
import type { Repositories } from './repositories.ts';

export type CompareParts = Readonly<{
  ports: Pick<ApplicationPorts, 'git' | 'renderer'>;
  repositories: Repositories;
  settings: InstallationSettings;
  compareMemory: CompareMemory;
  desiredMemory: DesiredMemory;
  controlNamespace: string;
}>;

export type Wanted = Readonly<{
  application: Application;
  destination: Destination;
  sources: readonly WantedSource[];
  freshness: CompareRequest['freshness'];
}>;

/** Compares an application with its cluster. Rendering has the deadline of `controller.repo.server.timeout.seconds`. */
export async function compareApplication(
  { destination, ...wanted }: Wanted,
  { ports, repositories, settings, compareMemory, desiredMemory, controlNamespace }: CompareParts,
  signal: AbortSignal,
): Promise<Comparison> {
  const request = await comparisonRequest({ ...wanted, settings, controlNamespace, memory: compareMemory });
  const read: ReadPorts = {
    git: ports.git,
    renderer: ports.renderer,
    live: destination.live,
    access: (url) => repositories.access(url),
    memory: desiredMemory,
  };
  return compare(request, read, signal);
}
