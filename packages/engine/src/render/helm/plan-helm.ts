import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  canonicalJson,
  CodedError,
  describeRepository,
  type HelmSource,
  isCoded,
  isRecord,
  messageOf,
  repositoryAlias,
  stringifyYaml,
} from '@tiphys/api';
import { type RepositoryAccess, scopeOf, withoutSecrets } from '../../git/read/repository-access.ts';
import type { BuildEnvironment } from '../build-environment.ts';
import type { Decoder, UntrustedText } from '../decode/decoder.ts';
import type { ReadDocument } from '../decode/documents.ts';
import { describeUrl, type HostTrust } from '@tiphys/remote';
import type { Plan, PlanResult, Workspace } from '../plan.ts';
import type { Reads } from '../read-set.ts';
import type { ToolResult, ToolRun } from '../tool.ts';
import type { ChartSeesApiVersions } from './api-versions.ts';
import { type NamedRepository, proxyOf, reasonOf, repositoryName, writeRepositories } from './chart-repository.ts';
import { type Dependencies, dependenciesOf } from './dependencies.ts';
import { type ChartLocation, type Download, type Inputs, layOut, type Layout } from './lay-out.ts';
import { fileArgument, parameterArguments, valuesArgument } from './parameters.ts';
import { isRefusal } from './refusal.ts';
import { registryAddress, registryArguments, registryError, writeRegistryLogins } from './registry.ts';
import { resolveFileParameter, resolveValueFiles, type ValueSources } from './value-files.ts';

export type HelmPorts = Readonly<{
  helm: string;
  run: (run: ToolRun, signal: AbortSignal) => Promise<ToolResult>;
  read: ReadDocument;
  seesApiVersions: ChartSeesApiVersions;
  decoder: Pick<Decoder, 'output' | 'document' | 'archive'>;
  download: Download;
}>;

export type HelmPlanInput = Readonly<{
  chart: ChartLocation;
  helm: HelmSource;
  refs: ReadonlyMap<string, Omit<Reads, 'paths'>>;
  environment: BuildEnvironment;
  schemes: readonly string[];
  releaseName: string;
  namespace: string;
  kubeVersion: string;
  apiVersions: readonly string[];
  /** How a chart repository that the chart depends on is reached. */
  access: (url: string) => RepositoryAccess;
  /** How long a result is used that hangs on a URL or on the newest version in a repository. */
  remoteFreshMs: number;
}>;

/** Everything that is known before the run. */
type Prepared = Readonly<{
  input: HelmPlanInput;
  ports: HelmPorts;
  inputs: Inputs;
  dependencies: Dependencies;
  /** The chart repositories among them. */
  repositories: readonly NamedRepository[];
  /** The OCI registries among them. */
  registries: readonly RepositoryAccess[];
  inline: string;
  args: readonly string[];
  /** Those of the source, else of the cluster. */
  apiVersions: readonly string[];
}>;

const missesDependency = /missing in charts\/? directory|missing these dependencies/i;
const missesFile = /no such file|not found|does not exist|cannot find/i;
const noDependencies: Dependencies = { folders: [], outside: [], repositories: [], local: true, pinned: true };

/** How the host of a value file is reached. */
const trustOf =
  ({ access }: HelmPlanInput) =>
  (url: string): HostTrust => {
    const { registeredHost = false, caPem } = access(url);
    return { registered: registeredHost, ...(caPem !== undefined && { caPem }) };
  };

const isOci = (url: string): boolean => url.startsWith('oci://');

const inlineValues = ({ values, valuesObject }: HelmSource): string =>
  valuesObject !== undefined && Object.keys(valuesObject).length > 0 ? stringifyYaml(valuesObject) : (values ?? '');

/** A text or list of a source; what is empty counts as left out, as everywhere in Argo CD. */
const given = <T extends string | readonly string[]>(value: T | undefined): T | undefined =>
  value === undefined || value.length === 0 ? undefined : value;

function settingArguments(input: HelmPlanInput): readonly string[] {
  const { helm } = input;
  const kubeVersion = given(helm.kubeVersion) ?? input.kubeVersion;
  return [
    `--name-template=${given(helm.releaseName) ?? input.releaseName}`,
    `--namespace=${given(helm.namespace) ?? input.namespace}`,
    ...(kubeVersion === '' ? [] : [`--kube-version=${kubeVersion}`]),
    ...parameterArguments(helm, input.environment),
    ...(helm.skipCrds === true ? [] : ['--include-crds']),
    ...(helm.skipSchemaValidation === true ? ['--skip-schema-validation'] : []),
    ...(helm.skipTests === true ? ['--skip-tests'] : []),
  ];
}

/** A chart in a repository or from a chart repository (contract 12.3). */
export async function planHelm(input: HelmPlanInput, ports: HelmPorts): Promise<Plan> {
  const { chart, helm, refs } = input;
  const sources: ValueSources = {
    chart: chart.kind === 'folder' ? { reads: chart.reads, folder: chart.folder } : undefined,
    refs,
    schemes: input.schemes,
    environment: input.environment,
  };
  const ignoreMissing = helm.ignoreMissingValueFiles ?? false;
  const { files: values, watched } = await resolveValueFiles(helm.valueFiles ?? [], { ignoreMissing, sources });
  const files = await Promise.all(
    (helm.fileParameters ?? []).map(async ({ name = '', path = '' }, index) => ({
      name,
      file: await resolveFileParameter(path, `source.helm.fileParameters[${index}]`, sources),
    })),
  );
  const inputs: Inputs = { values, files };
  const dependencies =
    chart.kind === 'folder' ? await dependenciesOf(chart.reads.tree, chart.folder, ports.read) : noDependencies;
  const prepared: Prepared = {
    input,
    ports,
    inputs,
    dependencies,
    repositories: dependencies.repositories
      .filter((url) => !isOci(url))
      .map((url, index) => ({ name: repositoryAlias(url) ?? repositoryName(index), access: input.access(url) })),
    registries: dependencies.repositories.filter(isOci).map(input.access),
    inline: inlineValues(helm),
    args: settingArguments(input),
    apiVersions: given(helm.apiVersions) ?? input.apiVersions,
  };
  const urls = [...values, ...files.map(({ file }) => file)].flatMap((file) => (file.kind === 'url' ? [file.url] : []));
  const reads = (paths: readonly string[]) => (): Promise<readonly Reads[]> =>
    Promise.resolve(readsOf(prepared, paths));
  const chartPaths = chart.kind === 'folder' ? [chart.folder, ...dependencies.folders] : [];
  return {
    sourceType: 'Helm',
    sees: {
      args: prepared.args,
      // A new kind in the cluster is no reason to render a chart again that cannot see it (sees-api-versions.ts).
      apiVersions: (await seesThoseOfCluster(prepared)) ? prepared.apiVersions : given(helm.apiVersions),
      inline: prepared.inline,
      inputs,
      chart: chart.kind === 'folder' ? chart.folder : [chart.scope, chart.name, chart.version, chart.maxBytes],
      // Nobody is given what another's credentials fetched.
      repositories: accessesOf(prepared).map(scopeOf),
      passCredentials: helm.passCredentials ?? false,
      hosts: urls.map((url) => canonicalJson(trustOf(input)(url))),
    },
    candidates: chart.kind === 'folder' ? [reads(chartPaths), reads([''])] : [reads([])],
    watched: [...readsOf(prepared, chartPaths), ...watched],
    freshMs: urls.length > 0 || !dependencies.pinned ? input.remoteFreshMs : undefined,
    run: (all, workspace, signal) => render(prepared, workspace, signal),
  };
}

/** Every repository and registry that the chart depends on. */
const accessesOf = ({ repositories, registries }: Pick<Prepared, 'repositories' | 'registries'>) => [
  ...repositories.map(({ access }) => access),
  ...registries,
];

/** Whether the API versions of the cluster may shape the result. */
async function seesThoseOfCluster({ input, dependencies, ports }: Prepared): Promise<boolean> {
  if (given(input.helm.apiVersions) !== undefined) return false;
  if (input.chart.kind === 'archive') return true;
  return ports.seesApiVersions({ tree: input.chart.reads.tree, folder: input.chart.folder, dependencies });
}

/** What is written out for a run: the chart's repository first, then those of the refs that are used, in their order. */
function readsOf({ input, inputs }: Prepared, chartPaths: readonly string[]): readonly Reads[] {
  const all = [...inputs.values, ...inputs.files.map(({ file }) => file)];
  const pathsIn = (repository: number): readonly string[] =>
    all.flatMap((file) => (file.kind === 'file' && file.repository === repository ? [file.path] : []));
  const own = input.chart.kind === 'folder' ? [{ ...input.chart.reads, paths: [...chartPaths, ...pathsIn(0)] }] : [];
  const refs = [...input.refs.values()].map((reads, index) => ({ ...reads, paths: pathsIn(index + 1) }));
  return [...own, ...refs.filter(({ paths }) => paths.length > 0)];
}

async function render(prepared: Prepared, workspace: Workspace, signal: AbortSignal): Promise<PlanResult> {
  const layout = await layOut(
    {
      ...prepared.input,
      inputs: prepared.inputs,
      decoder: prepared.ports.decoder,
      download: prepared.ports.download,
      trust: trustOf(prepared.input),
    },
    workspace,
    signal,
  );
  const first = await template(prepared, { layout, workspace }, signal);
  if (first.kind === 'ok') return objectsOf(first.stdout, prepared);
  if (prepared.input.chart.kind === 'folder' && missesDependency.test(first.message)) {
    await buildDependencies(prepared, { layout, workspace }, signal);
    const second = await template(prepared, { layout, workspace }, signal);
    return second.kind === 'ok' ? objectsOf(second.stdout, prepared) : failed(prepared, layout, second.message);
  }
  return failed(prepared, layout, first.message);
}

const objectsOf = async (stdout: Buffer, { ports }: Prepared): Promise<PlanResult> => ({
  kind: 'objects',
  ...(await ports.decoder.output(stdout, 'helm')),
});

type Run = Readonly<{ layout: Layout; workspace: Workspace }>;

async function template(prepared: Prepared, { layout, workspace }: Run, signal: AbortSignal): Promise<ToolResult> {
  const { inputs, inline, ports } = prepared;
  const values = layout.values.map((file) => layout.place(file));
  if (inline !== '') {
    const file = join(workspace.home, 'inline-values.yaml');
    await writeFile(file, inline);
    values.push(file);
  }
  const args = [
    'template',
    layout.chart,
    ...prepared.args,
    ...prepared.apiVersions.map((apiVersion) => `--api-versions=${apiVersion}`),
    ...values.map(valuesArgument),
    ...inputs.files.map(({ name, file }) => fileArgument(name, layout.place(file))),
  ];
  return ports.run(
    {
      tool: 'helm',
      program: { command: ports.helm, args: [] },
      args,
      cwd: layout.cwd,
      home: workspace.home,
      network: 'none',
    },
    signal,
  );
}

async function buildDependencies(prepared: Prepared, { layout, workspace }: Run, signal: AbortSignal): Promise<void> {
  const { ports, dependencies, repositories, registries } = prepared;
  const [outside] = dependencies.outside;
  if (outside !== undefined)
    throw new CodedError(
      'render/path-outside',
      `helm dependency build: the dependency "${outside}" leads out of the repository`,
    );
  const unknown = repositories.find(({ access }) => repositoryAlias(access.url) !== undefined);
  if (unknown !== undefined)
    throw new CodedError(
      'render/failed',
      `helm dependency build: the chart depends on "${unknown.access.url}", but no chart repository is registered under that name`,
    );
  const { home } = workspace;
  if (repositories.length > 0)
    await writeRepositories(home, repositories, prepared.input.helm.passCredentials ?? false);
  if (registries.length > 0) await writeRegistryLogins(home, registries);
  const run = (args: readonly string[]): Promise<ToolResult> =>
    ports.run(
      {
        tool: 'helm',
        program: { command: ports.helm, args: [] },
        args,
        cwd: layout.cwd,
        files: 'write',
        home,
        network: dependencies.repositories.length > 0 ? 'allowed' : 'none',
        env: Object.assign({}, ...accessesOf(prepared).map(proxyOf)) as Record<string, string>,
      },
      signal,
    );
  for (const { name, access } of repositories) {
    const updated = await run(['repo', 'update', name]);
    if (updated.kind === 'ok') continue;
    const why = withoutSecrets(reasonOf(updated), access);
    throw new CodedError(
      isRefusal(why) ? 'git/authentication' : 'git/unreachable',
      `helm dependency build: the chart repository ${describeRepository(access.url)} cannot be read: ${why}`,
    );
  }
  const refresh = repositories.length > 0 ? ['--skip-refresh'] : [];
  const built = await run(['dependency', 'build', '.', ...refresh, ...(await registryArguments(home, registries))]);
  if (built.kind === 'failed') throw buildError(built.message, prepared);
}

/** Why a build of dependencies failed. The repositories were asked before; so it is the chart, or a registry that it names. */
function buildError(message: string, prepared: Prepared): CodedError {
  const why = accessesOf(prepared).reduce((text, one) => withoutSecrets(text, one), message);
  // Helm names the host that it asked.
  const asked = prepared.registries.find(({ url }) => message.includes(registryAddress(url)?.host ?? url));
  const code = asked === undefined ? 'render/failed' : registryError(asked, message).code;
  return new CodedError(code, `helm dependency build failed: ${why}`);
}

/** What went wrong: values that are no mapping are found out here, since Helm says so only in its own terms. */
async function failed(prepared: Prepared, layout: Layout, message: string): Promise<PlanResult> {
  const { input, inline } = prepared;
  if (/unmarshal|parse/i.test(message)) {
    const files = layout.values.map((file) => ({
      name: file.kind === 'url' ? describeUrl(new URL(file.url)) : file.path,
      path: layout.place(file),
    }));
    const none = Buffer.from('');
    for (const { name, path } of files)
      await requireMap({ name, content: await readFile(path).catch(() => none) }, prepared);
    await requireMap({ name: 'source.helm.values', content: Buffer.from(inline, 'utf8') }, prepared);
  }
  const chart =
    input.chart.kind === 'folder' ? input.chart.folder || '.' : `${input.chart.name} ${input.chart.version}`;
  const error = new CodedError('render/failed', `helm template ${chart} failed: ${message}`);
  return { kind: 'failed', error, missesFile: missesFile.test(message) };
}

/** @throws CodedError render/values-not-a-map, render/failed naming the file */
async function requireMap(text: UntrustedText, { ports }: Prepared): Promise<void> {
  const values = await ports.decoder.document(text).catch((error: unknown) => {
    if (!isCoded(error, 'api/invalid-yaml')) throw error;
    throw new CodedError('render/failed', messageOf(error), { cause: error });
  });
  if (values === null || isRecord(values)) return;
  throw new CodedError('render/values-not-a-map', `${text.name}: the values must be a mapping of names to values`);
}
