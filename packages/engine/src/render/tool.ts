import { readdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { CodedError } from '@tiphys/api';
import { runProcess } from '../git/read/run-process.ts';
import type { RunFolder, Sandbox } from './sandbox/sandbox.ts';

/** A render tool: a program, and the arguments that come before all others (`kubectl kustomize`). */
export type ToolCommand = Readonly<{ command: string; args: readonly string[] }>;

/** One run of a tool in the private folder of a render. */
export type ToolRun = Readonly<{
  tool: 'helm' | 'kustomize';
  program: ToolCommand;
  args: readonly string[];
  /** Programs that it starts in turn. */
  starts?: readonly string[];
  cwd: string;
  /** What it may do to the files of the repository in which it is started; default: read. Elsewhere it writes to its home alone. */
  files?: 'read' | 'write';
  /** Home, caches and temporary files; beside it lie the folders with the files of the repositories. */
  home: string;
  network: 'none' | 'allowed';
  /** Address space of this run; default: that of the settings. */
  maxMemoryBytes?: number | undefined;
  /** Secrets for this run alone, such as proxy settings. */
  env?: Readonly<Record<string, string>>;
}>;

export type ToolSettings = Readonly<{
  timeoutMs: number;
  maxOutputBytes: number;
  /** For runs that use the network. */
  networkEnvironment?: Readonly<Record<string, string>>;
}>;

/** What a tool printed, unread, or why it failed: its own words with the private folder's name taken out. */
export type ToolResult = { kind: 'ok'; stdout: Buffer } | { kind: 'failed'; message: string; stdout: string };

const environmentOf = ({ home, env = {} }: ToolRun): Readonly<Record<string, string>> => ({
  ...env,
  HOME: home,
  TMPDIR: `${home}/tmp`,
  XDG_CACHE_HOME: `${home}/cache`,
  XDG_CONFIG_HOME: `${home}/config`,
  XDG_DATA_HOME: `${home}/data`,
  HELM_CACHE_HOME: `${home}/helm/cache`,
  HELM_CONFIG_HOME: `${home}/helm/config`,
  HELM_DATA_HOME: `${home}/helm/data`,
  HELM_PLUGINS: `${home}/helm/plugins`,
  KUBECONFIG: '/dev/null',
  LANG: 'C',
  // The tools are short-lived: a larger heap before the first collection is time saved.
  GOGC: '400',
  GOMEMLIMIT: '1GiB',
  // They cannot see what their group of processes may use.
  GOMAXPROCS: String(availableParallelism()),
});

/** What a run may write to: its home, and where that is said the folder with the files of the repository that it is started in. */
function runFolderOf({ home, cwd, files = 'read' }: ToolRun): RunFolder {
  const folder = dirname(home);
  const [repository = ''] = relative(folder, cwd).split(sep);
  return { folder, writes: files === 'write' ? [home, join(folder, repository)] : [home], cwd };
}

/**
 * Refuses links that a tool left where this program is going to read and write: they lead anywhere on the host, and the tool is the one
 * who is kept from there. In its home no tool makes any; those of a repository stay in the run.
 * @throws CodedError render/failed
 */
async function refuseLinks({ tool, home }: ToolRun, { folder, writes }: RunFolder): Promise<void> {
  const run = await realpath(folder);
  for (const written of writes)
    for (const entry of await readdir(written, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() || entry.isDirectory()) continue;
      const place = join(entry.parentPath, entry.name);
      // What leads nowhere is not read.
      const end = await realpath(place).catch(() => join(run, 'nowhere'));
      if (written !== home && entry.isSymbolicLink() && end.startsWith(join(run, sep))) continue;
      throw new CodedError('render/failed', `${tool} left something at ${relative(folder, place)} that is no file`);
    }
}

/** How programs in Go end at the limit of their address space: with this, and a trace of no use to anybody. */
const outOfMemory = /^(?:runtime: out of memory|fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory))/m;

const maxMessageLength = 4000;
/** What is kept of what a tool printed before it failed. */
const maxFailureBytes = 64 * 1024;

/** The words of a failed tool, without the names of folders that exist for this run only. */
function wordsOf(text: string, { cwd, home }: Pick<ToolRun, 'cwd' | 'home'>): string {
  const root = dirname(home);
  const strip = (rest: string, folder: string): string => rest.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
  const folders = [cwd, home, ...Array.from({ length: 10 }, (_, index) => join(root, String(index))), root];
  return folders
    .reduce(strip, text)
    .replace(/^(?:Error|error): /, '')
    .trim()
    .slice(0, maxMessageLength);
}

/**
 * Runs a tool with nothing of this program's environment.
 * @throws CodedError render/failed for links that it left, render/timeout, render/output-too-large, render/too-costly, render/tool-missing; the signal's reason when aborted
 */
export async function runTool(
  run: ToolRun,
  ports: Readonly<{ sandbox: Sandbox; settings: ToolSettings; path: string }>,
  signal: AbortSignal,
): Promise<ToolResult> {
  const { sandbox, settings } = ports;
  const { network } = run;
  const folder = runFolderOf(run);
  const limits = { network, ...(run.maxMemoryBytes !== undefined && { addressSpaceBytes: run.maxMemoryBytes }) };
  const wrapped = await sandbox.wrap(
    {
      command: run.program.command,
      args: [...run.program.args, ...run.args],
      starts: run.starts ?? [],
      run: folder,
    },
    limits,
  );
  // The wrapper has to find `mount`; what it becomes finds no other program: no git, no shell (sandbox/open-sandbox.ts).
  const shared = network === 'allowed' ? settings.networkEnvironment : {};
  const env = { ...shared, ...environmentOf(run), PATH: ports.path };
  const outcome = await runProcess(
    {
      ...wrapped,
      cwd: run.cwd,
      env,
      maxOutputBytes: settings.maxOutputBytes,
      timeoutMs: settings.timeoutMs,
    },
    signal,
  );
  if (outcome.kind === 'not-started')
    throw new CodedError('render/tool-missing', `${run.tool} could not be started: ${outcome.reason}`);
  if (outcome.kind === 'timeout')
    throw new CodedError(
      'render/timeout',
      `${run.tool} did not end within ${settings.timeoutMs / 1000} s and was stopped`,
    );
  if (outcome.kind === 'too-much-output')
    throw new CodedError(
      'render/output-too-large',
      `${run.tool} printed more than ${settings.maxOutputBytes} bytes and was stopped`,
    );
  // After any other run what it wrote is deleted, and nothing else.
  if (network === 'allowed' || run.files === 'write' || outcome.code !== 0) await refuseLinks(run, folder);
  if (outcome.code === 0) return { kind: 'ok', stdout: outcome.stdout };
  if (outOfMemory.test(outcome.stderr))
    throw new CodedError('render/too-costly', `${run.tool} needed more memory than it may have and was stopped`);
  const message = wordsOf(outcome.stderr, run);
  const stdout = outcome.stdout.toString('utf8', 0, maxFailureBytes);
  return { kind: 'failed', message: message || `${run.tool} ended with ${outcome.code}`, stdout };
}
