import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { CodedError, messageOf } from '@tiphys/api';

/** A folder of this machine as a commit, so that it is rendered just as a repository would be. */
export type Snapshot = Readonly<{ repoURL: string; commit: string; path: string }>;

export type SnapshotRequest = Readonly<{
  directory: string;
  /** Root of the files that may be used; the repository that the folder lies in when absent. */
  root?: string | undefined;
  /** An empty folder to work in. */
  workDir: string;
  /** PATH of git. */
  path: string;
  signal: AbortSignal;
}>;

const run = promisify(execFile);
const timeoutMs = 60_000;
const maxBuffer = 64 * 1024 * 1024;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The folder that holds `.git`, from a folder upwards; the folder itself when there is none. */
async function rootOf(directory: string): Promise<string> {
  for (let here = directory; ; here = dirname(here)) {
    if (await exists(join(here, '.git'))) return here;
    if (dirname(here) === here) return directory;
  }
}

/**
 * Takes the files of a folder into a repository of their own; what `.gitignore` names is left out. The folder is only read, and
 * neither its hooks nor its git settings are used.
 * @throws CodedError cli/usage when there is no such folder, git/hostile-repository when git cannot read it
 */
export async function takeSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const directory = resolve(request.directory);
  if (!(await exists(directory))) throw new CodedError('cli/usage', `--local: there is no ${request.directory}`);
  const root = request.root === undefined ? await rootOf(directory) : resolve(request.root);
  const path = relative(root, directory);
  if (path === '..' || path.startsWith(`..${sep}`))
    throw new CodedError('cli/usage', `--local: ${request.directory} is not below ${root}`);
  const repository = join(request.workDir, 'snapshot.git');
  const identity = { NAME: 'tiphys', EMAIL: 'tiphys@localhost', DATE: '1970-01-01T00:00:00Z' };
  const env = {
    PATH: request.path,
    HOME: request.workDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...Object.fromEntries(
      Object.entries(identity).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
  };
  const git = async (...args: readonly string[]): Promise<string> => {
    const options = {
      cwd: root,
      env,
      signal: request.signal,
      timeout: timeoutMs,
      maxBuffer,
      killSignal: 'SIGKILL' as const,
    };
    const { stdout } = await run(
      'git',
      ['-c', 'core.hooksPath=/dev/null', '-c', 'core.autocrlf=false', ...args],
      options,
    );
    return stdout.trim();
  };
  try {
    await git('init', '--quiet', '--bare', '--initial-branch=main', '--', repository);
    const inside = [`--git-dir=${repository}`, `--work-tree=${root}`];
    await git(...inside, 'add', '--all', '--', '.');
    const tree = await git(...inside, 'write-tree');
    const commit = await git(...inside, 'commit-tree', '-m', 'snapshot', tree);
    await git(...inside, 'update-ref', 'refs/heads/main', commit);
    return { repoURL: `file://${repository}`, commit, path: path === '' ? '.' : path.split(sep).join('/') };
  } catch (error) {
    throw new CodedError('git/hostile-repository', `--local: ${root}: ${messageOf(error)}`, { cause: error });
  }
}
