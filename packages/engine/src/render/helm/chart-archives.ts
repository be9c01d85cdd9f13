import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CodedError, describeRepository } from '@tiphys/api';
import { type RepositoryAccess, scopeOf } from '../../git/read/repository-access.ts';

/** One version of a chart. */
export type ChartVersion = Readonly<{
  name: string;
  version: string;
  anew?: boolean | undefined;
  /** The repository's credentials are also for the host that its index sends us to. */
  passCredentials: boolean;
}>;

export type ArchiveSettings = Readonly<{
  /** Folder of pulled charts. */
  dir: string;
  maxChartBytes: number;
  maxCharts: number;
}>;

type Wanted = Readonly<{ repo: RepositoryAccess; chart: ChartVersion }>;

const idOf = ({ repo, chart }: Wanted): string =>
  createHash('sha256')
    .update([scopeOf(repo), chart.name, chart.version, String(chart.passCredentials)].join('\0'))
    .digest('hex')
    .slice(0, 32);

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Archives of charts on disk, each pulled once for all who want it. */
export class ChartArchives {
  readonly #settings: ArchiveSettings;
  readonly #pulling = new Map<string, Promise<string>>();

  constructor(settings: ArchiveSettings) {
    this.#settings = settings;
  }

  /** The archive, when it is there and not wanted anew; else what `pull` says it kept. */
  get(wanted: Wanted, pull: () => Promise<string>): Promise<string> {
    const id = idOf(wanted);
    const archive = join(this.#settings.dir, `${id}.tgz`);
    const anew = wanted.chart.anew === true;
    const run = anew ? `${id} anew` : id;
    const find = async (): Promise<string> => (!anew && (await exists(archive)) ? archive : pull());
    const pulling = this.#pulling.get(run) ?? find().finally(() => this.#pulling.delete(run));
    this.#pulling.set(run, pulling);
    return pulling;
  }

  /**
   * Takes the one file of a folder for the archive of a chart.
   * @throws CodedError git/revision-not-found when there is none, git/too-large
   */
  async keep(wanted: Wanted, folder: string): Promise<string> {
    const { dir, maxChartBytes } = this.#settings;
    const { repo, chart } = wanted;
    const name = `${describeRepository(repo.url)}: chart "${chart.name}" ${chart.version}`;
    const [file] = await readdir(folder);
    if (file === undefined) throw new CodedError('git/revision-not-found', `${name} was not found`);
    const { size } = await stat(join(folder, file));
    if (size > maxChartBytes) throw new CodedError('git/too-large', `${name} is larger than ${maxChartBytes} bytes`);
    const archive = join(dir, `${idOf(wanted)}.tgz`);
    await rename(join(folder, file), archive);
    await this.#trim();
    return archive;
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
}

/** The most that a byte of a gzip stream can stand for. */
const maxRatio = 1032;

/**
 * Refuses an archive that unpacks to more than it may (`reposerver.helm.manifest.max.extracted.size`). Nothing is kept of it: Helm
 * itself reads the archive, within limits of its own.
 * @throws CodedError git/too-large
 */
export async function requireUnpackedSize(archive: string, maxBytes: number, name: string): Promise<void> {
  if ((await stat(archive)).size * maxRatio <= maxBytes) return;
  let bytes = 0;
  const count = async (unpacked: AsyncIterable<Buffer>): Promise<void> => {
    for await (const { length } of unpacked) {
      bytes += length;
      if (bytes > maxBytes) return;
    }
  };
  // As one: who stops reading early closes the file, too, and a file that cannot be read ends the count and nothing else.
  // What is no archive is for Helm to tell.
  await pipeline(createReadStream(archive), createGunzip(), count).catch(() => undefined);
  if (bytes > maxBytes)
    throw new CodedError(
      'git/too-large',
      `${name} unpacks to more than ${maxBytes} bytes (reposerver.helm.manifest.max.extracted.size)`,
    );
}
