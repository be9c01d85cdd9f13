import {
  type Application,
  type AppProjectSpec,
  formatApiVersion,
  isCoded,
  type KubeObject,
  listAt,
  mapLimited,
  parseAppProject,
  projectOf,
  type ResourceStatus,
  stringAt,
  trackedBy,
} from '@tiphys/api';
import type { ApiResource, KubeClient } from '@tiphys/kube';
import { excludedKinds, type InstallationSettings, orphanRule } from '@tiphys/operations';
import type { CommandContext } from '../context.ts';
import { openDestination } from './destination.ts';
import { installationSettings } from './installation-settings.ts';
import { type LiveRef, readObjects, refText } from './live-objects.ts';

/** An object of an application, or one that such an object owns. */
export type TreeNode = Readonly<{
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  /** Sync status; empty for what is not managed itself. */
  status: string;
  health: ResourceStatus['health'];
  /** RFC 3339; empty for what is not there. */
  createdAt: string;
  /** Why a Pod is not running. */
  reason: string;
  children: readonly TreeNode[];
}>;

/** `orphans`: objects in the destination namespace that belong to no application, where the project asks for them. */
export type ResourceTree = Readonly<{ roots: readonly TreeNode[]; orphans: readonly TreeNode[] }>;

/** What the status of an application says, without a look at the cluster. */
export const managedOnly = ({ status }: Application): ResourceTree => ({
  orphans: [],
  roots: (status?.resources ?? []).map(
    ({ group = '', version = '', kind = '', namespace = '', name = '', status: code = '', health }): TreeNode => ({
      ...{ group, version, kind, namespace, name, status: code, health, createdAt: '', reason: '', children: [] },
    }),
  ),
});

/** What is known of an object from a list of metadata. */
type Seen = Readonly<{
  ref: Required<LiveRef>;
  uid: string;
  owners: readonly string[];
  createdAt: string;
  tracked: boolean;
}>;

/** Lists that are read at the same time. */
const concurrency = 8;
/** From so many namespaces on, one list of all costs less than one of each. */
const manyNamespaces = 6;

const seenOf = (object: KubeObject, { group, version, kind }: ApiResource, settings: InstallationSettings): Seen => {
  const { name = '', namespace = '', uid = '', creationTimestamp, ownerReferences = [] } = object.metadata;
  return {
    ref: { group, version, kind, namespace, name },
    uid,
    owners: ownerReferences.map((owner) => owner.uid),
    createdAt: creationTimestamp ?? '',
    tracked: trackedBy(object, settings.tracking) !== undefined,
  };
};

type Search = Readonly<{ client: KubeClient; settings: InstallationSettings; signal: AbortSignal }>;

/** Kinds that may hold something: listable, not excluded, each in its preferred version. */
async function searchedKinds({ client, settings, signal }: Search): Promise<readonly ApiResource[]> {
  const { resources, byGroupKind } = await client.discovery({ signal });
  const excluded = excludedKinds({ ...settings, server: client.server });
  return resources.filter(
    (resource) => resource.verbs.includes('list') && !excluded(resource) && byGroupKind(resource) === resource,
  );
}

/** Reads the metadata of all that lies in some namespaces ('' stands for no namespace). What may not be read is left out. */
async function search(namespaces: ReadonlySet<string>, { client, settings, signal }: Search): Promise<readonly Seen[]> {
  const kinds = await searchedKinds({ client, settings, signal });
  const named = [...namespaces].filter((namespace) => namespace !== '');
  const scopes = named.length >= manyNamespaces ? [undefined] : named;
  const lists = kinds.flatMap((resource) => {
    if (!resource.namespaced) return namespaces.has('') ? [{ resource, namespace: undefined }] : [];
    return scopes.map((namespace) => ({ resource, namespace }));
  });
  const seen: Seen[] = [];
  await mapLimited(lists, concurrency, async ({ resource, namespace }) => {
    try {
      await client.listEach(resource, { namespace, metadataOnly: true, signal }, (object) => {
        if (namespaces.has(object.metadata.namespace ?? '')) seen.push(seenOf(object, resource, settings));
      });
    } catch (error) {
      if (!isCoded(error, 'kube/forbidden', 'kube/not-found', 'kube/server-error')) throw error;
    }
  });
  return seen;
}

/** Looks at the objects that have a health check. */
const stateOf = async (
  refs: readonly LiveRef[],
  { client, signal }: Search,
): Promise<(ref: LiveRef) => Pick<TreeNode, 'health' | 'reason'>> => {
  const { assess, hasHealthCheck } = await import('@tiphys/engine');
  const checked = refs.filter(({ group = '', version = '', kind = '' }) =>
    hasHealthCheck({ apiVersion: formatApiVersion(group, version), kind, metadata: {} }),
  );
  const live = await readObjects(client, checked, signal);
  return (ref) => {
    const object = live.get(refText(ref));
    return object === undefined
      ? { health: undefined, reason: '' }
      : { health: assess(object), reason: reasonOf(object) };
  };
};

/** Why a Pod does not run: the first container that says so, or its phase. */
function reasonOf(object: KubeObject): string {
  if (object.kind !== 'Pod') return '';
  for (const container of listAt(object, 'status', 'containerStatuses')) {
    const why =
      stringAt(container, 'state', 'waiting', 'reason') ?? stringAt(container, 'state', 'terminated', 'reason');
    if (why !== undefined) return why;
  }
  return stringAt(object, 'status', 'reason') ?? stringAt(object, 'status', 'phase') ?? '';
}

type Monitoring = AppProjectSpec['orphanedResources'];

/** How the project of an application wants orphans watched; undefined when it does not. */
async function monitoringOf(application: Application, context: CommandContext): Promise<Monitoring> {
  const { kube, namespace } = await context.ports();
  const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'AppProject' };
  const found = await kube.get({ gvk, namespace, name: projectOf(application.spec) }, { signal: context.signal });
  return found === undefined ? undefined : parseAppProject(found, { mode: 'read' }).value.spec.orphanedResources;
}

/** `always`: orphans are looked for; `by-project`: where the project of the application monitors them. */
export type OrphanSearch = 'always' | 'by-project';

/** Reads the objects of an application from its cluster, with all that they own. */
export async function readTree(
  application: Application,
  orphans: OrphanSearch,
  context: CommandContext,
): Promise<ResourceTree> {
  const { signal } = context;
  const ports = await context.ports();
  const [settings, monitoring, { client, close }] = await Promise.all([
    installationSettings(ports, signal),
    monitoringOf(application, context),
    openDestination(application.spec, ports, signal),
  ]);
  try {
    const looking: Search = { client, settings, signal };
    const managed = (application.status?.resources ?? []).filter(({ hook }) => hook !== true);
    const { namespace: home = '' } = application.spec.destination;
    const namespaces = new Set([...managed.map(({ namespace = '' }) => namespace), ...(home === '' ? [] : [home])]);
    const seen = await search(namespaces, looking);
    const roots = await rootsOf(managed, seen, looking);
    if (home === '' || (orphans === 'by-project' && monitoring === undefined)) return { roots, orphans: [] };
    const counts = orphanRule(monitoring);
    const known = new Set(managed.map(refText));
    const found = seen.filter(
      ({ ref, owners, tracked }) =>
        ref.namespace === home && owners.length === 0 && !tracked && !known.has(refText(ref)) && counts(ref),
    );
    return { roots, orphans: found.map(orphanNode).sort(byName) };
  } finally {
    await close();
  }
}

async function rootsOf(
  managed: readonly ResourceStatus[],
  seen: readonly Seen[],
  looking: Search,
): Promise<readonly TreeNode[]> {
  const byRef = new Map(seen.map((one) => [refText(one.ref), one]));
  const owned = ownedBy(seen);
  const inTree = new Map<string, Seen>();
  for (const resource of managed) collect(byRef.get(refText(resource)), owned, inTree);
  // A kind that is not searched, or may not be listed, can still be managed.
  const unseen = managed.filter((resource) => !byRef.has(refText(resource)));
  const [state, apart] = await Promise.all([
    stateOf(
      [...inTree.values()].map(({ ref }) => ref),
      looking,
    ),
    readObjects(looking.client, unseen, looking.signal),
  ]);
  return managed.map((resource): TreeNode => {
    const { group = '', version = '', kind = '', namespace = '', name = '', status = '' } = resource;
    const live = byRef.get(refText(resource));
    const isMissing = live === undefined && apart.get(refText(resource)) === undefined;
    const { health, reason } = state(resource);
    return {
      ...{ group, version, kind, namespace, name, status, reason },
      health: isMissing ? { status: 'Missing' } : (health ?? resource.health),
      createdAt: live?.createdAt ?? apart.get(refText(resource))?.metadata.creationTimestamp ?? '',
      children: live === undefined ? [] : childrenOf(live, { owned, state }),
    };
  });
}

type Owned = ReadonlyMap<string, readonly Seen[]>;

function ownedBy(seen: readonly Seen[]): Owned {
  const owned = new Map<string, Seen[]>();
  for (const one of seen) for (const owner of one.owners) owned.set(owner, [...(owned.get(owner) ?? []), one]);
  return owned;
}

/** An object and all below it. An object that owns itself in a circle is taken once. */
function collect(one: Seen | undefined, owned: Owned, into: Map<string, Seen>): void {
  if (one === undefined || into.has(one.uid)) return;
  into.set(one.uid, one);
  for (const child of owned.get(one.uid) ?? []) collect(child, owned, into);
}

const byName = (a: TreeNode, b: TreeNode): number => (refText(a) < refText(b) ? -1 : 1);

type Below = Readonly<{ owned: Owned; state: (ref: LiveRef) => Pick<TreeNode, 'health' | 'reason'> }>;

function childrenOf({ uid }: Seen, below: Below, above: ReadonlySet<string> = new Set()): readonly TreeNode[] {
  const seen = new Set([...above, uid]);
  return (below.owned.get(uid) ?? [])
    .filter((child) => !seen.has(child.uid))
    .map((child): TreeNode => ({
      ...child.ref,
      status: '',
      ...below.state(child.ref),
      createdAt: child.createdAt,
      children: childrenOf(child, below, seen),
    }))
    .sort(byName);
}

const orphanNode = ({ ref, createdAt }: Seen): TreeNode => ({
  ...ref,
  status: '',
  health: undefined,
  createdAt,
  reason: '',
  children: [],
});
