import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, describeRepository, within } from '@tiphys/api';
import { parseVersion, parseVersionRange } from '@tiphys/language';
import { LRUCache } from 'lru-cache';
import { type RepositoryAccess, scopeOf } from '../../git/read/repository-access.ts';
import type { ChartArchives, ChartVersion } from './chart-archives.ts';
import { proxyOf } from './chart-repository.ts';
import type { ChartPorts, ChartRepositories, ChartSettings, WantedVersion } from './charts.ts';
import { withHelm } from './helm-run.ts';
import { chartReference, versionOfArchive, registryArguments, registryError, writeRegistryLogins } from './registry.ts';

/** Helm makes room for what a registry says that a chart is long, before it has seen any of it. A chart may be 100 MiB. */
const maxMemoryBytes = 1536 * 1024 * 1024;

type Pulled = Readonly<{ version: string; archive: string }>;

/**
 * Charts of OCI registries. Helm looks a range up among the tags and pulls what it finds, in one run: the version that a range stands
 * for costs one pull, and no second one to render it.
 */
export class RegistryCharts implements ChartRepositories {
  readonly #ports: ChartPorts;
  readonly #settings: ChartSettings;
  readonly #archives: ChartArchives;
  readonly #resolved = new LRUCache<string, { atMs: number; version: string }>({ max: 1000 });
  readonly #resolving = new Map<string, Promise<string>>();

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
    const range = parseVersionRange(revision === '' || revision === 'HEAD' ? '*' : revision).text;
    const key = [scopeOf(repo), name, range].join('\0');
    const known = this.#resolved.get(key);
    if (!anew && known !== undefined && this.#ports.now() - known.atMs < this.#settings.indexMs) return known.version;
    const run = anew ? `${key} anew` : key;
    const resolving =
      this.#resolving.get(run) ?? this.#resolve(repo, { name, range, key }).finally(() => this.#resolving.delete(run));
    this.#resolving.set(run, resolving);
    return within(resolving, signal);
  }

  pull(repo: RepositoryAccess, chart: ChartVersion, signal: AbortSignal): Promise<string> {
    const { name, version } = chart;
    return this.#archives.get({ repo, chart: without(chart) }, async () => {
      const { archive } = await this.#pull(repo, { name, version }, signal);
      return archive;
    });
  }

  /** Belongs to all who wait for it: the signal of one of them does not end it. */
  async #resolve(
    repo: RepositoryAccess,
    { name, range, key }: Readonly<{ name: string; range: string; key: string }>,
  ): Promise<string> {
    const { version } = await this.#pull(repo, { name, version: range }, this.#ports.closing);
    this.#resolved.set(key, { atMs: this.#ports.now(), version });
    return version;
  }

  /** Pulls the newest version of a range, with what is registered for this registry and nothing else. */
  #pull(
    repo: RepositoryAccess,
    chart: Readonly<{ name: string; version: string }>,
    signal: AbortSignal,
  ): Promise<Pulled> {
    const { name, version: wanted } = chart;
    const reference = chartReference(repo, name);
    const { runsDir } = this.#settings;
    return withHelm(this.#ports, { runsDir, env: proxyOf(repo), maxMemoryBytes }, async (home, helm) => {
      await writeRegistryLogins(home, [repo]);
      const target = join(home, 'pulled');
      await mkdir(target);
      const transport = await registryArguments(home, [repo]);
      const args = ['pull', reference, `--version=${wanted}`, `--destination=${target}`, ...transport];
      const result = await helm(args, signal);
      if (result.kind === 'failed') throw registryError(repo, `chart "${name}" ${wanted}: ${result.message}`);
      const [file = ''] = await readdir(target);
      const version = versionOfArchive(file, name);
      if (version === undefined)
        throw new CodedError('render/failed', `${describeRepository(repo.url)}: helm pulled no chart`);
      // An exact version is kept under the name that it was asked for by: `v1.0.0` stays that.
      const kept = parseVersion(wanted) === undefined ? version : wanted;
      const archive = await this.#archives.keep({ repo, chart: without({ name, version: kept }) }, target);
      return { version: kept, archive };
    });
  }
}

/** Credentials of a registry are for its own host only, whatever a source says. */
const without = (chart: Omit<ChartVersion, 'passCredentials'>): ChartVersion => ({ ...chart, passCredentials: false });
