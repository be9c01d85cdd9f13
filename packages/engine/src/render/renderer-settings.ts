import { tmpdir } from 'node:os';
import type { DecodeSettings } from './decode/decoder.ts';
import type { DownloadLimits } from '@tiphys/remote';

/** Limits of rendering. Times in milliseconds, sizes in bytes. */
export type RendererSettings = Readonly<{
  /** Folder for private folders of runs, emptied at start, and for pulled charts. */
  workDir: string;
  /** Deadline of one run of a tool (ARGOCD_EXEC_TIMEOUT). */
  timeoutMs: number;
  /**
   * What a run finds in its folder: only what it is presumed to read, or the whole tree, which is slower and makes every commit a
   * reason to render anew.
   */
  readSets: 'presumed' | 'whole-tree';
  /** How many tools run at once. */
  parallelism: number;
  /** What a tool may print. */
  maxOutputBytes: number;
  cacheBytes: number;
  /** How long a failure that only a change can mend is remembered. */
  failureMs: number;
  /** How long a failure that may pass by itself (a chart repository that does not answer) is remembered. */
  passingFailureMs: number;
  /** How long a result is used that hangs on a URL or on the newest version in a chart repository. */
  remoteFreshMs: number;
  /** How long the index of a chart repository is used. */
  indexMs: number;
  maxIndexBytes: number;
  maxChartBytes: number;
  maxCharts: number;
  /** Deadline and size of a value file that is fetched from a URL. */
  downloads: DownloadLimits;
  /** Address space of one run of a tool. */
  maxMemoryBytes: number;
  /** Reading of untrusted text; see decode/decoder.ts. */
  decode: Omit<DecodeSettings, 'invocation' | 'path'>;
  /** Folders that no tool may see where the host allows no root of its own for it. */
  hiddenPaths: readonly string[];
  /** User that tools run as where this program is root and there are no namespaces. */
  uid: number;
  /** PATH of `unshare`, `sh` and `mount`. */
  path: string;
  /**
   * The environment that git has: what it says of proxies (`HTTPS_PROXY`, `NO_PROXY`) and trusted certificates (`SSL_CERT_FILE`) counts
   * for runs that use the network, too. What a repository's own settings say comes before.
   */
  networkEnvironment: Readonly<Record<string, string>>;
}>;

const mebibyte = 1024 * 1024;

export const rendererDefaults: RendererSettings = {
  workDir: `${tmpdir()}/tiphys-render`,
  timeoutMs: 90_000,
  readSets: 'presumed',
  parallelism: 4,
  maxOutputBytes: 64 * mebibyte,
  cacheBytes: 128 * mebibyte,
  failureMs: 3_600_000,
  passingFailureMs: 10_000,
  remoteFreshMs: 180_000,
  indexMs: 180_000,
  maxIndexBytes: 1024 * mebibyte,
  maxChartBytes: 100 * mebibyte,
  maxCharts: 500,
  downloads: { timeoutMs: 20_000, maxBytes: 10 * mebibyte },
  maxMemoryBytes: 4096 * mebibyte,
  decode: {
    timeoutMs: 30_000,
    indexTimeoutMs: 120_000,
    maxHeapBytes: 1024 * mebibyte,
    maxAnswerBytes: 128 * mebibyte,
    maxObjectBytes: 16 * mebibyte,
    maxDocumentBytes: 10 * mebibyte,
    maxWorkers: 2,
    busyMs: 100,
    idleMs: 60_000,
    maxCpuMs: 600_000,
    maxRestingBytes: 384 * mebibyte,
  },
  hiddenPaths: ['/var/run/secrets', '/run/secrets'],
  uid: 65_533,
  path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  networkEnvironment: {},
};
