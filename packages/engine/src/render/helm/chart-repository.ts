import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, describeRepository, stringifyYaml } from '@tiphys/api';
import { highestVersion, parseVersionRange } from '@tiphys/language';
import { LRUCache } from 'lru-cache';
import { type RepositoryAccess, scopeOf, withoutSecrets } from '../../git/read/repository-access.ts';
import type { ToolResult } from '../tool.ts';
import type { ChartArchives, ChartVersion } from './chart-archives.ts';
import type { ChartPorts, ChartRepositories, ChartSettings, WantedVersion } from './charts.ts';
import { type HelmRun, withHelm } from './helm-run.ts';
import { isRefusal } from './refusal.ts';

/** A chart repository, and what Helm is to call it. */
export type NamedRepository = Readonly<{ name: string; access: RepositoryAccess }>;

/** One entry of Helm's `repositories.yaml`, with the files it names. Only the run that it is for can read it. */
export async function writeRepositories(
  home: string,
  repositories: readonly NamedRepository[],
  passCredentials = false,
): Promise<void> {
  const config = join(home, 'helm', 'config');
  await mkdir(config, { recursive: true, mode: 0o700 });
  const secretFile = async (name: string, content: string): Promise<string> => {
    await writeFile(join(config, name), content, { mode: 0o600 });
    return join(config, name);
  };
  const entries = await Promise.all(
    repositories.map(async ({ name, access: { url, credentials = {}, caPem, insecure = false } }, index) => ({
      name,
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
  // In both ways to write them: what the installation says may be in either.
  ...(proxy !== undefined && proxy !== '' && both({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy })),
  ...(noProxy !== undefined && noProxy !== '' && both({ NO_PROXY: noProxy })),
});

const both = (variables: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );

function checkUrl(repo: RepositoryAccess): void {
  if (/^https?:\/\//.test(repo.url)) return;
  throw new CodedError(
    'git/url-invalid',
    `${describeRepository(repo.url)}: a chart repository has an http or https URL, a registry one without a scheme`,
  );
}

/** Charts of repositories with an index. */
export class IndexedCharts implements ChartRepositories {
  readonly #ports: ChartPorts;
  readonly #settings: ChartSettings;
  readonly #archives: ChartArchives;
  readonly #versions = new LRUCache<string, { atMs: number; versions: ReadonlyMap<string, readonly string[]> }>({
    max: 100,
  });

  constructor(ports: ChartPorts, settings: ChartSettings, archives: ChartArchives) {
    this.#ports = ports;
    this.#settings = settings;
    this.#archives = archives;
  }

  async resolve(
    repo: RepositoryAccess,
    { revision, name, anew = false }: WantedVersion,
    signal: AbortSignal,
  ): Promise<string> {
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
    const { name, version, passCredentials } = chart;
    return this.#archives.get({ repo, chart }, () =>
      this.#withRepository({ repo, passCredentials }, signal, async (home, run) => {
        const target = join(home, 'pulled');
        await mkdir(target);
        await run(['pull', `${repositoryName(0)}/${name}`, `--version=${version}`, `--destination=${target}`]);
        return this.#archives.keep({ repo, chart }, target);
      }),
    );
  }

  async #index(
    repo: RepositoryAccess,
    anew: boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const scope = scopeOf(repo);
    const known = this.#versions.get(scope);
    if (!anew && known !== undefined && this.#ports.now() - known.atMs < this.#settings.indexMs) return known.versions;
    const versions = await this.#withRepository({ repo, passCredentials: false }, signal, (home) =>
      this.#readIndex(join(home, 'helm', 'cache', 'repository', `${repositoryName(0)}-index.yaml`), repo),
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
  #withRepository<T>(
    { repo, passCredentials }: Readonly<{ repo: RepositoryAccess; passCredentials: boolean }>,
    signal: AbortSignal,
    use: (home: string, run: (args: readonly string[]) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    checkUrl(repo);
    return withHelm(
      this.#ports,
      { runsDir: this.#settings.runsDir, env: proxyOf(repo) },
      async (home, helm: HelmRun) => {
        const run = async (args: readonly string[]): Promise<void> => {
          const result = await helm(args, signal);
          if (result.kind === 'failed') throw chartError(repo, reasonOf(result));
        };
        await writeRepositories(home, [{ name: repositoryName(0), access: repo }], passCredentials);
        await run(['repo', 'update', repositoryName(0)]);
        return use(home, run);
      },
    );
  }
}

/** Why an update of repositories failed: the reason stands among what Helm prints as it goes on, indented. */
export function reasonOf({ message, stdout }: Extract<ToolResult, { kind: 'failed' }>): string {
  const reasons = stdout.split('\n').filter((line) => line.startsWith('\t'));
  return reasons.length === 0 ? message : reasons.map((line) => line.trim()).join('; ');
}

function chartError(repo: RepositoryAccess, message: string): CodedError {
  const text = `${describeRepository(repo.url)}: ${withoutSecrets(message, repo)}`;
  if (isRefusal(message)) return new CodedError('git/authentication', text);
  if (/not found|no chart version/i.test(message) && !/index\.yaml|lookup/.test(message))
    return new CodedError('git/revision-not-found', text);
  return new CodedError('git/unreachable', text);
}
