import { runProcess } from '../../git/read/run-process.ts';

/**
 * How far a render tool is kept apart from this program and its host, beyond its empty environment and home:
 * `private-root`: it sees its own programs and its run, and nothing else of the host; `mount-namespace`: it sees the host without the
 * hidden folders; both: no other process, and no network unless it has to; `uid`: it runs as another user; `none`.
 */
export type Isolation = 'private-root' | 'mount-namespace' | 'uid' | 'none';

/** The folder of one run, which can be read. Absolute paths. */
export type RunFolder = Readonly<{
  folder: string;
  /** Folders in it that the tool may write to; never itself, which holds what the next tool of the run is started with. */
  writes: readonly string[];
  /** Where the tool is started. */
  cwd: string;
}>;

/** A tool, and what it has to see: with a private root there is nothing else. Absolute paths. */
export type Tool = Readonly<{
  command: string;
  args: readonly string[];
  /** Programs that it starts in turn. */
  starts?: readonly string[];
  /** Files and folders that it reads beside its run. */
  reads?: readonly string[];
  /** Left out: it writes nothing. */
  run?: RunFolder;
}>;

/** What bounds one invocation. */
export type Limits = Readonly<{
  network: 'none' | 'allowed';
  /** Default: that of the settings. `unlimited` is for programs that reserve far more than they use and bound themselves. */
  addressSpaceBytes?: number | 'unlimited';
  /** CPU time after which the kernel ends it; default: none. */
  cpuSeconds?: number;
}>;

/** What is really started. */
export type Invocation = Readonly<{ command: string; args: readonly string[]; uid?: number; gid?: number }>;

/** Wraps tools in what the host allows. */
export type Sandbox = Readonly<{ isolation: Isolation; wrap: (tool: Tool, limits: Limits) => Promise<Invocation> }>;

/** Bounds what the script becomes. Arguments: kibibytes of address space, seconds of CPU time. */
export const limitScript = `[ "$1" = unlimited ] || ulimit -v "$1" || exit 125; [ "$2" = unlimited ] || ulimit -t "$2" || exit 125; shift 2`;

/** A shell with a script that begins with that one, as a command line; what the script takes beside the limits comes behind. */
export function limitedShell(
  script: string,
  { addressSpaceBytes, cpuSeconds }: Limits,
  maxMemoryBytes: number,
): readonly [command: string, ...args: string[]] {
  const bytes = addressSpaceBytes ?? maxMemoryBytes;
  const kibibytes = bytes === 'unlimited' ? bytes : String(Math.floor(bytes / 1024));
  return ['/bin/sh', '-c', script, 'sh', kibibytes, String(cpuSeconds ?? 'unlimited')];
}

/** Where the namespaces come from: this program's own rights, or a user namespace in which it has them. */
export type Rights = 'own' | 'user-namespace';

/** What `unshare` is told: other processes, and with them their environments, are out of sight. */
export const namespaceArguments = (rights: Rights, { network }: Limits): readonly string[] => [
  ...(rights === 'user-namespace' ? ['--user', '--map-root-user'] : []),
  '--mount',
  ...(network === 'none' ? ['--net'] : []),
  '--ipc',
  '--pid',
  '--fork',
  '--kill-child',
];

/** The end that a trial comes to where all is as it should be. */
export const trialPassed = 7;

/** Whether a wrapped trial passes. */
export async function passes(trial: Invocation, path: string, signal: AbortSignal): Promise<boolean> {
  const outcome = await runProcess({ ...trial, env: { PATH: path }, maxOutputBytes: 4096, timeoutMs: 5000 }, signal);
  return outcome.kind === 'exit' && outcome.code === trialPassed;
}
