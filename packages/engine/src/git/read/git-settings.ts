/** Where and how git runs. Times in milliseconds, sizes in bytes. */
export type GitSettings = Readonly<{
  /** Folder of the object stores; only one process uses it at a time. */
  dataDir: string;
  /** The git program. */
  command: string;
  /** PATH of git and of ssh below it. */
  path: string;
  /** Further variables for git: the system's proxies, certificate folders, SSH_AUTH_SOCK. */
  environment: Readonly<Record<string, string>>;
  schemes: readonly ('https' | 'http' | 'ssh' | 'file')[];
  /** Deadline of a question to a remote (ARGOCD_GIT_REQUEST_TIMEOUT). */
  requestTimeoutMs: number;
  fetchTimeoutMs: number;
  /** How long refs that were read answer `cached` questions. */
  refsMs: number;
  /** How long a remote that could not be read is not asked again for `cached` questions; never longer than `refsMs`. */
  failureMs: number;
  maxRepositoryBytes: number;
  maxBlobBytes: number;
  /** Files of one materialised or walked set. */
  maxTreeEntries: number;
  /** All files of one materialised set together. */
  maxTreeBytes: number;
  /** Memory for blobs that were read. */
  blobCacheBytes: number;
  /** Memory for tree listings, in entries. */
  treeCacheEntries: number;
  /** `git cat-file` of a repository nobody asks about ends after this. */
  idleMs: number;
}>;

const mebibyte = 1024 * 1024;

export const gitDefaults: Omit<GitSettings, 'dataDir'> = {
  command: 'git',
  path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  environment: {},
  schemes: ['https', 'http', 'ssh', 'file'],
  requestTimeoutMs: 15_000,
  fetchTimeoutMs: 600_000,
  refsMs: 180_000,
  failureMs: 10_000,
  maxRepositoryBytes: 10_240 * mebibyte,
  maxBlobBytes: 100 * mebibyte,
  maxTreeEntries: 200_000,
  maxTreeBytes: 1024 * mebibyte,
  blobCacheBytes: 64 * mebibyte,
  treeCacheEntries: 500_000,
  idleMs: 60_000,
};
