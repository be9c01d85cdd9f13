import type { Application, ApplicationSource } from '@tiphys/api';

/** The parts of an application that the rows of a list show; the list is printed without reading more. */
export type ListedApplication = Readonly<{
  metadata: Application['metadata'];
  spec: Application['spec'];
  status?: Application['status'];
}>;

/** `namespace/name`, as the Argo CD command prints names. */
export const qualifiedName = ({ metadata }: Pick<Application, 'metadata'>): string =>
  `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

/** `ns/name` or `name` as somebody typed it; `--app-namespace` counts where the name has none. */
export function applicationRef(
  text: string,
  appNamespace: string | undefined,
): { name: string; namespace: string | undefined } {
  const slash = text.indexOf('/');
  if (slash < 0) return { name: text, namespace: appNamespace };
  return { name: text.slice(slash + 1), namespace: text.slice(0, slash) };
}

/** `Manual`, `Auto` or `Auto-Prune`. */
export function syncPolicyText({ syncPolicy }: Application['spec']): 'Manual' | 'Auto' | 'Auto-Prune' {
  const automated = syncPolicy?.automated;
  if (automated === undefined || automated.enabled === false) return 'Manual';
  return automated.prune === true ? 'Auto-Prune' : 'Auto';
}

/** `SyncError,OrphanedResourceWarning(2)`, or `<none>`. */
export function conditionsText(status: Application['status']): string {
  const counts = new Map<string, number>();
  for (const { type } of status?.conditions ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  if (counts.size === 0) return '<none>';
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, count]) => (count > 1 ? `${type}(${count})` : type))
    .join(',');
}

/** The cluster of an application: its URL, or its name. */
export const clusterText = ({ destination }: Application['spec']): string =>
  destination.server ?? destination.name ?? '';

/** The source that stands for all in one line. */
export const firstSource = ({ source, sources = [] }: Application['spec']): ApplicationSource | undefined =>
  sources[0] ?? source;

/** A commit is shortened to seven characters, as git shows it; anything else is left whole. */
export const shortRevision = (revision: string): string =>
  /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 7) : revision;
