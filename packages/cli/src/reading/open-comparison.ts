import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Application, CodedError, silentLogger, sourcesOf } from '@tiphys/api';
import {
  compare,
  type Comparison,
  type DiffPolicy,
  gitDefaults,
  openDesiredMemory,
  openGitStore,
  openRenderer,
  type WantedSource,
} from '@tiphys/engine';
import { comparisonRequest, readRepositoryAccess } from '@tiphys/operations';
import type { CommandContext } from '../context.ts';
import type { GitProgram, RenderTools } from '../io.ts';
import { openDestination } from './destination.ts';
import { installationSettings } from './installation-settings.ts';
import { openLiveOnce } from './live-once.ts';
import { takeSnapshot } from './local-snapshot.ts';

/** What to compare with the cluster in place of the configured revisions. */
export type ComparisonRequest = Readonly<{
  application: Application;
  /** By position of the source, from 0. */
  revisions: ReadonlyMap<number, string>;
  local?: Readonly<{ directory: string; root?: string | undefined }> | undefined;
}>;

async function wantedSources(
  request: ComparisonRequest,
  workDir: string,
  context: CommandContext,
): Promise<readonly WantedSource[]> {
  const sources = sourcesOf(request.application.spec);
  const { local, revisions } = request;
  if (local === undefined)
    return sources.map((source, index) => {
      const { targetRevision = '' } = source;
      return { source, revision: revisions.get(index) ?? (targetRevision === '' ? 'HEAD' : targetRevision) };
    });
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0)
    throw new CodedError('cli/usage', '--local is for an application with one source');
  const { path } = gitOf(context);
  const { repoURL, commit, path: folder } = await takeSnapshot({ ...local, workDir, path, signal: context.signal });
  // A folder stands for what Git would have: also for an application that is installed from a chart repository.
  const kept = Object.fromEntries(Object.entries(source).filter(([field]) => field !== 'chart'));
  return [{ source: { ...kept, repoURL, path: folder, targetRevision: commit }, revision: commit }];
}

function toolsOf({ io }: CommandContext): RenderTools {
  if (io.renderTools === undefined) throw new CodedError('render/tool-missing', 'this program cannot render here');
  return io.renderTools();
}

function gitOf({ io }: CommandContext): GitProgram {
  if (io.git === undefined) throw new CodedError('render/tool-missing', 'this program cannot run git');
  return io.git;
}

/** What came of a comparison, and by which rules differences are shown. */
export type Compared = Readonly<{ application: Application; comparison: Comparison; policy: DiffPolicy }>;

function requireNoErrors({ errors }: Comparison): void {
  if (errors.length === 0) return;
  const lines = errors.map(
    ({ object, message, code }) => `  ${object === undefined ? '' : `${object}: `}${message ?? code}`,
  );
  throw new CodedError('render/invalid-manifest', `objects that have no place in the cluster:\n${lines.join('\n')}`);
}

type Kinds = readonly Readonly<{ group: string; kind: string }>[];

const managedKinds = ({ status }: Application): Kinds => [
  ...new Map(
    (status?.resources ?? []).map(({ group = '', kind = '' }) => [`${group}/${kind}`, { group, kind }] as const),
  ).values(),
];

/**
 * Compares an application with its cluster, here and now: Git is asked, the tools run, the cluster is read, nothing is written.
 * Everything on disk is in a folder of its own that is gone afterwards.
 */
export async function compareHere(request: ComparisonRequest, context: CommandContext): Promise<Compared> {
  const { signal, io } = context;
  const ports = await context.ports();
  const { application } = request;
  const tools = toolsOf(context);
  const log = silentLogger;
  const { clock } = io;
  const workDir = await mkdtemp(join(tmpdir(), 'tiphys-compare-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(workDir, { recursive: true, force: true }));
  const [settings, access, destination] = await Promise.all([
    installationSettings(ports, signal),
    readRepositoryAccess(context.actor, { signal }, ports),
    openDestination(application.spec, ports, signal),
  ]);
  cleanup.defer(() => destination.close());
  const gitSettings = {
    ...gitDefaults,
    dataDir: join(workDir, 'git'),
    path: gitOf(context).path,
    environment: gitOf(context).environment,
  };
  const git = openGitStore({ clock, log }, gitSettings);
  cleanup.defer(() => git.close());
  const renderer = await openRenderer(
    { git, tools, clock, log },
    { workDir: join(workDir, 'render'), networkEnvironment: gitOf(context).environment },
  );
  cleanup.defer(() => renderer.close());
  const live = openLiveOnce(destination.client, settings.tracking);
  // What was synced before tells the kinds that hold what would be pruned.
  await live.ensure(managedKinds(application), signal);
  const sources = await wantedSources(request, workDir, context);
  const wanted = { application, sources, settings, controlNamespace: ports.namespace, freshness: 'latest' } as const;
  const compared = comparisonRequest(wanted);
  const comparison = await compare(compared, { git, renderer, live, access, memory: openDesiredMemory() }, signal);
  requireNoErrors(comparison);
  return { application, comparison, policy: compared.diff };
}
