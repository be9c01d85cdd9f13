import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOut, type Credentials, type Layout, type PartName } from './parts.ts';
import { buildProgram, ControlPlaneError, describe, ended, isAlive, killGroup, type ProgramName } from './programs.ts';

export { ControlPlaneError, kubernetesVersion } from './programs.ts';
export type { Credentials, PartName } from './parts.ts';

export type ControlPlaneOptions = Readonly<{
  /** Stops the build or the start; a control plane that has started is stopped by `stop`. */
  signal?: AbortSignal;
  /** Gets a line while something is built for the first time, and when a part ends by itself. Default: standard error. */
  onProgress?: (line: string) => void;
  /** How long the start may take, without the build. */
  startLimitMs?: number;
}>;

/** A running cluster of two simulated nodes behind a real API server, on loopback. */
export interface ControlPlane extends AsyncDisposable {
  /** Of a cluster administrator (group system:masters). */
  readonly kubeconfigPath: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly caPem: string;
  /** The administrator's bearer token. */
  readonly token: string;
  /** The user `restricted`, who may do nothing until a test binds a role to it. */
  readonly restricted: Credentials;
  /** Logs (`PART.log`), certificates and data; gone after `stop`. */
  readonly directory: string;
  /** Process number of each part, for tests that measure, pause or kill one. */
  processes(): ReadonlyMap<PartName, number>;
  /** Kills one part, starts it again with the same data and address, and waits until the cluster is ready. */
  restart(part: PartName): Promise<void>;
  /** Kills every process and removes the folder; may be called twice. */
  stop(): Promise<void>;
}

const directoryPrefix = 'tiphys-control-plane-';

/**
 * Builds what is not built yet, starts it, and returns when the API server answers, both nodes are ready and
 * the default namespace has its service account. Nothing outlives this process: each part ends when the pipe
 * that we hold to its standard input closes.
 *
 * @throws ControlPlaneError `no-go` where Go is absent (skip, visibly), `build-failed`, `start-failed`
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const signal = options.signal ?? new AbortController().signal;
  const onProgress = options.onProgress ?? ((line: string) => process.stderr.write(`control plane: ${line}\n`));
  const binaries = {
    kubernetes: await buildProgram('kubernetes', { signal, onProgress }),
    'stand-ins': await buildProgram('stand-ins', { signal, onProgress }),
  };
  await removeAbandoned();
  const directory = await mkdtemp(join(tmpdir(), `${directoryPrefix}${String(process.pid)}-`));
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.startLimitMs ?? 60_000)]);
  try {
    await writeCertificates(binaries.kubernetes, directory, deadline);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const controlPlane = new RunningControlPlane(await layOut(directory), binaries, onProgress);
  try {
    await controlPlane.start(deadline);
    return controlPlane;
  } catch (error) {
    const logs = await controlPlane.lastWords();
    await controlPlane.stop();
    if (signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ControlPlaneError('start-failed', `The control plane did not start: ${reason}\n${logs}`);
  }
}

async function writeCertificates(binary: string, directory: string, signal: AbortSignal): Promise<void> {
  const child = spawn(binary, ['certs', join(directory, 'pki')], { stdio: ['ignore', 'inherit', 'inherit'] });
  const end = await ended(child, signal);
  if (end.kind !== 'exit' || end.code !== 0)
    throw new ControlPlaneError('start-failed', `certificates: ${describe(end)}`);
}

/** Folders of launchers that were killed; their processes ended with them. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${directoryPrefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

class RunningControlPlane implements ControlPlane {
  readonly #layout: Layout;
  readonly #binaries: Readonly<Record<ProgramName, string>>;
  readonly #onProgress: (line: string) => void;
  readonly #children = new Map<PartName, ChildProcess>();
  readonly #agent: Agent;

  constructor(layout: Layout, binaries: Readonly<Record<ProgramName, string>>, onProgress: (line: string) => void) {
    this.#layout = layout;
    this.#binaries = binaries;
    this.#onProgress = onProgress;
    this.#agent = new Agent({ ca: layout.caPem, keepAlive: true, maxSockets: 4 });
  }

  get kubeconfigPath(): string {
    return this.#layout.users.admin.kubeconfigPath;
  }
  get token(): string {
    return this.#layout.users.admin.token;
  }
  get server(): string {
    return this.#layout.server;
  }
  get caPem(): string {
    return this.#layout.caPem;
  }
  get restricted(): Credentials {
    return this.#layout.users.restricted;
  }
  get directory(): string {
    return this.#layout.directory;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#spawn('etcd');
    this.#spawn('kube-apiserver'); // it waits for etcd itself
    await this.#until(['etcd', 'kube-apiserver'], signal, () => this.#answers('/readyz'));
    // These give up soon when there is no API server yet.
    for (const part of ['kube-controller-manager', 'kube-scheduler', 'stand-ins'] as const) this.#spawn(part);
    await this.#until([...this.#children.keys()], signal, () => this.#isUsable());
  }

  processes(): ReadonlyMap<PartName, number> {
    return new Map([...this.#children].flatMap(([part, { pid }]) => (pid === undefined ? [] : [[part, pid] as const])));
  }

  async restart(part: PartName): Promise<void> {
    await this.#kill(part);
    this.#spawn(part);
    await this.#until([part], AbortSignal.timeout(60_000), () => this.#isUsable());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((part) => this.#kill(part)));
    this.#agent.destroy();
    await rm(this.#layout.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The end of each log, for the message of a start that failed. */
  async lastWords(): Promise<string> {
    const ends = [...this.#children.keys()].map(async (part) => {
      const log = await readFile(this.#logOf(part), 'utf8').catch(() => '');
      return `--- ${part}\n${log.trimEnd().split('\n').slice(-12).join('\n')}`;
    });
    return (await Promise.all(ends)).join('\n');
  }

  #logOf(part: PartName): string {
    return join(this.#layout.directory, `${part}.log`);
  }

  #spawn(part: PartName): void {
    const { program, arguments: flags } = this.#layout.commands[part];
    const log = openSync(this.#logOf(part), 'a', 0o600);
    try {
      const child = spawn(this.#binaries[program], flags, {
        cwd: this.#layout.directory,
        // Nothing of the user's: HOME and KUBECONFIG would let a part read settings of another cluster.
        env: { PATH: process.env['PATH'], HOME: this.#layout.directory, TIPHYS_EXIT_WITH_STDIN: '1' },
        stdio: ['pipe', log, log],
        detached: true,
      });
      child.once('error', (error) => this.#onProgress(`${part} could not be started: ${error.message}`));
      child.once('exit', (code, name) => {
        if (this.#children.get(part) === child) this.#onProgress(`${part} ended by itself (${String(code ?? name)})`);
      });
      this.#children.set(part, child);
    } finally {
      closeSync(log);
    }
  }

  async #kill(part: PartName): Promise<void> {
    const child = this.#children.get(part);
    this.#children.delete(part);
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    killGroup(child);
    await exit;
  }

  /** Asks until the answer is yes; ends early when one of the parts has ended. */
  async #until(parts: readonly PartName[], signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue().catch(() => false))) {
      const dead = parts.find((part) => {
        const child = this.#children.get(part);
        return child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
      });
      if (dead !== undefined) throw new Error(`${dead} ended`);
      if (signal.aborted) throw new Error('not ready in time');
      await sleep(50);
    }
  }

  async #answers(path: string): Promise<boolean> {
    return (await this.#get(path)).status === 200;
  }

  async #isUsable(): Promise<boolean> {
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    if (!(await this.#answers('/readyz')) || !(await this.#answers(account))) return false;
    const list = JSON.parse((await this.#get('/api/v1/nodes')).body) as NodeList;
    return list.items.length === 2 && list.items.every(isReady);
  }

  async #get(path: string): Promise<{ status: number; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
    const sent = request(
      new URL(path, this.server),
      { agent: this.#agent, headers: { authorization: `Bearer ${this.token}` }, signal: AbortSignal.timeout(5000) },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.once('error', reject);
      },
    );
    sent.once('error', reject).end();
    return promise;
  }
}

/** What we read of a list of nodes; the API server's own output, so it is taken at its word. */
type NodeList = Readonly<{ items: readonly NodeFacts[] }>;
type NodeFacts = Readonly<{
  spec: { taints?: readonly unknown[] };
  status: { conditions?: readonly { type: string; status: string }[] };
}>;

/** A node counts when the scheduler would use it: Ready, and the node-lifecycle controller has taken the taints off. */
const isReady = ({ spec, status }: NodeFacts): boolean =>
  (spec.taints ?? []).length === 0 && (status.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True');
