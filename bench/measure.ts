/** What the benches share: CPU time and memory of another process, yardsticks of the machine, and how a figure is printed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** What a process has used since its start. */
export type Usage = Readonly<{
  /** User and system time of all its threads. */
  cpuMs: number;
  /** The same of children that have ended and been waited for: the render tools. */
  childrenCpuMs: number;
  rssBytes: number;
  /** The most that was ever resident. */
  peakRssBytes: number;
}>;

/** Linux reports CPU time in ticks of this length to programs, whatever the kernel's own clock does. */
const tickMs = 10;

/** Reads /proc (Linux only). @throws when there is no such process, or no /proc */
export function readUsage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; the fields behind it are numbered from 3 (proc(5)).
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => fields[number - 3] ?? 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return {
    cpuMs: (field(14) + field(15)) * tickMs,
    childrenCpuMs: (field(16) + field(17)) * tickMs,
    rssBytes: bytes('VmRSS'),
    peakRssBytes: bytes('VmHWM'),
  };
}

/** What was used between two readings of one process; memory as it is at the second. */
export const difference = (before: Usage, after: Usage): Usage => ({
  ...after,
  cpuMs: after.cpuMs - before.cpuMs,
  childrenCpuMs: after.childrenCpuMs - before.childrenCpuMs,
});

export type MeasuredProcess = Readonly<{
  pid: number;
  child: ChildProcess;
  usage: () => Usage;
  /** Its exit code, once it has ended by itself; 128 and more after a signal. */
  ended: Promise<number>;
  /** Ends it and its process group: SIGTERM, and after 10 s SIGKILL. */
  stop: () => Promise<void>;
}>;

export type MeasuredOptions = Readonly<{ cwd?: string; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void }>;

/** Starts a program in a process group of its own; its output goes line by line to `onLine`, else nowhere. */
export async function startMeasured(
  file: string,
  args: readonly string[],
  options: MeasuredOptions = {},
): Promise<MeasuredProcess> {
  const { cwd, env, onLine } = options;
  const child = spawn(file, args, { cwd, env: env ?? process.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) forEachLine(stream, onLine ?? (() => undefined));
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 128)));
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // It has ended already.
    }
  };
  process.once('exit', () => signal('SIGKILL'));
  // A bench that is stopped from outside leaves nothing running either.
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    if (process.listenerCount(name) === 0) process.once(name, () => process.exit(130));
  const stop = async (): Promise<void> => {
    signal('SIGTERM');
    const timer = setTimeout(() => signal('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    signal('SIGKILL'); // what it may have left behind
  };
  return { pid, child, usage: () => readUsage(pid), ended, stop };
}

function forEachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}

/** The middle of some figures: one slow run among them does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Milliseconds that something takes: the median of several runs, one after the other. */
export async function timed(work: () => unknown, runs = 5): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return median(times);
}

/** Something that every machine can do, as a measure for this one, now. */
export type Yardstick = Readonly<{ name: string; value: number; unit: string }>;

const runOnce = (file: string, args: readonly string[]): void => {
  const { status } = spawnSync(file, args, { stdio: 'ignore', timeout: 60_000 });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${String(status)}`);
};

/** CPU time of one run of a program and its children: what it costs, whatever else the machine does meanwhile. */
export function cpuMsOf(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const shell = spawnSync('/bin/sh', ['-c', '"$@" >/dev/null || exit; times', 'sh', file, ...args], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  if (shell.status !== 0)
    throw new Error(`${file} ${args.join(' ')} ended with ${String(shell.status)}: ${shell.stderr}`);
  // The second line is of the children: user and system time, as `0m0.12s 0m0.03s`.
  const times = [...(shell.stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0);
}

/** CPU time of the bare start of Node. */
export const nodeStartCpu = (): Yardstick => ({
  name: 'CPU of the bare start of node',
  value: median(Array.from({ length: 5 }, () => cpuMsOf(process.execPath, ['--eval', '0']))),
  unit: 'ms',
});

/** The bare start of Node: what every command line pays. */
export const nodeStart = async (runs = 5): Promise<Yardstick> => ({
  name: 'bare start of node',
  value: await timed(() => runOnce(process.execPath, ['--eval', '0']), runs),
  unit: 'ms',
});

/** One run of helm that does next to nothing: what a render costs that no cache saves. */
export const helmRun = async (): Promise<Yardstick> => ({
  name: 'one run of helm template',
  value: await timed(() =>
    runOnce(join(import.meta.dirname, '../.cache/tools/helm'), ['template', 'examples/helm/cache']),
  ),
  unit: 'ms',
});

/** SHA-256 of 64 MiB: one core's plain speed. */
export const hashOf64MiB = async (): Promise<Yardstick> => {
  const block = Buffer.alloc(64 * 1024 * 1024, 1);
  return {
    name: 'sha256 of 64 MiB',
    value: await timed(() => createHash('sha256').update(block).digest()),
    unit: 'ms',
  };
};

/** Memory of a Node that does nothing. */
export async function nodeMemory(): Promise<Yardstick> {
  const idle = await startMeasured(process.execPath, ['--eval', 'setInterval(() => {}, 1e6); console.log("up")']);
  await once(idle.child.stdout ?? idle.child, 'data');
  const value = idle.usage().rssBytes / 1e6;
  await idle.stop();
  return { name: 'idle node', value, unit: 'MB' };
}

export type Figure = Readonly<{
  /** What is claimed, with its size: `first sync of 1,000 applications`. */
  claim: string;
  value: number;
  unit: string;
  yardstick: Yardstick;
  /** The most that it should be, in the figure's unit. */
  atMost?: number;
}>;

const round = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** One figure as a line: value, yardstick, their ratio where the units agree, and whether an aim was met. */
export function describeFigure({ claim, value, unit, yardstick, atMost }: Figure): string {
  const ratio = unit === yardstick.unit ? `, ratio ${round(value / yardstick.value)}` : '';
  const aim =
    atMost === undefined ? '' : `; aim: at most ${round(atMost)} ${unit}, ${value <= atMost ? 'met' : 'MISSED'}`;
  return `${claim}: ${round(value)} ${unit} (${yardstick.name}: ${round(yardstick.value)} ${yardstick.unit}${ratio})${aim}`;
}

/** Prints a figure; with `--strict` a missed aim makes the bench end with 1. */
export function print(figure: Figure): void {
  console.log(describeFigure(figure));
  const missed = figure.atMost !== undefined && figure.value > figure.atMost;
  if (missed && process.argv.includes('--strict')) process.exitCode = 1;
}
