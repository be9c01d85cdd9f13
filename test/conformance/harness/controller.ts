import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isRecord, parseJson } from '@tiphys/api';
import type { TestCluster } from './clusters.ts';
import { nodePath, root } from './tools.ts';
import { until } from './until.ts';

/** One line of the program's log. */
export type LogLine = Readonly<{ text: string; message: string; fields: Readonly<Record<string, unknown>> }>;

export type ControllerOptions = Readonly<{
  namespace: string;
  /** Its caches; survives restarts. */
  dataDir: string;
  /** Pause between waves. 0 keeps tests short. */
  waveDelaySeconds?: number;
  environment?: Readonly<Record<string, string>>;
}>;

const parseLine = (text: string): LogLine => {
  try {
    const fields = parseJson(text);
    if (isRecord(fields)) return { text, message: String(fields['msg']), fields };
  } catch {
    // Whatever else is printed on standard error counts as a line too.
  }
  return { text, message: text, fields: {} };
};

/** The Application controller as users run it: a process of its own, against a kubeconfig. */
export class ControllerProcess implements AsyncDisposable {
  readonly log: LogLine[] = [];
  readonly #cluster: TestCluster;
  readonly #options: ControllerOptions;
  #child: ChildProcess | undefined;
  /** Its end, with all that it has printed. */
  #closed: Promise<unknown> = Promise.resolve();

  constructor(cluster: TestCluster, options: ControllerOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** @param repositoryPoll how often repositories are asked for new commits */
  start(repositoryPoll = '300ms', ...more: readonly string[]): void {
    const { namespace, dataDir, waveDelaySeconds = 0, environment = {} } = this.#options;
    const program = join(root, 'packages/tiphys/bin/tiphys.mjs');
    const flags = ['controller', '--kubeconfig', this.#cluster.kubeconfigPath, '--namespace', namespace];
    const settings = ['--data-dir', dataDir, '--repository-poll', repositoryPoll];
    const log = ['--log-format', 'json', '--log-level', 'debug'];
    const child = spawn(nodePath, [program, ...flags, ...settings, ...log, ...more], {
      env: {
        PATH: process.env['PATH'],
        HOME: dataDir,
        ARGOCD_SYNC_WAVE_DELAY: String(waveDelaySeconds),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (text) => this.log.push(parseLine(text)));
    this.#child = child;
    this.#closed = once(child, 'close');
  }

  /** Ends it and waits for that. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exit;
    clearTimeout(patience);
  }

  /** Waits for it to end by itself. Returns its exit code and the last that it said. */
  async ended(): Promise<Readonly<{ exit: number | null; said: string }>> {
    const child = this.#child;
    if (child === undefined) throw new Error('it was not started');
    const patience = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await this.#closed;
    clearTimeout(patience);
    this.#child = undefined;
    return { exit: child.exitCode, said: this.tail('', 1) };
  }

  /** Takes away what it has fetched and rendered; only while it is stopped. */
  async loseCaches(): Promise<void> {
    for (const folder of ['git', 'render'])
      await rm(join(this.#options.dataDir, folder), { recursive: true, force: true });
  }

  /** @throws Error with the end of the log when it ended by itself */
  assertAlive(): void {
    const child = this.#child;
    if (child === undefined) return; // a test has stopped it
    if (child.exitCode === null && child.signalCode === null) return;
    throw new Error(`the controller ended (${String(child.exitCode ?? child.signalCode)}):\n${this.tail()}`);
  }

  /** The last lines that mention something; all lines when nothing is named. */
  tail(mentioning = '', count = 15): string {
    const lines = this.log.map(({ text }) => text).filter((text) => text.includes(mentioning));
    return lines.slice(-count).join('\n');
  }

  /** How many lines have this message. */
  count(message: string): number {
    return this.log.filter((line) => line.message === message).length;
  }

  /** Waits until the log says something: it comes by a pipe, and what it tells of may be in the cluster before. */
  async untilLogged(what: string, isSo: (log: readonly LogLine[]) => boolean): Promise<void> {
    await until(`the log: ${what}`, () => Promise.resolve(isSo(this.log) ? { is: true } : { seen: this.tail('', 5) }));
  }

  /**
   * Fails when some application was compared again and again without a pause: a change, its sync and the echoes of its writes are a
   * handful. Returns the most comparisons of one application within one second of the clock.
   */
  assertUnhurried(): number {
    const compared = this.log.filter(({ message }) => message === 'application compared');
    const second = 'yyyy-mm-ddThh:mm:ss'.length;
    const bySecond = Map.groupBy(
      compared,
      ({ fields }) => `${String(fields['application'])} at ${String(fields['time']).slice(0, second)}`,
    );
    const [busiest = '', lines = []] = [...bySecond].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? [];
    if (lines.length > 25)
      throw new Error(`${busiest}: compared ${lines.length} times within a second\n${this.tail()}`);
    return lines.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
