import { type Application, projectOf } from '@tiphys/api';
import {
  compare,
  type Comparison,
  type CompareRequest,
  type DesiredMemory,
  type DiffPolicy,
  type CompareMemory,
  defaultCompareOptions,
  type ReadPorts,
  renderDefaults,
  type WantedSource,
} from '@tiphys/engine';
import type { InstallationSettings } from '@tiphys/operations';
import type { Destination } from './destinations.ts';
import type { ApplicationPorts } from './ports.ts';
import type { Repositories } from './repositories.ts';

/** How the application is called in tracking marks: with its namespace where that is not the control plane's (contract 2.1). */
export function instanceName({ metadata }: Application, controlNamespace: string): string {
  const { name = '', namespace = '' } = metadata;
  return namespace === controlNamespace || namespace === '' ? name : `${namespace}_${name}`;
}

/** What shapes a comparison of one application but its sources. */
function diffPolicy(
  application: Application,
  {
    settings,
    memory,
    controlNamespace,
  }: Readonly<{ settings: InstallationSettings; memory: CompareMemory; controlNamespace: string }>,
): DiffPolicy {
  const { name = '', namespace = '' } = application.metadata;
  return {
    application: instanceName(application, controlNamespace),
    tracking: settings.tracking,
    self: { group: 'argoproj.io', kind: 'Application', namespace, name },
    options: defaultCompareOptions,
    ignore: application.spec.ignoreDifferences ?? [],
    memory,
  };
}

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
export function compareApplication(wanted: Wanted, parts: CompareParts, signal: AbortSignal): Promise<Comparison> {
  const { application, destination, sources, freshness } = wanted;
  const { settings, controlNamespace } = parts;
  const { name = '', namespace = '' } = application.metadata;
  const request: CompareRequest = {
    application: { name, namespace, project: projectOf(application.spec) },
    sources,
    destinationNamespace: application.spec.destination.namespace ?? '',
    freshness,
    render: {
      ...renderDefaults,
      kustomizeBuildOptions: settings.kustomize.buildOptions.join(' '),
      helmValuesFileSchemes: settings.helm.valuesFileSchemes,
      tools: { helm: settings.helm.enabled, kustomize: settings.kustomize.enabled },
      includeHiddenDirectories: settings.includeHiddenDirectories,
    },
    diff: diffPolicy(application, { settings, memory: parts.compareMemory, controlNamespace }),
  };
  const ports: ReadPorts = {
    git: parts.ports.git,
    renderer: parts.ports.renderer,
    live: destination.live,
    access: (url) => parts.repositories.access(url),
    memory: parts.desiredMemory,
  };
  return compare(request, ports, signal);
}
