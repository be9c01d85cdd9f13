import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, describeRepository, stringifyYaml } from '@tiphys/api';
import { highestVersion, parseVersion, parseVersionRange } from '@tiphys/language';
import { LRUCache } from 'lru-cache';
import { type RepositoryAccess, scopeOf, withoutSecrets } from '../../git/read/repository-access.ts';
import type { Decoder } from '../decode/decoder.ts';
import type { ToolCommand, ToolResult, ToolRun } from '../tool.ts';

/** What pulling charts needs. */
export type ChartPorts = Readonly<{
  helm: string;
  run: (run: ToolRun, signal: AbortSignal) => Promise<ToolResult>;
  decoder: Pick<Decoder, 'chartVersions'>;
  /** Milliseconds. */
  now: () => number;
}>;

export type ChartSettings = Readonly<{
  /** Folder of pulled charts. */
  dir: string;
  /** Folder in which each run has one of its own. */
  runsDir: string;
  indexMs: number;
  maxIndexBytes: number;
  maxChartBytes: number;
  maxCharts: number;
}>;

/** One version of a chart. */
export type ChartVersion = Readonly<{
  name: string;
  version: string;
  anew?: boolean | undefined;
  /** The repository's credentials are also for the host that its index sends us to. */
  passCredentials: boolean;
}>;

/** Charts of chart repositories (contract 12.3), pulled by Helm with configuration of its own for each run. */
export interface ChartRepositories {
  /**
   * The version that a revision stands for: an exact one is itself; '', `*` and ranges are looked up in the index, which with `anew`
   * is read again.
   */
  resolve(
    repo: RepositoryAccess,
    chart: Readonly<{ name: string; revision: string; anew?: boolean | undefined }>,
    signal: AbortSignal,
  ): Promise<string>;
  /** The archive of one version, pulled once, and with `anew` again: a repository may have replaced it. */
  pull(repo: RepositoryAccess, chart: ChartVersion, signal: AbortSignal): Promise<string>;
}

/** One entry of Helm's `repositories.yaml`, with the files it names. Only the run that it is for can read it. */
export async function writeRepositories(
  home: string,
  repositories: readonly RepositoryAccess[],
  passCredentials = false,
): Promise<void> {
  const config = join(home, 'helm', 'config');
  await mkdir(config, { recursive: true, mode: 0o700 });
  const secretFile = async (name: string, content: string): Promise<string> => {
    await writeFile(join(config, name), content, { mode: 0o600 });
    return join(config, name);
  };
  const entries = await Promise.all(
    repositories.map(async ({ url, credentials = {}, caPem, insecure = false }, index) => ({
      name: repositoryName(index),
      url,
      username: credentials.username ?? '',
      password: credentials.password ?? '',
      certFile:
        credentials.tlsClientCertData === undefined
          ? ''
          : await secretFile(`${index}.crt`, credentials.tlsClientCertData),
      keyFile:
        credentials.tlsClientCertKey === undefined
          ? ''
          : await secretFile(`${index}.key`, credentials.tlsClientCertKey),
      caFile: caPem === undefined ? '' : await secretFile(`${index}.ca`, caPem),
      insecure_skip_tls_verify: insecure,
      pass_credentials_all: passCredentials,
    })),
  );
  await writeFile(join(config, 'repositories.yaml'), stringifyYaml({ apiVersion: '', repositories: entries }), {
    mode: 0o600,
  });
}

export const repositoryName = (index: number): string => `repository-${index}`;

/** Proxy settings of a repository as the variables that Helm reads. */
export const proxyOf = ({ proxy, noProxy }: RepositoryAccess): Record<string, string> => ({
  ...(proxy !== undefined && proxy !== '' && { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }),
  ...(noProxy !== undefined && noProxy !== '' && { NO_PROXY: noProxy }),
});

function checkUrl(repo: RepositoryAccess): void {
  if (/^https?:\/\//.test(repo.url)) return;
  const name = describeRepository(repo.url);
  if (/^oci:\/\//.test(repo.url))
    throw new CodedError('render/unsupported', `${name}: charts from OCI registries are not supported yet`);
  throw new CodedError('git/url-invalid', `${name}: a chart repository has an http or https URL`);
}

class Charts implements ChartRepositories {
  readonly #ports: ChartPorts;
  readonly #settings: ChartSettings;
  readonly #versions = new LRUCache<string, { atMs: number; versions: ReadonlyMap<string, readonly string[]> }>({
    max: 100,
  });
  readonly #pulling = new Map<string, Promise<string>>();

  constructor(ports: ChartPorts, settings: ChartSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  async resolve(
    repo: RepositoryAccess,
    chart: { name: string; revision: string; anew?: boolean | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    const { revision, name, anew = false } = chart;
    if (parseVersion(revision) !== undefined) return revision;
    const range = parseVersionRange(revision === '' ? '*' : revision);
    const versions = (await this.#index(repo, anew, signal)).get(name);
    const where = describeRepository(repo.url);
    if (versions === undefined) throw new CodedError('git/revision-not-found', `${where}: there is no chart "${name}"`);
    const found = highestVersion(range, versions);
    if (found === undefined)
      throw new CodedError('git/revision-not-found', `${where}: no version of the chart "${name}" is in "${revision}"`);
    return found;
  }

  pull(repo: RepositoryAccess, chart: ChartVersion, signal: AbortSignal): Promise<string> {
    const id = createHash('sha256')
      .update([scopeOf(repo), chart.name, chart.version, String(chart.passCredentials)].join('\0'))
      .digest('hex')
      .slice(0, 32);
    const run = chart.anew === true ? `${id} anew` : id;
    const pulling =
      this.#pulling.get(run) ?? this.#pull(id, { repo, chart }, signal).finally(() => this.#pulling.delete(run));
    this.#pulling.set(run, pulling);
    return pulling;
  }

  async #pull(id: string, what: { repo: RepositoryAccess; chart: ChartVersion }, signal: AbortSignal): Promise<string> {
    const { dir, maxChartBytes } = this.#settings;
    const archive = join(dir, `${id}.tgz`);
    if (
      what.chart.anew !== true &&
      (await stat(archive).then(
        () => true,
        () => false,
      ))
    )
      return archive;
    const { repo, chart } = what;
    return this.#withRepository(
      { repo, passCredentials: chart.passCredentials },
      async (home, run) => {
        const target = join(home, 'pulled');
        await mkdir(target);
        await run(
          ['pull', `${repositoryName(0)}/${chart.name}`, `--version=${chart.version}`, `--destination=${target}`],
          signal,
        );
        const [file] = await readdir(target);
        const name = `${describeRepository(repo.url)}: chart "${chart.name}" ${chart.version}`;
        if (file === undefined) throw new CodedError('git/revision-not-found', `${name} was not found`);
        if ((await stat(join(target, file))).size > maxChartBytes)
          throw new CodedError('git/too-large', `${name} is larger than ${maxChartBytes} bytes`);
        await rename(join(target, file), archive);
        await this.#trim();
        return archive;
      },
      signal,
    );
  }

  /** Keeps the newest archives. */
  async #trim(): Promise<void> {
    const { dir, maxCharts } = this.#settings;
    const names = (await readdir(dir)).filter((name) => name.endsWith('.tgz'));
    if (names.length <= maxCharts) return;
    const aged = await Promise.all(names.map(async (name) => ({ name, atMs: (await stat(join(dir, name))).mtimeMs })));
    aged.sort((a, b) => a.atMs - b.atMs);
    await Promise.all(aged.slice(0, names.length - maxCharts).map(({ name }) => rm(join(dir, name), { force: true })));
  }

  async #index(
    repo: RepositoryAccess,
    anew: boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const scope = scopeOf(repo);
    const known = this.#versions.get(scope);
    if (!anew && known !== undefined && this.#ports.now() - known.atMs < this.#settings.indexMs) return known.versions;
    const versions = await this.#withRepository(
      { repo, passCredentials: false },
      (home) => this.#readIndex(join(home, 'helm', 'cache', 'repository', `${repositoryName(0)}-index.yaml`), repo),
      signal,
    );
    this.#versions.set(scope, { atMs: this.#ports.now(), versions });
    return versions;
  }

  async #readIndex(file: string, repo: RepositoryAccess): Promise<ReadonlyMap<string, readonly string[]>> {
    const { maxIndexBytes } = this.#settings;
    const { size } = await stat(file);
    if (size > maxIndexBytes)
      throw new CodedError(
        'git/too-large',
        `${describeRepository(repo.url)}: the index is larger than ${maxIndexBytes} bytes`,
      );
    const name = `${describeRepository(repo.url)}/index.yaml`;
    return this.#ports.decoder.chartVersions({ name, content: await readFile(file) });
  }

  /** Runs Helm with one repository whose index was just read, in a folder that is gone afterwards. */
  async #withRepository<T>(
    { repo, passCredentials }: Readonly<{ repo: RepositoryAccess; passCredentials: boolean }>,
    use: (home: string, run: (args: readonly string[], signal: AbortSignal) => Promise<void>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    checkUrl(repo);
    const root = join(this.#settings.runsDir, randomUUID());
    const home = join(root, 'home');
    await mkdir(join(home, 'tmp'), { recursive: true, mode: 0o700 });
    const program: ToolCommand = { command: this.#ports.helm, args: [] };
    const run = async (args: readonly string[], stop: AbortSignal): Promise<void> => {
      const result = await this.#ports.run(
        { tool: 'helm', program, args, cwd: home, home, network: 'allowed', env: proxyOf(repo) },
        stop,
      );
      if (result.kind === 'failed') throw chartError(repo, reasonOf(result));
    };
    try {
      await writeRepositories(home, [repo], passCredentials);
      await run(['repo', 'update', repositoryName(0)], signal);
      return await use(home, run);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }
}

/** Why an update of repositories failed: the reason stands among what Helm prints as it goes on, indented. */
export function reasonOf({ message, stdout }: Extract<ToolResult, { kind: 'failed' }>): string {
  const reasons = stdout.split('\n').filter((line) => line.startsWith('\t'));
  return reasons.length === 0 ? message : reasons.map((line) => line.trim()).join('; ');
}

/** Whether a repository refused us, rather than being away. */
export const isRefusal = (message: string): boolean => /\b40[13]\b|unauthorized|forbidden/i.test(message);

function chartError(repo: RepositoryAccess, message: string): CodedError {
  const text = `${describeRepository(repo.url)}: ${withoutSecrets(message, repo)}`;
  if (isRefusal(message)) return new CodedError('git/authentication', text);
  if (/not found|no chart version/i.test(message) && !/index\.yaml|lookup/.test(message))
    return new CodedError('git/revision-not-found', text);
  return new CodedError('git/unreachable', text);
}

/** Opens the chart repositories, with a folder for pulled charts. */
export async function openChartRepositories(ports: ChartPorts, settings: ChartSettings): Promise<ChartRepositories> {
  await mkdir(settings.dir, { recursive: true, mode: 0o700 });
  return new Charts(ports, settings);
}
