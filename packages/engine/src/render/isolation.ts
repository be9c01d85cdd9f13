import { access } from 'node:fs/promises';
import { runProcess } from '../git/read/run-process.ts';

/**
 * How far a render tool is kept apart from this program, beyond its empty environment and home:
 * `mount-namespace`: it does not see the hidden folders and, unless it has to, no network; `uid`: it runs as another user; `none`.
 */
export type Isolation = 'mount-namespace' | 'uid' | 'none';

/** What a tool is started with. */
export type Invocation = Readonly<{ command: string; args: readonly string[]; uid?: number; gid?: number }>;

export type IsolationSettings = Readonly<{
  /** PATH on which `unshare`, `sh` and `mount` are looked for. */
  path: string;
  /** Folders that no tool may see: credentials, other repositories. Those that do not exist are passed over. */
  hiddenPaths: readonly string[];
  /** Address space of a tool. */
  maxMemoryBytes: number;
  /** What every tool has to reach: the programs, and the folder of the runs. */
  needed: readonly string[];
  /** User that tools run as where there are no namespaces and this program is root. */
  uid: number;
}>;

/** What bounds one invocation. */
export type Limits = Readonly<{
  network: 'none' | 'allowed';
  /** Default: that of the settings. `unlimited` is for programs that reserve far more than they use and bound themselves. */
  addressSpaceBytes?: number | 'unlimited';
  /** CPU time after which the kernel ends it; default: none. */
  cpuSeconds?: number;
}>;

/** Wraps tools in what the host allows. */
export type Sandbox = Readonly<{ isolation: Isolation; wrap: (tool: Invocation, limits: Limits) => Invocation }>;

// Hides each folder below an empty one that nobody can read, then becomes the tool, which finds no other program.
// Arguments: kibibytes of address space, seconds of CPU time, the folders, `--`, the tool.
const script = `[ "$1" = unlimited ] || ulimit -v "$1" || exit 125; [ "$2" = unlimited ] || ulimit -t "$2" || exit 125; shift 2; while [ "$1" != -- ]; do mount -t tmpfs -o ro,size=0,mode=000 tiphys "$1" || exit 125; shift; done; shift; PATH=/nonexistent; export PATH; exec "$@"`;

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

/** The first arguments of the script. */
const limitWords = (
  { addressSpaceBytes, cpuSeconds }: Limits,
  { maxMemoryBytes }: Pick<IsolationSettings, 'maxMemoryBytes'>,
): readonly string[] => {
  const bytes = addressSpaceBytes ?? maxMemoryBytes;
  return [bytes === 'unlimited' ? bytes : String(Math.floor(bytes / 1024)), String(cpuSeconds ?? 'unlimited')];
};

function inNamespace(settings: IsolationSettings, hidden: readonly string[], mapUser: boolean): Sandbox['wrap'] {
  return (tool, limits) => ({
    command: 'unshare',
    args: [
      ...(mapUser ? ['--user', '--map-root-user'] : []),
      '--mount',
      ...(limits.network === 'none' ? ['--net'] : []),
      '--ipc',
      // Other processes, and with them their environments, are out of sight.
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--',
      '/bin/sh',
      '-c',
      script,
      'sh',
      ...limitWords(limits, settings),
      ...hidden,
      '--',
      tool.command,
      ...tool.args,
    ],
  });
}

/** Finds out, by trying, what this host allows. */
export async function openSandbox(settings: IsolationSettings, signal: AbortSignal): Promise<Sandbox> {
  const hidden = await existing(settings.hiddenPaths);
  const isRoot = process.getuid?.() === 0;
  for (const mapUser of isRoot ? [false, true] : [true]) {
    const wrap = inNamespace(settings, hidden, mapUser);
    const trial = wrap({ command: '/bin/sh', args: ['-c', 'exit 7'] }, { network: 'none' });
    const outcome = await runProcess(
      { ...trial, env: { PATH: settings.path }, maxOutputBytes: 4096, timeoutMs: 5000 },
      signal,
    );
    if (outcome.kind === 'exit' && outcome.code === 7) return { isolation: 'mount-namespace', wrap };
  }
  const limited = withoutNamespace(settings);
  const asUser: Sandbox['wrap'] = (tool, limits) => ({
    ...limited(tool, limits),
    uid: settings.uid,
    gid: settings.uid,
  });
  if (isRoot && (await reaches(asUser, settings, signal))) return { isolation: 'uid', wrap: asUser };
  return { isolation: 'none', wrap: limited };
}

/** Whether a tool, run like this, gets at what it needs (a program or folder may lie below one that only root can enter). */
async function reaches(wrap: Sandbox['wrap'], settings: IsolationSettings, signal: AbortSignal): Promise<boolean> {
  const trial = 'for path in "$@"; do [ -x "$path" ] || exit 1; done; exit 7';
  const invocation = wrap({ command: '/bin/sh', args: ['-c', trial, 'sh', ...settings.needed] }, { network: 'none' });
  const outcome = await runProcess(
    { ...invocation, env: { PATH: settings.path }, maxOutputBytes: 4096, timeoutMs: 5000 },
    signal,
  );
  return outcome.kind === 'exit' && outcome.code === 7;
}

/** The limits of memory and time alone. */
const withoutNamespace =
  (settings: IsolationSettings): Sandbox['wrap'] =>
  ({ command, args }, limits) => ({
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...limitWords(limits, settings), '--', command, ...args],
  });
