import { createHash } from 'node:crypto';
import { formatApiVersion } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import { storageKey, type TypeRegistry } from '../type-registry.ts';

const sortedText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Kubernetes' order of versions: v2 before v1 before v1beta2 before v1alpha1 before anything else. */
export function compareVersions(a: string, b: string): number {
  const form = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
  const [left, right] = [form.exec(a), form.exec(b)];
  if (left === null || right === null) return left === right ? sortedText(a, b) : left === null ? 1 : -1;
  const rank = (match: RegExpExecArray): number => (match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0);
  if (rank(left) !== rank(right)) return rank(right) - rank(left);
  return Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}

/** Types of one group by version, the preferred version first. */
function versionsOf(types: readonly ResourceType[]): readonly (readonly [string, readonly ResourceType[]])[] {
  const byVersion = Map.groupBy(types, (type) => type.version);
  return [...byVersion].sort(([a], [b]) => compareVersions(a, b));
}

/** The order in which the API server lists its own groups; others follow by name. */
function groupsOf(types: readonly ResourceType[]): readonly (readonly [string, readonly ResourceType[]])[] {
  const grouped = [...Map.groupBy(types, (type) => type.group)].filter(([group]) => group !== '');
  const builtIn = grouped.filter(([, members]) => members.some((type) => type.custom === undefined));
  const custom = grouped.filter(([, members]) => members.every((type) => type.custom !== undefined));
  return [...builtIn, ...custom.sort(([a], [b]) => sortedText(a, b))];
}

const reference = ({ group, version, kind }: Pick<ResourceType, 'group' | 'version' | 'kind'>) => ({
  group,
  version,
  kind,
});

const aggregatedResource = (type: ResourceType): Record<string, unknown> => ({
  resource: type.plural,
  responseKind: reference(type),
  scope: type.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: type.singular,
  verbs: type.verbs,
  ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
  ...(type.categories.length > 0 && { categories: type.categories }),
  ...(type.subresources.length > 0 && {
    subresources: type.subresources.map((subresource) => {
      const details = type.subresourceTypes[subresource];
      return {
        subresource,
        responseKind: reference(details ?? type),
        verbs: details?.verbs ?? ['get', 'patch', 'update'],
      };
    }),
  }),
});

/** apidiscovery.k8s.io/v2 APIGroupDiscoveryList of `/api` (the core group) or `/apis` (all others). */
export function aggregatedDiscovery(types: TypeRegistry, root: 'api' | 'apis'): Record<string, unknown> {
  const all = types.all();
  const core = all.filter((type) => type.group === '');
  const groups = root === 'api' ? ([['', core]] as const) : groupsOf(all);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, members]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(members).map(([version, resources]) => ({
        version,
        resources: [...resources].sort((a, b) => sortedText(a.plural, b.plural)).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

const groupEntry = (group: string, members: readonly ResourceType[]): Record<string, unknown> => {
  const versions = versionsOf(members).map(([version]) => ({
    groupVersion: formatApiVersion(group, version),
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
};

/** The unaggregated document of `/apis`. */
export const groupList = (types: TypeRegistry): Record<string, unknown> => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupsOf(types.all()).map(([group, members]) => groupEntry(group, members)),
});

/** The document of one group; undefined when it has no resources. */
export function groupDocument(types: TypeRegistry, group: string): Record<string, unknown> | undefined {
  const members = types.all().filter((type) => type.group === group);
  return members.length === 0 || group === ''
    ? undefined
    : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, members) };
}

/** The unaggregated document of `/api`. */
export const coreVersions = (address: string): Record<string, unknown> => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

/** Kinds of which the real server keeps an older version than the one it serves. */
const olderStorage: Readonly<Record<string, string>> = {
  'customresourcedefinitions.apiextensions.k8s.io': 'v1beta1',
  'volumeattributesclasses.storage.k8s.io': 'v1beta1',
};

/** Clients tell by it that the stored form of a kind has changed; what is never stored has none. */
function storageVersionHash(type: ResourceType, types: TypeRegistry): string | undefined {
  if (!type.verbs.includes('list') || type.plural === 'componentstatuses') return undefined;
  const key = storageKey(type);
  const { group, version, kind } = types.stored(key) ?? type;
  const stored = `${group}/${olderStorage[key] ?? version}/${kind}`;
  return createHash('sha256').update(stored).digest().subarray(0, 8).toString('base64');
}

function listEntries(type: ResourceType, types: TypeRegistry): readonly Record<string, unknown>[] {
  const { plural, namespaced, kind } = type;
  const hash = storageVersionHash(type, types);
  const own = {
    name: plural,
    singularName: type.singular,
    namespaced,
    kind,
    verbs: type.verbs,
    ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
    ...(type.categories.length > 0 && { categories: type.categories }),
    ...(hash !== undefined && { storageVersionHash: hash }),
  };
  const subresources = type.subresources.map((subresource) => {
    const details = type.subresourceTypes[subresource];
    const foreign = details !== undefined && (details.group !== type.group || details.version !== type.version);
    return {
      name: `${plural}/${subresource}`,
      singularName: '',
      namespaced,
      ...(foreign && { group: details.group, version: details.version }),
      kind: details?.kind ?? kind,
      verbs: details?.verbs ?? ['get', 'patch', 'update'],
    };
  });
  return [own, ...subresources];
}

/** The resources of one group and version; undefined when there are none. */
export function resourceList(types: TypeRegistry, group: string, version: string): Record<string, unknown> | undefined {
  const members = types.all().filter((type) => type.group === group && type.version === version);
  if (members.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: formatApiVersion(group, version),
    resources: members.flatMap((type) => listEntries(type, types)),
  };
}
