import {
  type ApplicationSource,
  type Because,
  chartOf,
  describeKey,
  type GroupKind,
  gvkOf,
  keyOf,
  keyText,
  type KubeObject,
} from '@tiphys/api';
import type { Change, LiveObjects } from './diff/change.ts';
import type { Desired, DesiredMemory } from './diff/desired-memory.ts';
import { diff, type DiffPolicy } from './diff/diff.ts';
import { unsupportedIgnores } from './diff/ignore.ts';
import type { LiveView, WantedKind } from './diff/live/live-view.ts';
import type { GitStore } from './git/read/git-store.ts';
import type { RepositoryAccess } from './git/read/repository-access.ts';
import type { Renderer } from './render/renderer.ts';
import type { Rendered, RenderSettings } from './render/types.ts';

/** One source and the revision it is wanted at, which is not always the configured one (rollback, `--revision`). */
export type WantedSource = Readonly<{ source: ApplicationSource; revision: string }>;

/** What is compared. Says nothing of what follows from it. */
export type CompareRequest = Readonly<{
  application: Readonly<{ name: string; namespace: string; project: string }>;
  sources: readonly WantedSource[];
  destinationNamespace: string;
  /** `cached` trusts the refs of the last look at a repository; `latest` asks it; `anew` does, and remembers no render either. */
  freshness: 'cached' | 'latest' | 'anew';
  render: RenderSettings;
  /** `resource.exclusions` and `resource.inclusions`: kinds that are neither compared nor applied on a cluster. None when absent. */
  excluded?: ((kind: GroupKind, server: string) => boolean) | undefined;
  /** Holds the tracking name (`application`): the name, or `<namespace>_<name>` outside the control plane's namespace. */
  diff: DiffPolicy;
}>;

export type ReadPorts = Readonly<{
  git: Pick<GitStore, 'resolve'>;
  renderer: Pick<Renderer, 'render' | 'resolveChart'>;
  live: LiveView;
  access: (url: string) => RepositoryAccess;
  memory: DesiredMemory;
}>;

/** What is desired, what is live, and what differs. */
export type Comparison = Readonly<{
  /** Resolved commit or chart version of each source. */
  revisions: readonly string[];
  rendered: Rendered;
  /** Desired objects with namespace and tracking marks; hooks included. */
  desired: readonly KubeObject[];
  live: LiveObjects;
  changes: readonly Change[];
  /** Desired objects that cannot be placed: nothing may be applied while there are any. */
  errors: readonly Because[];
  /** Odd things about them, told and passed over. */
  warnings: readonly Because[];
}>;

type Read = Readonly<{ ports: ReadPorts; signal: AbortSignal }>;

/** From Git to what differs, stage by stage. Never writes; safe at any revision. */
export async function compare(request: CompareRequest, ports: ReadPorts, signal: AbortSignal): Promise<Comparison> {
  const read = { ports, signal };
  const resolved = await resolve(request, read);
  const rendered = await render(request, resolved, read);
  const { objects, errors, warnings } = await adopt(rendered, request, read);
  const { kept: desired, told } = withoutExcluded(objects, request, ports.live.server);
  const live = withoutExcludedLive(await readLive(desired, request, read), request, ports.live.server);
  const changes = diff(desired, live, request.diff);
  const revisions = resolved.map(({ commit }) => commit);
  const odd = [...warnings, ...told, ...unsupportedIgnores(request.diff.ignore, desired)];
  return { revisions, rendered, desired, live, changes, errors, warnings: odd };
}

/** Desired objects of the kinds that the settings do not leave out, and a word about each of the others. */
function withoutExcluded(
  objects: readonly KubeObject[],
  { excluded }: CompareRequest,
  server: string,
): Readonly<{ kept: readonly KubeObject[]; told: readonly Because[] }> {
  const isOut = (object: KubeObject): boolean => excluded?.(gvkOf(object), server) === true;
  const out = objects.filter(isOut);
  // The same list as long as nothing is left out: what is remembered of it holds on.
  if (out.length === 0) return { kept: objects, told: [] };
  const told = out.map((one): Because => {
    const object = describeKey(keyOf(one));
    return { code: 'excluded-resource', object, message: `${object} is excluded in the settings` };
  });
  return { kept: objects.filter((object) => !isOut(object)), told };
}

/**
 * What lives of the kinds that the settings leave out is not ours to look at: the watches may still show it, and taken for something
 * that Git no longer holds it would be pruned.
 */
function withoutExcludedLive(live: LiveObjects, { excluded }: CompareRequest, server: string): LiveObjects {
  if (excluded === undefined) return live;
  const isOut = (object: KubeObject): boolean => excluded(gvkOf(object), server);
  return live.values().some(isOut) ? new Map([...live].filter(([, object]) => !isOut(object))) : live;
}

type Resolved = Readonly<{ source: ApplicationSource; repo: RepositoryAccess; commit: string }>;

/** git: each source's revision becomes a commit, or the version of a chart. */
const resolve = ({ sources, freshness }: CompareRequest, { ports, signal }: Read): Promise<Resolved[]> =>
  Promise.all(
    sources.map(async ({ source, revision }) => {
      const repo = ports.access(source.repoURL);
      const anew = freshness === 'anew';
      const chart = chartOf(source);
      if (chart !== undefined) {
        const charts = { ...repo, url: chart.repoURL };
        const commit = await ports.renderer.resolveChart(charts, { name: chart.name, revision, anew }, signal);
        return { source, repo, commit };
      }
      const question = { revision, freshness: anew ? 'latest' : freshness, tagPrefix: source.tagPrefix } as const;
      const { commit } = await ports.git.resolve(repo, question, signal);
      return { source, repo, commit };
    }),
  );

/** render: the trees become objects. */
async function render(
  request: CompareRequest,
  sources: readonly Resolved[],
  { ports, signal }: Read,
): Promise<Rendered> {
  const { kubeVersion, apiVersions } = await ports.live.facts(signal);
  const { application, destinationNamespace, render: settings } = request;
  const instance = request.diff.application;
  return ports.renderer.render(
    {
      application,
      instance,
      sources,
      destinationNamespace,
      kubeVersion,
      apiVersions,
      access: ports.access,
      settings,
      anew: request.freshness === 'anew',
    },
    signal,
  );
}

/** The objects as they are to stand in the cluster: in a namespace where their kind has one, and marked as ours. */
async function adopt(
  { objects }: Rendered,
  { destinationNamespace, diff: { application, tracking } }: CompareRequest,
  { ports, signal }: Read,
): Promise<Desired> {
  const discovery = await ports.live.discovery(signal);
  return ports.memory.desired(objects, { discovery, destinationNamespace, application, tracking });
}

const kindsOf = (objects: readonly KubeObject[]): WantedKind[] => [
  ...new Map(objects.map((object) => [`${object.apiVersion}/${object.kind}`, gvkOf(object)] as const)).values(),
];

/** live: what stands at the desired places, and all else that carries our mark. */
async function readLive(
  desired: readonly KubeObject[],
  { diff: { application } }: CompareRequest,
  { ports, signal }: Read,
): Promise<LiveObjects> {
  const { live } = ports;
  await live.ensure(kindsOf(desired), signal);
  const found = new Map(live.managed(application).map((object) => [keyText(keyOf(object)), object]));
  const unseen = desired.filter(
    (object) =>
      object.metadata.name !== undefined && found.get(keyText(keyOf(object)))?.apiVersion !== object.apiVersion,
  );
  const discovery = await live.discovery(signal);
  await Promise.all(
    unseen.map(async (object) => {
      // A kind that the cluster does not serve has no objects; the sync says so, with the kind's name.
      if (discovery.find(gvkOf(object)) === undefined) return;
      const key = keyOf(object);
      const got = await live.get(gvkOf(object), key, signal);
      if (got !== undefined) found.set(keyText(key), got);
    }),
  );
  return found;
}
