import { type Application, asObject, CodedError, parseYamlDocuments } from '@tiphys/api';
import {
  compare,
  type CompareMemory,
  type Comparison,
  type CompareRequest,
  type DesiredMemory,
  type ReadPorts,
  type Rendered,
  type WantedSource,
} from '@tiphys/engine';
import { comparisonRequest, type InstallationSettings } from '@tiphys/operations';
import type { Destination } from '../watch/destinations.ts';
import type { ApplicationPorts } from '../ports.ts';
import type { Repositories } from '../watch/repositories.ts';

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
  /** Objects, in JSON or YAML, to sync in place of what the sources render (`operation.sync.manifests`). */
  manifests?: readonly string[] | undefined;
}>;

/** Local manifests as if a folder had held them. @throws CodedError render/invalid-manifest, api/invalid-yaml */
function localRender(manifests: readonly string[], sources: readonly WantedSource[]): Rendered {
  const objects = manifests.flatMap((text) => parseYamlDocuments(text, 'manifests').map((one) => asObject(one)));
  return {
    objects,
    sourceTypes: sources.map(() => 'Directory' as const),
    warnings: [],
    key: '',
    digest: '',
    cached: false,
    lasting: false,
    readSet: [],
  };
}

/**
 * Runs one look at the source with the deadline of `controller.repo.server.timeout.seconds`. What it began may go on for others who
 * wait for it, and is then there for the next comparison.
 * @throws CodedError render/timeout
 */
async function within<T>(ms: number, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(ms);
  try {
    return await run(AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    const message = `the source was not rendered within ${ms / 1000} s (controller.repo.server.timeout.seconds)`;
    throw new CodedError('render/timeout', message, { cause: error });
  }
}

/** Compares an application with its cluster. Rendering has the deadline of `controller.repo.server.timeout.seconds`. */
export async function compareApplication(
  { destination, manifests, ...wanted }: Wanted,
  { ports, repositories, settings, compareMemory, desiredMemory, controlNamespace }: CompareParts,
  signal: AbortSignal,
): Promise<Comparison> {
  const request = comparisonRequest({ ...wanted, settings, controlNamespace, memory: compareMemory });
  const timeoutMs = settings.renderTimeoutMs;
  const read: ReadPorts = {
    git: {
      resolve: (repo, question, stop) => within(timeoutMs, stop, (inTime) => ports.git.resolve(repo, question, inTime)),
    },
    renderer: {
      render: (wantedRender, stop) =>
        manifests === undefined
          ? within(timeoutMs, stop, (inTime) => ports.renderer.render(wantedRender, inTime))
          : Promise.resolve(localRender(manifests, wanted.sources)),
      resolveChart: (repo, chart, stop) =>
        within(timeoutMs, stop, (inTime) => ports.renderer.resolveChart(repo, chart, inTime)),
    },
    live: destination.live,
    access: (url) => repositories.access(url),
    memory: desiredMemory,
  };
  return compare(request, read, signal);
}
