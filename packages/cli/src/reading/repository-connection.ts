import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, silentLogger } from '@tiphys/api';
import { gitDefaults, type GitStore, openGitStore } from '@tiphys/engine';
import { accessOf, type Repository } from '@tiphys/operations';
import type { CommandContext } from '../context.ts';

/** Whether a repository can be reached. `Unknown`: it was not tried. */
export type Connection = Readonly<{ status: 'Successful' | 'Failed' | 'Unknown'; message: string }>;

/** Tries connections to repositories. */
export type ConnectionTrial = AsyncDisposable &
  Readonly<{
    /** @throws CodedError git/* when it cannot be reached */
    requireReachable: (repository: Repository) => Promise<void>;
    connectionOf: (repository: Repository) => Promise<Connection>;
  }>;

const isGit = ({ type = 'git' }: Repository): boolean => type === '' || type === 'git';

/** Opens a trial; its files are gone when it is disposed of. Chart repositories are not tried: they are read when they are rendered. */
export async function openConnectionTrial({ io, signal }: CommandContext): Promise<ConnectionTrial> {
  const { git: program, clock } = io;
  const dataDir = await mkdtemp(join(tmpdir(), 'tiphys-repository-'));
  const git: GitStore | undefined =
    program && openGitStore({ clock, log: silentLogger }, { ...gitDefaults, ...program, dataDir });
  const requireReachable = async (repository: Repository): Promise<void> => {
    if (isGit(repository)) await git?.lsRemote(accessOf(repository), signal);
  };
  return {
    requireReachable,
    connectionOf: async (repository) => {
      if (git === undefined || !isGit(repository)) return { status: 'Unknown', message: '' };
      try {
        await requireReachable(repository);
        return { status: 'Successful', message: '' };
      } catch (error) {
        signal.throwIfAborted();
        return { status: 'Failed', message: messageOf(error) };
      }
    },
    [Symbol.asyncDispose]: async () => {
      await git?.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
