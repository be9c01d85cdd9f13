import { mkdir } from 'node:fs/promises';
import { parseVersion } from '@tiphys/language';
import type { RepositoryAccess } from '../../git/read/repository-access.ts';
import { ChartArchives } from './chart-archives.ts';
import { IndexedCharts } from './chart-repository.ts';
import type { ChartPorts, ChartRepositories, ChartSettings } from './charts.ts';
import { RegistryCharts } from './registry-charts.ts';
import { isRegistry } from './registry.ts';

/** Opens the chart repositories, with a folder for pulled charts. */
export async function openChartRepositories(ports: ChartPorts, settings: ChartSettings): Promise<ChartRepositories> {
  await mkdir(settings.dir, { recursive: true, mode: 0o700 });
  const archives = new ChartArchives(settings);
  const indexed = new IndexedCharts(ports, settings, archives);
  const registries = new RegistryCharts(ports, settings, archives);
  // A URL that is wrong is told like any other failure, by the promise.
  const chartsOf = async (repo: RepositoryAccess): Promise<ChartRepositories> =>
    Promise.resolve(isRegistry(repo) ? registries : indexed);
  return {
    resolve: async (repo, chart, signal) => {
      const charts = await chartsOf(repo);
      return parseVersion(chart.revision) === undefined ? charts.resolve(repo, chart, signal) : chart.revision;
    },
    pull: async (repo, chart, signal) => (await chartsOf(repo)).pull(repo, chart, signal),
  };
}
