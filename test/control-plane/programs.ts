import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The Kubernetes whose control plane this is; `kubernetes/go.mod` depends on the same one. */
export const kubernetesVersion = 'v1.35.4';

export type ProgramName = 'kubernetes' | 'stand-ins';

export type BuildOptions = Readonly<{
  signal: AbortSignal;
  /** Gets one line now and then while something is built; never called when the cache has everything. */
  onProgress: (line: string) => void;
}>;

/** `no-go`: this machine has no Go, so that callers skip visibly. The other two are failures. */
export type ControlPlaneErrorCode = 'no-go' | 'build-failed' | 'start-failed';

export class ControlPlaneError extends Error {
  readonly code: ControlPlaneErrorCode;
  constructor(code: ControlPlaneErrorCode, message: string) {
    super(message);
    this.name = 'ControlPlaneError';
    this.code = code;
  }
}

const buildLimitMs = 30 * 60_000;
const progressIntervalMs = 10_000;
const commandLimitMs = 60_000;

function linkerFlags(program: ProgramName): string {
  const [major = '', minor = ''] = kubernetesVersion.slice(1).split('.');
  const version = { gitVersion: kubernetesVersion, gitMajor: major, gitMinor: minor };
  const set = Object.entries(version).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...(program === 'kubernetes' ? set : [])].join(' ');
}

/**
 * Path of a built program: from the cache, or built now (minutes, once per change of its inputs).
 * The inputs are its Go files, go.mod, go.sum, the linker flags and the version of Go.
 *
 * @throws ControlPlaneError `no-go` or `build-failed`
 */
export async function buildProgram(program: ProgramName, options: BuildOptions): Promise<string> {
  const go = process.env['TIPHYS_GO'] ?? 'go';
  const directory = join(cacheDirectory(), await hashOfInputs(program, await goVersion(go, options.signal)));
  const binary = join(directory, program);
  if (existsSync(binary)) return binary;
  await mkdir(directory, { recursive: true });
  const unlock = await takeLock(join(directory, 'lock'), options);
  const unfinished = `${binary}.${String(process.pid)}`;
  try {
    if (existsSync(binary)) return binary; // another process built it while this one waited
    await compile({ go, program, output: unfinished }, options);
    await rename(unfinished, binary);
  } finally {
    await rm(unfinished, { force: true });
    await unlock();
  }
  return binary;
}

function cacheDirectory(): string {
  const own = process.env['TIPHYS_CACHE_DIR'];
  if (own !== undefined && own !== '') return join(own, 'control-plane');
  const shared = process.env['XDG_CACHE_HOME'];
  return join(shared === undefined || shared === '' ? join(homedir(), '.cache') : shared, 'tiphys', 'control-plane');
}

const sourceOf = (program: ProgramName): string => join(import.meta.dirname, program);

async function hashOfInputs(program: ProgramName, version: string): Promise<string> {
  const directory = sourceOf(program);
  const files = (await readdir(directory)).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name)).sort();
  const hash = createHash('sha256').update(`${version}\n${linkerFlags(program)}\n`);
  for (const name of files) {
    const content = await readFile(join(directory, name));
    hash.update(`${name} ${String(content.length)}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 24);
}

async function goVersion(go: string, signal: AbortSignal): Promise<string> {
  const child = spawn(go, ['version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = await ended(child, AbortSignal.any([signal, AbortSignal.timeout(commandLimitMs)]));
  if (end.kind === 'exit' && end.code === 0) return output.trim();
  throw new ControlPlaneError(
    'no-go',
    `The real control plane is built from source, and there is no working Go here (tried "${go} version"). ` +
      'Install Go 1.25 or newer, or set TIPHYS_GO to it.',
  );
}

type Compilation = Readonly<{ go: string; program: ProgramName; output: string }>;

async function compile({ go, program, output }: Compilation, { signal, onProgress }: BuildOptions): Promise<void> {
  const started = Date.now();
  const seconds = (): string => `${String(Math.round((Date.now() - started) / 1000))} s`;
  onProgress(`building ${program} (once; minutes on a small machine)`);
  // -v names each package on standard error as it is compiled: the only sign of progress that go gives.
  const child = spawn(
    go,
    [
      'build',
      '-v',
      '-mod=readonly',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      linkerFlags(program),
      '-o',
      output,
      '.',
    ],
    {
      cwd: sourceOf(program),
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    },
  );
  if (child.pid !== undefined) setPriority(child.pid, 10);
  let packages = 0;
  let rest = '';
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (/^[\w./~-]+$/.test(line)) packages += 1;
      else complaints.push(line);
    }
    complaints.splice(0, complaints.length - 40);
  });
  const report = setInterval(
    () => onProgress(`building ${program}: ${String(packages)} packages compiled, ${seconds()}`),
    progressIntervalMs,
  );
  try {
    const end = await ended(child, AbortSignal.any([signal, AbortSignal.timeout(buildLimitMs)]));
    if (end.kind !== 'exit' || end.code !== 0) {
      throw new ControlPlaneError('build-failed', `go build of ${program}: ${describe(end)}\n${complaints.join('\n')}`);
    }
  } finally {
    clearInterval(report);
  }
  onProgress(`built ${program} in ${seconds()}`);
}

export type End =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; name: string }
  | { kind: 'not-started'; because: string }
  | { kind: 'aborted' };

export function describe(end: End): string {
  switch (end.kind) {
    case 'exit':
      return `exit code ${String(end.code)}`;
    case 'signal':
      return `ended by ${end.name}`;
    case 'not-started':
      return `could not be started: ${end.because}`;
    case 'aborted':
      return 'stopped before its end (deadline or interrupt)';
  }
}

/** Waits for the end of a child; when the signal comes first, kills the child and its group. */
export async function ended(child: ChildProcess, signal: AbortSignal): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>();
  child.once('error', (error) => resolve({ kind: 'not-started', because: error.message }));
  child.once('close', (code, name) =>
    resolve(code === null ? { kind: 'signal', name: name ?? '?' } : { kind: 'exit', code }),
  );
  const abort = (): void => {
    killGroup(child);
    resolve({ kind: 'aborted' });
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Kills a detached child with everything that it started. A child that has ended already is left alone. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // not a group leader
  }
}

/** One builder at a time, over all processes; a lock whose owner is dead is taken over. */
async function takeLock(path: string, { signal, onProgress }: BuildOptions): Promise<() => Promise<void>> {
  for (let waits = 0; ; waits += 1) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    // An empty file is one whose owner is about to write its number; after two seconds it never will.
    if (owner > 0 ? !isAlive(owner) : waits > 2) await rm(path, { force: true });
    else {
      if (waits % 20 === 0) onProgress(`waiting for another build (process ${String(owner)})`);
      await sleep(1000, undefined, { signal });
    }
  }
}

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
