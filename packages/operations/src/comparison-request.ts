import { type Application, projectOf } from '@tiphys/api';
import { type CompareMemory, type CompareRequest, type IgnoreRule, readOptions } from '@tiphys/engine';
import { excludedKinds } from './settings/excluded-kinds.ts';
import type { InstallationSettings } from './settings/settings.ts';

/** How an application is called in tracking marks: with its namespace where that is not the control plane's (contract 2.1). */
export function instanceName({ metadata }: Pick<Application, 'metadata'>, controlNamespace: string): string {
  const { name = '', namespace = '' } = metadata;
  return namespace === controlNamespace || namespace === '' ? name : `${namespace}_${name}`;
}

type Excluded = NonNullable<CompareRequest['excluded']>;

/** Settings stay the same object until they change, and so do the filters that are read from them. */
const excludedBy = new WeakMap<InstallationSettings, Excluded>();

function excludedIn(settings: InstallationSettings): Excluded {
  const known = excludedBy.get(settings);
  if (known !== undefined) return known;
  const { exclusions, inclusions } = settings;
  const ofServer = new Map<string, ReturnType<typeof excludedKinds>>();
  const excluded: Excluded = (gk, server) => {
    const filter = ofServer.get(server) ?? excludedKinds({ exclusions, inclusions, server });
    ofServer.set(server, filter);
    return filter(gk);
  };
  excludedBy.set(settings, excluded);
  return excluded;
}

/** What is no difference: the installation's rules, then the application's own. */
export const ignoreRules = (application: Application, settings: InstallationSettings): readonly IgnoreRule[] => [
  ...settings.compare.ignore,
  ...(application.spec.ignoreDifferences ?? []),
];

/** An application and the sources that it is compared at, under the settings of the installation. */
export type WantedComparison = Pick<CompareRequest, 'sources' | 'freshness'> &
  Readonly<{
    application: Application;
    settings: InstallationSettings;
    controlNamespace: string;
    /** Remembers comparisons of objects; none when absent. */
    memory?: CompareMemory | undefined;
  }>;

/**
 * What the engine is asked to compare: one reading of application and settings, for the controller and for whoever compares by
 * hand.
 */
export function comparisonRequest(wanted: WantedComparison): CompareRequest {
  const { application, settings, controlNamespace, sources, freshness, memory } = wanted;
  const { name = '', namespace = '' } = application.metadata;
  const { values: options } = readOptions(application.spec.syncPolicy?.syncOptions ?? [], 'syncOptions');
  const createsNamespace = options.get('CreateNamespace') === 'true';
  return {
    application: { name, namespace, project: projectOf(application.spec) },
    sources,
    destinationNamespace: application.spec.destination.namespace ?? '',
    freshness,
    excluded: excludedIn(settings),
    render: {
      kustomize: {
        buildOptions: settings.kustomize.buildOptions,
        buildOptionsOf: settings.kustomize.buildOptionsOf,
        paths: settings.kustomize.paths,
      },
      helmValuesFileSchemes: settings.helm.valuesFileSchemes,
      tools: {
        helm: settings.helm.enabled,
        kustomize: settings.kustomize.enabled,
        jsonnet: settings.jsonnetEnabled,
      },
      includeHiddenDirectories: settings.includeHiddenDirectories,
      maxDirectoryBytes: settings.maxDirectoryBytes,
      maxUnpackedChartBytes: settings.maxUnpackedChartBytes,
    },
    diff: {
      application: instanceName(application, controlNamespace),
      tracking: settings.tracking,
      self: { group: 'argoproj.io', kind: 'Application', namespace, name },
      ...(createsNamespace && { createdNamespace: application.spec.destination.namespace }),
      options: settings.compare.options,
      ignore: ignoreRules(application, settings),
      ...(memory !== undefined && { memory }),
    },
  };
}
