import {
  type ApplicationSource,
  chartOf,
  type ChartSource,
  CodedError,
  describeRepository,
  normaliseRepositoryUrl,
} from '@tiphys/api';
import type { GitStore } from '../git/read/git-store.ts';
import { type RepositoryAccess, scopeOf } from '../git/read/repository-access.ts';
import { normalisePath, type Tree } from '../git/read/tree.ts';
import { buildEnvironment } from './build-environment.ts';
import type { Decoder } from './decode/decoder.ts';
import type { ReadDocument } from './decode/documents.ts';
import { detectTool, explicitTool } from './detect-tool.ts';
import { planDirectory } from './directory/plan-directory.ts';
import { requireUnpackedSize } from './helm/chart-archives.ts';
import type { ChartRepositories } from './helm/charts.ts';
import type { ChartLocation } from './helm/lay-out.ts';
import { type HelmPorts, planHelm } from './helm/plan-helm.ts';
import { type KustomizePorts, planKustomize } from './kustomize/plan-kustomize.ts';
import type { Plan } from './plan.ts';
import type { Reads } from './read-set.ts';
import type { RendererSettings } from './renderer-settings.ts';
import { overrideFiles, withOverrides } from './source-override.ts';
import type { RenderRequest, RenderSource } from './types.ts';

/** What planning a source needs. */
export type PlanPorts = Readonly<{
  git: GitStore;
  charts: ChartRepositories;
  read: ReadDocument;
  decoder: Decoder;
  helm: HelmPorts;
  kustomize: KustomizePorts;
  settings: Pick<RendererSettings, 'remoteFreshMs'>;
}>;

type Refs = ReadonlyMap<string, Omit<Reads, 'paths'>>;

const readsOf = (repo: RepositoryAccess, tree: Tree): Omit<Reads, 'paths'> => ({
  repository: normaliseRepositoryUrl(repo.url),
  tree,
});

/** The sources of a request that others may read value files from, by name. */
export async function refsOf(request: RenderRequest, git: GitStore, signal: AbortSignal): Promise<Refs> {
  const refs = new Map<string, Omit<Reads, 'paths'>>();
  for (const { source, repo, commit } of request.sources) {
    if (source.ref === undefined || source.ref === '' || isChart(source)) continue;
    if (refs.has(source.ref))
      throw new CodedError('render/failed', `two sources have the ref "${source.ref}": a ref names one of them`);
    refs.set(source.ref, readsOf(repo, await git.commitTree(repo, commit, signal)));
  }
  return refs;
}

const isChart = (source: ApplicationSource): boolean => chartOf(source) !== undefined;

/** A source that renders nothing: it only lends files to others. */
export const isOnlyRef = (source: ApplicationSource): boolean =>
  source.ref !== undefined && source.ref !== '' && (source.path ?? '') === '' && !isChart(source);

/** The folder of a source, with links on the way followed. */
async function folderOfSource(tree: Tree, { source, repo, commit }: RenderSource): Promise<string> {
  const written = source.path ?? '';
  const where = describeRepository(repo.url);
  const path = written.startsWith('/') ? undefined : normalisePath(written);
  if (path === undefined)
    throw new CodedError('render/path-outside', `${where}: the path "${written}" leads out of the repository`);
  const found = await tree.find(path);
  if (found === undefined)
    throw new CodedError(
      'git/path-not-found',
      `${where}: the path "${written}" does not exist at ${commit.slice(0, 8)}`,
    );
  if (found.entry.kind === 'submodule')
    throw new CodedError('git/hostile-repository', `${where}: ${written} is a submodule, which is not fetched`);
  if (found.entry.kind !== 'folder')
    throw new CodedError('git/path-not-found', `${where}: the path "${written}" is no folder at ${commit.slice(0, 8)}`);
  return found.path;
}

/**
 * Makes a plan of one source: what will be read, with which tool, and all that shapes the result.
 * @throws CodedError git/*, render/* naming what is wrong
 */
export async function planSource(
  what: Readonly<{ request: RenderRequest; source: RenderSource; refs: Refs }>,
  ports: PlanPorts,
  signal: AbortSignal,
): Promise<Plan> {
  const { request, source, refs } = what;
  const chart = chartOf(source.source);
  if (chart !== undefined) return planChart(what, chart, ports);
  const tree = await ports.git.commitTree(source.repo, source.commit, signal);
  const folder = await folderOfSource(tree, source);
  const at = { tree, folder, instance: request.instance };
  const effective = await withOverrides(source.source, at, ports.read);
  const reads = readsOf(source.repo, tree);
  const plan = await planFolder({ ...what, refs, reads, folder, source: { ...source, source: effective } }, ports);
  const own = overrideFiles(request.instance).map((name) => (folder === '' ? name : `${folder}/${name}`));
  return { ...plan, watched: [...plan.watched, { ...reads, paths: own }] };
}

type Folder = Readonly<{
  request: RenderRequest;
  source: RenderSource;
  refs: Refs;
  reads: Omit<Reads, 'paths'>;
  folder: string;
}>;

async function planFolder(at: Folder, ports: PlanPorts): Promise<Plan> {
  const { request, reads, folder } = at;
  const { source } = at.source;
  const type = await detectTool(source, { tree: reads.tree, folder }, request.settings);
  if (type === 'Helm') return planHelmSource(at, { kind: 'folder', reads, folder }, ports);
  if (type === 'Directory')
    return planDirectory({
      reads,
      folder,
      directory: source.directory ?? {},
      includeHidden: request.settings.includeHiddenDirectories,
      withJsonnet: request.settings.tools.jsonnet,
      maxBytes: request.settings.maxDirectoryBytes,
      decoder: ports.decoder,
    });
  return planKustomize(
    {
      reads,
      folder,
      kustomize: source.kustomize ?? {},
      environment: buildEnvironment(request, at.source),
      settings: request.settings.kustomize,
      kubeVersion: request.kubeVersion,
      apiVersions: request.apiVersions,
      chartsFreshMs: ports.settings.remoteFreshMs,
    },
    ports.kustomize,
  );
}

function planHelmSource(
  at: Readonly<{ request: RenderRequest; source: RenderSource; refs: Refs }>,
  chart: ChartLocation,
  ports: PlanPorts,
): Promise<Plan> {
  const { request, source, refs } = at;
  return planHelm(
    {
      chart,
      helm: source.source.helm ?? {},
      refs,
      environment: buildEnvironment(request, source),
      schemes: request.settings.helmValuesFileSchemes,
      releaseName: request.application.name,
      namespace: request.destinationNamespace,
      kubeVersion: request.kubeVersion,
      apiVersions: request.apiVersions,
      access: request.access ?? ((url) => ({ url })),
      remoteFreshMs: ports.settings.remoteFreshMs,
    },
    ports.helm,
  );
}

async function planChart(
  what: Readonly<{ request: RenderRequest; source: RenderSource; refs: Refs }>,
  chart: ChartSource,
  ports: PlanPorts,
): Promise<Plan> {
  const { source, commit: version } = what.source;
  const repo = { ...what.source.repo, url: chart.repoURL };
  const { name } = chart;
  const where = `${describeRepository(repo.url)}: chart "${name}" ${version}`;
  const explicit = explicitTool(source);
  if (explicit !== undefined && explicit !== 'Helm')
    throw new CodedError('render/duplicate-tool', `${where} is rendered by Helm, not by ${explicit}`);
  if (normalisePath(source.path ?? '') !== '')
    throw new CodedError(
      'render/unsupported',
      `${where}: of registries only whole charts are read, so source.path "${source.path ?? ''}" cannot be`,
    );
  const passCredentials = source.helm?.passCredentials ?? false;
  const maxBytes = what.request.settings.maxUnpackedChartBytes;
  // The run may be one that others wait for too, so it is not ended by this caller's signal.
  const file = async (stop: AbortSignal): Promise<string> => {
    const archive = await ports.charts.pull(repo, { name, version, passCredentials, anew: what.request.anew }, stop);
    await requireUnpackedSize(archive, maxBytes, where);
    return archive;
  };
  return planHelmSource(what, { kind: 'archive', file, scope: scopeOf(repo), name, version, maxBytes }, ports);
}
