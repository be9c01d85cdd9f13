import { access } from 'node:fs/promises';
import { openPrivateRoot, type PrivateRootSettings } from './private-root.ts';
import {
  limitedShell,
  limitScript,
  namespaceArguments,
  passes,
  type Rights,
  type Sandbox,
  trialPassed,
} from './sandbox.ts';

export type IsolationSettings = PrivateRootSettings &
  Readonly<{
    /** Folders that no tool may see where it sees the host: credentials, other repositories. Those that do not exist are passed over. */
    hiddenPaths: readonly string[];
    /** What every tool has to reach: the programs, and the folder of the runs. */
    needed: readonly string[];
    /** User that tools run as where there are no namespaces and this program is root. */
    uid: number;
  }>;

type Wrap = Sandbox['wrap'];

// Hides each folder below an empty one that nobody can read, then becomes the tool, which finds no other program.
// Arguments: those of the limits, the folders, `--`, the tool.
const script = `${limitScript}; while [ "$1" != -- ]; do mount -t tmpfs -o ro,size=0,mode=000 tiphys "$1" || exit 125; shift; done; shift; PATH=/nonexistent; export PATH; exec "$@"`;

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const checks = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return checks.flat();
}

function withHiddenFolders(settings: IsolationSettings, hidden: readonly string[], rights: Rights): Wrap {
  return ({ command, args }, limits) =>
    Promise.resolve({
      command: 'unshare',
      args: [
        ...namespaceArguments(rights, limits),
        '--mount-proc',
        '--',
        ...limitedShell(script, limits, settings.maxMemoryBytes),
        ...hidden,
        '--',
        command,
        ...args,
      ],
    });
}

/** Finds out, by trying, what this host allows, from the most to the least. */
export async function openSandbox(settings: IsolationSettings, signal: AbortSignal): Promise<Sandbox> {
  const hidden = await existing(settings.hiddenPaths);
  const isRoot = process.getuid?.() === 0;
  const sources: readonly Rights[] = isRoot ? ['own', 'user-namespace'] : ['user-namespace'];
  for (const rights of sources) {
    const hide = withHiddenFolders(settings, hidden, rights);
    // Whatever is in the way of one: there is less to fall back on.
    const wrap = await openPrivateRoot({ settings, rights, otherwise: hide }, signal).catch(() => undefined);
    if (wrap !== undefined) return { isolation: 'private-root', wrap };
  }
  for (const rights of sources) {
    const wrap = withHiddenFolders(settings, hidden, rights);
    const trial = await wrap({ command: '/bin/sh', args: ['-c', `exit ${trialPassed}`] }, { network: 'none' });
    if (await passes(trial, settings.path, signal)) return { isolation: 'mount-namespace', wrap };
  }
  const limited = withoutNamespace(settings);
  const asUser: Wrap = async (tool, limits) => ({
    ...(await limited(tool, limits)),
    uid: settings.uid,
    gid: settings.uid,
  });
  if (isRoot && (await reaches(asUser, settings, signal))) return { isolation: 'uid', wrap: asUser };
  return { isolation: 'none', wrap: limited };
}

/** Whether a tool, run like this, gets at what it needs (a program or folder may lie below one that only root can enter). */
async function reaches(wrap: Wrap, { needed, path }: IsolationSettings, signal: AbortSignal): Promise<boolean> {
  const trial = `for path in "$@"; do [ -x "$path" ] || exit 1; done; exit ${trialPassed}`;
  const tool = { command: '/bin/sh', args: ['-c', trial, 'sh', ...needed] };
  return passes(await wrap(tool, { network: 'none' }), path, signal);
}

/** The limits of memory and time alone. */
const withoutNamespace =
  ({ maxMemoryBytes }: IsolationSettings): Wrap =>
  (tool, limits) => {
    const [command, ...args] = limitedShell(script, limits, maxMemoryBytes);
    return Promise.resolve({ command, args: [...args, '--', tool.command, ...tool.args] });
  };
