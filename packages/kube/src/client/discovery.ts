import {
  at,
  formatApiVersion,
  groupKindText,
  listAt,
  parseApiVersion,
  stringAt,
  type GroupKind,
  type GroupVersionKind,
} from '@tiphys/api';
import type { ApiResource, Discovery } from './types.ts';

const strings = (value: unknown, ...path: readonly (string | number)[]): string[] =>
  listAt(value, ...path).filter((item) => typeof item === 'string');

/** What one aggregated document (APIGroupDiscoveryList of apidiscovery.k8s.io/v2 or v2beta1) tells. */
export function readAggregated(document: unknown): { resources: ApiResource[]; failedGroups: string[] } {
  const resources: ApiResource[] = [];
  const failedGroups: string[] = [];
  for (const item of listAt(document, 'items')) {
    const group = stringAt(item, 'metadata', 'name') ?? '';
    for (const entry of listAt(item, 'versions')) {
      const version = stringAt(entry, 'version') ?? '';
      if (stringAt(entry, 'freshness') === 'Stale') failedGroups.push(formatApiVersion(group, version));
      for (const found of listAt(entry, 'resources')) {
        const plural = stringAt(found, 'resource') ?? '';
        const kind = stringAt(found, 'responseKind', 'kind') ?? '';
        // A resource without verbs of its own exists for its subresources only.
        if (kind === '' || plural === '') continue;
        resources.push({
          group,
          version,
          kind,
          plural,
          singular: stringAt(found, 'singularResource') ?? kind.toLowerCase(),
          namespaced: stringAt(found, 'scope') === 'Namespaced',
          verbs: strings(found, 'verbs'),
          shortNames: strings(found, 'shortNames'),
          categories: strings(found, 'categories'),
          subresources: listAt(found, 'subresources').flatMap((sub) => stringAt(sub, 'subresource') ?? []),
          preferred: false,
        });
      }
    }
  }
  return { resources, failedGroups };
}

/** What one APIResourceList (the older form, one document for each group and version) tells. */
export function readResourceList(document: unknown, groupVersion: string): ApiResource[] {
  const { group, version } = parseApiVersion(groupVersion);
  const entries = listAt(document, 'resources');
  const subresources = Map.groupBy(
    entries.flatMap((entry) => {
      const [plural, sub] = (stringAt(entry, 'name') ?? '').split('/', 2);
      return plural === undefined || sub === undefined ? [] : [{ plural, sub }];
    }),
    ({ plural }) => plural,
  );
  return entries.flatMap((entry) => {
    const [plural, kind] = [stringAt(entry, 'name') ?? '', stringAt(entry, 'kind') ?? ''];
    if (plural === '' || kind === '' || plural.includes('/')) return [];
    const singular = stringAt(entry, 'singularName') ?? '';
    return {
      group,
      version,
      kind,
      plural,
      singular: singular === '' ? kind.toLowerCase() : singular,
      namespaced: at(entry, 'namespaced') === true,
      verbs: strings(entry, 'verbs'),
      shortNames: strings(entry, 'shortNames'),
      categories: strings(entry, 'categories'),
      subresources: (subresources.get(plural) ?? []).map(({ sub }) => sub),
      preferred: false,
    };
  });
}

const gvkText = (gvk: GroupVersionKind): string => `${formatApiVersion(gvk.group, gvk.version)}/${gvk.kind}`;

/** `a.b.c` read as name and group, and as name, version and group: the forms that kubectl takes. */
function readName(text: string): { name: string; group?: string; version?: string }[] {
  const [name = '', ...rest] = text.split('.');
  if (rest.length === 0) return [{ name }];
  const [version = '', ...group] = rest;
  return [
    { name, group: rest.join('.') },
    { name, version, group: group.join('.') },
  ];
}

/**
 * Indexes resources. Order counts: within a group the server names its preferred version first, and groups named earlier win
 * where a name alone is asked for.
 */
export function makeDiscovery(found: readonly ApiResource[], failedGroups: readonly string[]): Discovery {
  const byGvk = new Map<string, ApiResource>();
  const byKind = new Map<string, ApiResource>();
  const byAlias = new Map<string, ApiResource[]>();
  const resources = found.map((resource) => {
    const key = groupKindText(resource);
    const marked = { ...resource, preferred: !byKind.has(key) };
    if (marked.preferred) byKind.set(key, marked);
    if (!byGvk.has(gvkText(marked))) byGvk.set(gvkText(marked), marked);
    const names = new Set([marked.plural, marked.singular, marked.kind.toLowerCase(), ...marked.shortNames]);
    for (const name of names) byAlias.set(name, [...(byAlias.get(name) ?? []), marked]);
    return marked;
  });
  const byName = (text: string): ApiResource | undefined => {
    for (const { name, group, version } of readName(text.toLowerCase())) {
      const hit = byAlias
        .get(name)
        ?.find(
          (one) =>
            (group === undefined || one.group === group) &&
            (version === undefined ? one.preferred : one.version === version),
        );
      if (hit !== undefined) return hit;
    }
    return undefined;
  };
  return {
    resources,
    failedGroups,
    find: (gvk: GroupVersionKind) => byGvk.get(gvkText(gvk)),
    byGroupKind: (gk: GroupKind) => byKind.get(groupKindText(gk)),
    byName,
  };
}
