import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, type KustomizeSource, stringifyYaml } from '@tiphys/api';
import type { BuildEnvironment } from '../build-environment.ts';
import type { Decoder } from '../decode/decoder.ts';
import type { ReadDocument } from '../decode/documents.ts';
import type { Plan, PlanResult, Workspace } from '../plan.ts';
import { type Reads, relativeTo } from '../read-set.ts';
import type { ToolCommand, ToolResult, ToolRun } from '../tool.ts';
import type { KustomizeSettings } from '../types.ts';
import { parseBuildOptions } from './build-options.ts';
import { type Closure, closureOf, kustomizationPath, readKustomization } from './closure.ts';
import { applyEdits, type Edits, editsOf, isEmpty } from './edit.ts';
import type { HelmForKustomize } from './helm-for-kustomize.ts';
import type { Kustomization, Reference } from './kustomization.ts';
import { kustomizeOf, type KustomizeProgram, type TellsCluster } from './versions.ts';

/** How a plan runs its tool. */
export type KustomizePorts = Readonly<{
  /** The one that is used where a source names no version. */
  builtIn: ToolCommand;
  tellsCluster: TellsCluster;
  helm: HelmForKustomize;
  read: ReadDocument;
  decoder: Pick<Decoder, 'output'>;
  run: (run: ToolRun, signal: AbortSignal) => Promise<ToolResult>;
}>;

export type KustomizePlanInput = Readonly<{
  reads: Omit<Reads, 'paths'>;
  folder: string;
  kustomize: KustomizeSource;
  environment: BuildEnvironment;
  settings: KustomizeSettings;
  kubeVersion: string;
  apiVersions: readonly string[];
  /** How long a result with charts from a repository is used. */
  chartsFreshMs: number;
}>;

const missesFile =
  /no such file|not found|does(?:n't| not) exist|unable to find|must resolve to a file|accumulating|evalsymlink/i;

/** What the source adds to its kustomization, as if it stood there. */
const extraReferences = ({ components, patches }: Edits): readonly Reference[] => [
  ...components.map((path, index) => ({ path, field: `source.kustomize.components[${index}]`, remote: true })),
  ...patches.flatMap(({ path }, index) =>
    path === undefined || path === '' ? [] : [{ path, field: `source.kustomize.patches[${index}].path`, remote: true }],
  ),
];

async function withoutMissing(edits: Edits, input: KustomizePlanInput): Promise<Edits> {
  if (input.kustomize.ignoreMissingComponents !== true) return edits;
  const components: string[] = [];
  for (const component of edits.components) {
    const path = relativeTo(input.folder, component);
    if (path === undefined || (await input.reads.tree.find(path)) !== undefined) components.push(component);
  }
  return { ...edits, components };
}

/** A folder with a kustomization (contract 12.4). */
export async function planKustomize(input: KustomizePlanInput, ports: KustomizePorts): Promise<Plan> {
  const { folder, reads, kustomize } = input;
  const chosen = await kustomizeOf(kustomize.version ?? '', input.settings, ports.builtIn);
  const options = parseBuildOptions(chosen.buildOptions, chosen.optionsKey);
  const edits = await withoutMissing(editsOf(kustomize, input.environment), input);
  const closure = await closureOf(
    reads.tree,
    { folder, extra: extraReferences(edits), loads: options.loads },
    ports.read,
  );
  const charts = options.helm ? await chartArguments(input, ports, chosen) : [];
  const paths = (list: readonly string[]) => () => Promise.resolve([{ ...reads, paths: list }]);
  const optional = kustomize.ignoreMissingComponents === true ? (kustomize.components ?? []) : [];
  return {
    sourceType: 'Kustomize',
    sees: { folder, edits, options: options.args, charts: charts.slice(1), program: chosen.fingerprint },
    candidates: [paths(closure.paths), paths([...closure.folders, ...closure.paths]), paths([''])],
    watched: [{ ...reads, paths: [...closure.paths, ...optional.flatMap((path) => relativeTo(folder, path) ?? [])] }],
    freshMs: options.helm && closure.pullsCharts ? input.chartsFreshMs : undefined,
    run: async (all, workspace, signal) => {
      const [root = ''] = await workspace.materialise();
      const unread = isEmpty(edits) ? undefined : await writeEdited(root, { input, edits }, ports.read);
      const starts = options.helm ? ports.helm.starts : [];
      const what = { program: chosen.program, starts, root, folder, args: [...options.args, ...charts], closure };
      const result = await build(what, { ports, workspace }, signal);
      if (unread === undefined || result.kind === 'failed') return result;
      const why = `${unread}: cannot be read, so what source.kustomize says cannot be added to it`;
      return { kind: 'failed', error: new CodedError('render/failed', why), missesFile: false };
    },
  };
}

/** What charts within a kustomization are rendered for. The first is the place of helm, which shapes no result. */
async function chartArguments(
  { kustomize, kubeVersion, apiVersions }: KustomizePlanInput,
  { helm, tellsCluster }: KustomizePorts,
  chosen: KustomizeProgram,
): Promise<readonly string[]> {
  // What is empty counts as left out.
  const { kubeVersion: ownVersion = '', apiVersions: own = [] } = kustomize;
  const version = ownVersion === '' ? kubeVersion : ownVersion;
  if (!(await tellsCluster(chosen))) return [`--helm-command=${helm.command}`];
  return [
    `--helm-command=${helm.command}`,
    ...(version === '' ? [] : [`--helm-kube-version=${version}`]),
    ...(own.length === 0 ? apiVersions : own).map((apiVersion) => `--helm-api-versions=${apiVersion}`),
  ];
}

/** Changes the kustomization; the path of one that could not be read, and so was not changed. */
async function writeEdited(
  root: string,
  { input, edits }: { input: KustomizePlanInput; edits: Edits },
  read: ReadDocument,
): Promise<string | undefined> {
  const { tree } = input.reads;
  const path = await kustomizationPath(tree, input.folder);
  if (path === undefined)
    throw new CodedError(
      'render/failed',
      `${input.folder || '.'}: source.kustomize is set, but there is no kustomization.yaml`,
    );
  const found = await tree.find(path);
  const kustomization: Kustomization | undefined =
    found === undefined ? undefined : await readKustomization(tree, { oid: found.entry.oid, path }, read);
  // What cannot be read is left as it is, for kustomize to say what is wrong with it.
  if (kustomization === undefined) return path;
  const file = join(root, path);
  // The file may be a link to another: it is replaced, not written through.
  await rm(file);
  await writeFile(file, stringifyYaml(applyEdits(kustomization, edits)), { flag: 'wx' });
  return undefined;
}

async function build(
  what: Readonly<{
    program: ToolCommand;
    starts: readonly string[];
    root: string;
    folder: string;
    args: readonly string[];
    closure: Closure;
  }>,
  { ports, workspace }: { ports: KustomizePorts; workspace: Workspace },
  signal: AbortSignal,
): Promise<PlanResult> {
  const result = await ports.run(
    {
      tool: 'kustomize',
      program: what.program,
      starts: what.starts,
      args: [...what.args, '--', join(what.root, what.folder)],
      cwd: what.root,
      // Charts are pulled to where the kustomization wants them.
      files: what.closure.pullsCharts ? 'write' : 'read',
      home: workspace.home,
      network: what.closure.pullsCharts ? 'allowed' : 'none',
    },
    signal,
  );
  if (result.kind === 'ok') return { kind: 'objects', ...(await ports.decoder.output(result.stdout, 'kustomize')) };
  const error = new CodedError('render/failed', `kustomize build ${what.folder || '.'} failed: ${result.message}`);
  return { kind: 'failed', error, missesFile: missesFile.test(result.message) };
}
