/** The application controller as users run it, in its own process, and what its log tells. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRecord, parseJson } from '@tiphys/api';
import { hasFlag, textFlag } from './flags.ts';
import { startMeasured, type Usage } from './measure.ts';

/** Counters that the controller logs at SIGUSR2. */
export type Stats = Readonly<{
  renders: number;
  cacheHits: number;
  compared: number;
  patches: number;
  rssBytes: number;
}>;

export type LogLine = Readonly<{ atMs: number; message: string; fields: Readonly<Record<string, unknown>> }>;

export type BenchController = AsyncDisposable &
  Readonly<{
    usage: () => Usage;
    stats: () => Promise<Stats>;
    /** Waits for a line of the log that comes from now on. @throws Error at the deadline, or when the controller ends */
    nextLine: (message: string, timeoutMs: number) => Promise<LogLine>;
    pid: number;
  }>;

export const controlNamespace = 'argocd';

/** How often the repository is asked for commits in all benches. */
export const pollMs = 1000;

const program = join(import.meta.dirname, '..', 'packages', 'tiphys', 'bin', 'tiphys.mjs');

/** `--profile` writes a CPU profile of the controller into the working directory when it ends; `--node-flags=...` are passed to its Node. */
const nodeFlags = (): readonly string[] => [
  ...(hasFlag('profile') ? ['--cpu-prof', '--cpu-prof-dir=.cache/profiles'] : []),
  ...(textFlag('node-flags') ?? '').split(' ').filter((flag) => flag !== ''),
];

/** `--controller-flags=...` go to `tiphys controller` itself. */
const controllerFlags = (): readonly string[] =>
  (textFlag('controller-flags') ?? '').split(' ').filter((flag) => flag !== '');

/** Starts the controller against a kubeconfig, with an empty data folder; `more` are flags of its own. */
export async function startBenchController(
  kubeconfigPath: string,
  more: readonly string[] = [],
): Promise<BenchController> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tiphys-bench-data-'));
  const listeners = new Set<(line: LogLine) => void>();
  const lastLines: string[] = [];
  const onLine = (text: string): void => {
    lastLines.push(text);
    if (lastLines.length > 20) lastLines.shift();
    if (hasFlag('verbose')) console.error(text);
    const line = parseLine(text);
    if (line !== undefined) for (const listener of listeners) listener(line);
  };
  const flags = ['controller', '--kubeconfig', kubeconfigPath, '--namespace', controlNamespace, '--data-dir', dataDir];
  const child = await startMeasured(
    process.execPath,
    [
      ...nodeFlags(),
      program,
      ...flags,
      '--repository-poll',
      `${pollMs}ms`,
      '--log-format',
      'json',
      ...more,
      ...controllerFlags(),
    ],
    { onLine, env: { PATH: process.env['PATH'], HOME: dataDir } },
  );
  const nextLine = (message: string, timeoutMs: number): Promise<LogLine> => {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const fail = (reason: string): void => reject(new Error(`${reason}\n${lastLines.join('\n')}`));
    const timer = setTimeout(() => fail(`no line "${message}" within ${timeoutMs} ms; the last were:`), timeoutMs);
    const listener = (line: LogLine): void => {
      if (line.message === message) resolve(line);
    };
    listeners.add(listener);
    void child.ended.then((code) => fail(`the controller ended with ${code}; its last lines:`));
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(listener);
    });
  };
  const stats = async (): Promise<Stats> => {
    const answer = nextLine('stats', 10_000);
    process.kill(child.pid, 'SIGUSR2');
    return readStats((await answer).fields);
  };
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  await nextLine('controller started', 30_000);
  return { usage: child.usage, stats, nextLine, pid: child.pid, [Symbol.asyncDispose]: stop };
}

function parseLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  const fields = parseJson(text);
  return isRecord(fields) ? { atMs: performance.now(), message: String(fields['msg']), fields } : undefined;
}

function readStats(fields: Readonly<Record<string, unknown>>): Stats {
  const count = (name: string): number => {
    const value = fields[name];
    if (typeof value !== 'number')
      throw new Error(`the line "stats" has no number "${name}": ${JSON.stringify(fields)}`);
    return value;
  };
  return {
    renders: count('renders'),
    cacheHits: count('cacheHits'),
    compared: count('compared'),
    patches: count('patches'),
    rssBytes: count('rssBytes'),
  };
}
