import type { RepositoryAccess } from '../../git/read/repository-access.ts';
import type { Decoder } from '../decode/decoder.ts';
import type { ArchiveSettings, ChartVersion } from './chart-archives.ts';
import type { HelmRunPorts } from './helm-run.ts';

/** What pulling charts needs. */
export type ChartPorts = HelmRunPorts &
  Readonly<{
    decoder: Pick<Decoder, 'chartVersions'>;
    /** Milliseconds. */
    now: () => number;
    /** Ends what is under way for several callers at once. */
    closing: AbortSignal;
  }>;

export type ChartSettings = ArchiveSettings &
  Readonly<{
    /** Folder in which each run has one of its own. */
    runsDir: string;
    indexMs: number;
    maxIndexBytes: number;
  }>;

/** A chart, and the revision that a source asks for. */
export type WantedVersion = Readonly<{ name: string; revision: string; anew?: boolean | undefined }>;

/** Charts of chart repositories and registries (contract 12.3), pulled by Helm with configuration of its own for each run. */
export interface ChartRepositories {
  /**
   * The version that a revision stands for: '', `*` and ranges are looked up in the index or among the tags, which with `anew` are
   * read again. An exact one is itself, and nobody is asked (open-charts.ts).
   */
  resolve(repo: RepositoryAccess, chart: WantedVersion, signal: AbortSignal): Promise<string>;
  /** The archive of one version, pulled once, and with `anew` again: a repository may have replaced it. */
  pull(repo: RepositoryAccess, chart: ChartVersion, signal: AbortSignal): Promise<string>;
}
