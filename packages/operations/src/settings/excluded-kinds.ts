import type { GroupKind } from '@tiphys/api';
import { compileGlob } from '@tiphys/language';
import type { KindFilter } from './settings.ts';

/** Kinds that are left out whatever is configured: they are too many, or no objects at all (contract 4). */
const always: readonly KindFilter[] = [
  { apiGroups: ['events.k8s.io', 'metrics.k8s.io'], kinds: ['*'], clusters: ['*'] },
  { apiGroups: [''], kinds: ['Event'], clusters: ['*'] },
];

const listed = (globs: readonly string[], text: string): boolean =>
  globs.length === 0 || globs.some((glob) => compileGlob(glob)(text));

const covers = (filter: KindFilter, { group, kind }: GroupKind, server: string): boolean =>
  listed(filter.apiGroups, group) && listed(filter.kinds, kind) && listed(filter.clusters, server);

/** Which kinds are neither watched nor searched on a cluster: `resource.exclusions` win over `resource.inclusions` (contract 4). */
export function excludedKinds({
  exclusions,
  inclusions,
  server,
}: Readonly<{ exclusions: readonly KindFilter[]; inclusions: readonly KindFilter[]; server: string }>): (
  gk: GroupKind,
) => boolean {
  const included = inclusions.filter((filter) => listed(filter.clusters, server));
  return (gk) =>
    [...always, ...exclusions].some((filter) => covers(filter, gk, server)) ||
    (included.length > 0 && !included.some((filter) => covers(filter, gk, server)));
}
