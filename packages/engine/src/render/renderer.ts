import { lchown, mkdir, readdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type Clock, type Logger, normaliseRepositoryUrl, within } from '@tiphys/api';
import { download } from '@tiphys/remote';
import { LRUCache } from 'lru-cache';
import type { GitStore } from '../git/read/git-store.ts';
import type { RepositoryAccess } from '../git/read/repository-access.ts';
import { rememberApiVersionUse } from './helm/api-versions.ts';
import type { ChartRepositories } from './helm/charts.ts';
import { openChartRepositories } from './helm/open-charts.ts';
import { openSandbox } from './sandbox/open-sandbox.ts';
import { type Decoder, openDecoder } from './decode/decoder.ts';
import { rememberDocuments } from './decode/documents.ts';
import { workerNeeds } from './decode/worker-process.ts';
import { sha256 } from './digest.ts';
import { writeHelmForKustomize } from './kustomize/helm-for-kustomize.ts';
import { rememberTellsCluster } from './kustomize/versions.ts';
import { withoutRepeats } from './manifests.ts';
import { isOnlyRef, type PlanPorts, planSource, refsOf } from './plan-source.ts';
import { placesOf, type Read } from './read-set.ts';
import type { Outcome } from './render-cache.ts';
import type { Plan } from './plan.ts';
import type { Isolation, Sandbox } from './sandbox/sandbox.ts';
import { type Attempt, SourceRenderer } from './render-source.ts';
import { rendererDefaults, type RendererSettings } from './renderer-settings.ts';
import { runTool, type ToolCommand, type ToolResult, type ToolRun } from './tool.ts';
import { type Rendered, RenderError, type RenderRequest, type ReadSet, type SourceType } from './types.ts';

export type RendererPorts = Readonly<{
  git: GitStore;
  tools: Readonly<{
    /** Path of helm. */
    helm: string;
    /** `{ command: kubectl, args: ['kustomize'] }` or `{ command: kustomize, args: ['build'] }`. */
    kustomize: ToolCommand;
    /** Names the tools' versions: part of every key. */
    versions: string;
  }>;
  clock: Clock;
  log: Logger;
}>;

/** Desired objects of applications, by content: the same inputs are rendered once, whoever asks. */
export interface Renderer {
  /**
   * Renders the sources of an application and joins them; of two equal objects that of the later source stays.
   * @throws RenderError with what was read; the signal's reason when aborted
   */
  render(request: RenderRequest, signal: AbortSignal): Promise<Rendered>;
  /** The version of a chart that a `targetRevision` stands for; `anew`: by an index that is read now. @throws CodedError git/revision-not-found, git/unreachable */
  resolveChart(
    repo: RepositoryAccess,
    chart: Readonly<{ name: string; revision: string; anew?: boolean | undefined }>,
    signal: AbortSignal,
  ): Promise<string>;
  /** Since the start: sources for which a tool ran (or files were parsed), and sources whose result was there already. */
  stats(): Readonly<{ renders: number; cacheHits: number }>;
  /** How far the tools are kept apart, as found out at the start. */
  readonly isolation: Isolation;
  close(): Promise<void>;
}

type Objects = Extract<Outcome, { kind: 'objects' }>;
type RenderedSource = Readonly<{ key: string; type: SourceType; outcome: Objects; ran: boolean; lasting: boolean }>;
type Joined = Pick<Rendered, 'objects' | 'warnings' | 'digest'>;

/** Without paths that lie below another one of the set. */
function withoutCovered(paths: ReadonlySet<string>): readonly string[] {
  const isCovered = (path: string): boolean => {
    for (let here = path; here !== '';) {
      here = here.slice(0, Math.max(0, here.lastIndexOf('/')));
      if (paths.has(here)) return true;
    }
    return false;
  };
  return [...paths].filter((path) => !isCovered(path)).sort();
}

function readSetsOf(all: readonly Read[]): readonly ReadSet[] {
  const paths = new Map<string, Set<string>>();
  for (const reads of all) {
    const known = paths.get(reads.repository) ?? new Set<string>();
    paths.set(reads.repository, known);
    for (const path of reads.paths) known.add(path);
  }
  return [...paths].map(([repository, set]) => ({ repository, paths: withoutCovered(set) }));
}

type PlannedSource = Parameters<typeof planSource>[0];

const wholeTrees = ({ sources }: RenderRequest): readonly Read[] =>
  sources.map(({ repo }) => ({ repository: normaliseRepositoryUrl(repo.url), paths: [''] }));

type RendererParts = Readonly<{
  isolation: Isolation;
  decoder: Decoder;
  charts: ChartRepositories;
  closing: AbortController;
  planPorts: PlanPorts;
}>;

class ContentRenderer implements Renderer {
  readonly isolation: Isolation;
  readonly #parts: RendererParts;
  readonly #ports: RendererPorts;
  readonly #settings: RendererSettings;
  readonly #sources: SourceRenderer;
  readonly #joined: LRUCache<string, Joined & { bytes: number }>;
  #cacheHits = 0;

  constructor(ports: RendererPorts, settings: RendererSettings, parts: RendererParts) {
    this.#ports = ports;
    this.#settings = settings;
    this.#parts = parts;
    this.isolation = parts.isolation;
    this.#sources = new SourceRenderer({ ...ports, toolVersions: ports.tools.versions }, settings);
    this.#joined = new LRUCache({ maxSize: settings.cacheBytes, sizeCalculation: ({ bytes }) => bytes + 500 });
  }

  async render(request: RenderRequest, signal: AbortSignal): Promise<Rendered> {
    const reads: Read[] = [];
    try {
      return await within(this.#render(request, reads, signal), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw RenderError.from(error, readSetsOf(reads));
    }
  }

  resolveChart(
    repo: RepositoryAccess,
    chart: { name: string; revision: string; anew?: boolean | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    return this.#parts.charts.resolve(repo, chart, signal);
  }

  stats(): Readonly<{ renders: number; cacheHits: number }> {
    return { renders: this.#sources.renders, cacheHits: this.#cacheHits };
  }

  async close(): Promise<void> {
    this.#sources.close();
    this.#parts.closing.abort(new Error('the renderer was closed'));
    await this.#parts.decoder.close();
    for (const folder of ['runs', 'root'])
      await rm(join(this.#settings.workDir, folder), { recursive: true, force: true });
  }

  async #render(request: RenderRequest, reads: Read[], signal: AbortSignal): Promise<Rendered> {
    const refs = await refsOf(request, this.#ports.git, signal).catch((error: unknown) => {
      reads.push(...wholeTrees(request));
      throw error;
    });
    const sources: RenderedSource[] = [];
    for (const source of request.sources)
      sources.push(await this.#renderSource({ request, source, refs }, reads, signal));
    const joined = this.#join(sources, request.destinationNamespace);
    return {
      objects: joined.objects,
      warnings: joined.warnings,
      digest: joined.digest,
      key: sha256(request.destinationNamespace, ...sources.map(({ key }) => key)),
      sourceTypes: sources.map(({ type }) => type),
      cached: sources.every(({ ran }) => !ran),
      lasting: sources.every(({ lasting }) => lasting),
      readSet: readSetsOf(reads),
    };
  }

  async #renderSource(what: PlannedSource, reads: Read[], signal: AbortSignal): Promise<RenderedSource> {
    const { request, source } = what;
    if (isOnlyRef(source.source)) {
      const outcome: Objects = { kind: 'objects', objects: [], warnings: [], digest: '', bytes: 0 };
      return { key: 'ref', type: 'Directory', outcome, ran: false, lasting: true };
    }
    const { plan, attempt } = await this.#attempt(what, reads, signal).catch((error: unknown) => {
      // It did not get as far as to know its files: any change may mend it.
      reads.push(...wholeTrees(request));
      throw error;
    });
    const { key, outcome, read, ran } = attempt;
    reads.push(...read);
    if (!ran) this.#cacheHits += 1;
    if (outcome.kind === 'objects')
      return { key, type: plan.sourceType, outcome, ran, lasting: plan.freshMs === undefined };
    throw outcome.kind === 'failed' ? outcome.error : new Error('no set of files was wide enough');
  }

  async #attempt(what: PlannedSource, reads: Read[], signal: AbortSignal): Promise<{ plan: Plan; attempt: Attempt }> {
    const plan = await planSource(what, this.#parts.planPorts, signal);
    reads.push(...(await placesOf(plan.watched)));
    return { plan, attempt: await this.#sources.render(plan, what.request.anew) };
  }

  #join(sources: readonly RenderedSource[], namespace: string): Joined {
    const warnings = sources.flatMap(({ outcome }) => outcome.warnings);
    const id = sha256(
      namespace,
      ...sources.map(({ outcome }) => outcome.digest),
      ...warnings.map(({ message }) => message),
    );
    const known = this.#joined.get(id);
    if (known !== undefined) return known;
    const repeats = withoutRepeats(
      sources.flatMap(({ outcome }) => outcome.objects),
      namespace,
    );
    const joined = {
      objects: repeats.objects,
      warnings: [...warnings, ...repeats.warnings],
      digest: sha256(...sources.map(({ outcome }) => outcome.digest)),
      bytes: sources.reduce((sum, { outcome }) => sum + outcome.bytes, 0),
    };
    this.#joined.set(id, joined);
    return joined;
  }
}

/** The decoder, as another user only where that user gets at Node and at the worker's file. */
async function startDecoder(tools: Sandbox, settings: RendererSettings): Promise<Decoder> {
  const { decode, path } = settings;
  const sandbox = tools.isolation === 'uid' ? await sandboxFor(settings, [], workerNeeds) : tools;
  return openDecoder({ ...decode, path }, sandbox);
}

/** Gives the folder of a run to the user that its tool runs as. */
async function handOver(folder: string, uid: number): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries) await lchown(join(parentPath, name), uid, uid);
  await lchown(folder, uid, uid);
}

/** What says how the network is used; no agent that holds keys. */
const networkVariables = (environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => /_proxy$|^SSL_CERT_/i.test(name)));

const sandboxFor = (
  settings: RendererSettings,
  programs: readonly string[],
  needed: readonly string[],
): Promise<Sandbox> =>
  openSandbox(
    {
      ...settings,
      rootDir: join(settings.workDir, 'root'),
      programs,
      needed,
      certificates: Object.entries(settings.networkEnvironment).flatMap(([name, value]) =>
        name.startsWith('SSL_CERT_') ? value.split(delimiter) : [],
      ),
    },
    AbortSignal.timeout(20_000),
  );

/** Opens the renderer: empties the folder of its runs and finds out how tools can be kept apart. */
export async function openRenderer(ports: RendererPorts, settings: Partial<RendererSettings> = {}): Promise<Renderer> {
  const given: RendererSettings = { ...rendererDefaults, ...settings };
  const complete = {
    ...given,
    workDir: resolve(given.workDir),
    networkEnvironment: networkVariables(given.networkEnvironment),
  };
  await rm(join(complete.workDir, 'runs'), { recursive: true, force: true });
  await mkdir(join(complete.workDir, 'runs'), { recursive: true, mode: 0o711 });
  const { helm, kustomize } = ports.tools;
  const runsDir = join(complete.workDir, 'runs');
  const needed = [helm, kustomize.command, runsDir].filter((path) => path.startsWith('/'));
  const sandbox = await sandboxFor(complete, [helm, kustomize.command, process.execPath], needed);
  const run = async (tool: ToolRun, signal: AbortSignal): Promise<ToolResult> => {
    if (sandbox.isolation === 'uid') await handOver(dirname(tool.home), complete.uid);
    return runTool(tool, { sandbox, settings: complete, path: complete.path }, signal);
  };
  const decoder = await startDecoder(sandbox, complete);
  const read = rememberDocuments(decoder);
  const closing = new AbortController();
  const charts = await openChartRepositories(
    { helm, run, decoder, now: () => ports.clock.now().getTime(), closing: closing.signal },
    { ...complete, dir: join(complete.workDir, 'charts'), runsDir },
  );
  const planPorts: PlanPorts = {
    git: ports.git,
    charts,
    read,
    decoder,
    helm: {
      helm,
      run,
      read,
      seesApiVersions: rememberApiVersionUse(decoder),
      decoder,
      download: (url, trust, signal) =>
        download(url, { trust, limits: complete.downloads, proxies: complete.networkEnvironment }, signal),
    },
    kustomize: {
      builtIn: kustomize,
      tellsCluster: rememberTellsCluster({ run, runsDir }),
      helm: await writeHelmForKustomize(complete.workDir, helm),
      read,
      decoder,
      run,
    },
    settings: complete,
  };
  ports.log.info('renderer ready', { isolation: sandbox.isolation });
  return new ContentRenderer(ports, complete, {
    isolation: sandbox.isolation,
    decoder,
    charts,
    closing,
    planPorts,
  });
}
