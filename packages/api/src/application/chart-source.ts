import type { ApplicationSource } from './source.ts';

/** A chart, and the chart repository or registry that it lies in. */
export type ChartSource = Readonly<{ repoURL: string; name: string }>;

/**
 * The chart that a source names: `chart` of a chart repository or registry, or all of an `oci://` URL, whose last part is the chart
 * (contract 12.2, 12.3). Undefined for sources in Git.
 */
export function chartOf({
  chart = '',
  repoURL,
}: Pick<ApplicationSource, 'chart' | 'repoURL'>): ChartSource | undefined {
  if (chart !== '') return { repoURL, name: chart };
  if (!repoURL.startsWith('oci://')) return undefined;
  const url = repoURL.replace(/\/+$/, '');
  const slash = url.indexOf('/', 'oci://'.length) < 0 ? url.length : url.lastIndexOf('/');
  return { repoURL: url.slice(0, slash), name: url.slice(slash + 1) };
}

/** The name in `@name` and `alias:name`: a chart calls a registered repository that it depends on so (contract 12.3). */
export const repositoryAlias = (url: string): string | undefined => /^(?:@|alias:)(.+)$/.exec(url)?.[1];
