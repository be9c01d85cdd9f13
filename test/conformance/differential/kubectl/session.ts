import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectlPath } from '../../harness/tools.ts';
import { splitWords } from './words.ts';

/** What one line of a script printed. Standard error comes after standard output. */
export type Printed = Readonly<{ line: string; output: string; /** How long the command took. */ ms?: number }>;

/** A script of kubectl commands that needs nothing of other scripts but the cluster. */
export type Scene = Readonly<{
  name: string;
  /** Written into the folder that the commands run in. `NAMESPACE` in them is the scene's own namespace. */
  files: Readonly<Record<string, string>>;
  /** One command a line, without the word kubectl; see `Session.play`. */
  script: string;
}>;

type Place = Readonly<{ kubeconfig: string; folder: string; namespace: string }>;

/** Of the lines of a script that only look, one in so many is played, beginning with another one for each offset. */
export type Choice = Readonly<{ oneIn: number; offset: number }>;

const onlyLooks =
  /^(?:sorted: )?(?:get|describe|explain|api-resources|api-versions|auth|version|top|events|diff|rollout history)\b/;

const commandLimitMs = 30_000;
/** A watch shows what is there within this time, and what a command changes. */
const watchPauseMs = 700;

type Command = Readonly<{ mode: string; words: readonly string[]; env: Readonly<Record<string, string>> }>;

const modes = new Set(['last', 'sorted', 'code', 'watch', 'retry']);

function parseLine(line: string): Command {
  const words = [...splitWords(line)];
  const first = words[0] ?? '';
  const mode = first.endsWith(':') && modes.has(first.slice(0, -1)) ? first.slice(0, -1) : '';
  if (mode !== '') words.shift();
  const env: Record<string, string> = {};
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const [name = '', ...value] = (words.shift() ?? '').split('=');
    env[name] = value.join('=');
  }
  return { mode, words, env };
}

type Running = Readonly<{ child: ChildProcess; ended: Promise<string> }>;

/** Plays scenes with the real kubectl against one cluster. */
export class Session {
  readonly #place: Place;
  #watches: Readonly<{ line: string; running: Running }>[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  /**
   * Runs a script, line by line. A first word may say how the output is to be taken: `last:` its last line alone,
   * `sorted:` its lines in order, `code:` nothing but the exit code, `retry:` again until it succeeds, `watch:` in the
   * background until the line `stop`. `NAME=value` sets the environment; lines that begin with # are comments. A choice
   * leaves out some of the lines that only look; what changes something is always played.
   */
  async play(scene: Scene, choice: Choice): Promise<Printed[]> {
    await mkdir(this.#place.folder, { recursive: true });
    for (const [name, text] of Object.entries(scene.files))
      await writeFile(join(this.#place.folder, name), text.replaceAll('NAMESPACE', this.#place.namespace));
    const printed: Printed[] = [];
    let looked = 0;
    for (const raw of scene.script.split('\n')) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      looked += onlyLooks.test(line) ? 1 : 0;
      if (onlyLooks.test(line) && looked % choice.oneIn !== choice.offset % choice.oneIn) continue;
      printed.push(...(await this.#line(line)));
    }
    return printed;
  }

  async #line(line: string): Promise<Printed[]> {
    if (line === 'stop') return this.#stop();
    if (line.startsWith('sleep ')) {
      await sleep(Number(line.slice('sleep '.length)));
      return [];
    }
    const command = parseLine(line.replaceAll('NAMESPACE', this.#place.namespace));
    if (command.mode === 'watch') {
      this.#watches.push({ line, running: this.#start(command) });
      await sleep(watchPauseMs);
      return [];
    }
    const start = performance.now();
    const output = await this.#output(command);
    return [{ line, output, ms: Math.round(performance.now() - start) }];
  }

  async #output(command: Command): Promise<string> {
    const end = Date.now() + commandLimitMs;
    for (;;) {
      const output = await this.#start(command).ended;
      if (command.mode === 'code') return output.slice(output.lastIndexOf('exit '));
      const lines = output.split('\n');
      if (command.mode === 'last') return lines.slice(-2).join('\n');
      if (command.mode === 'sorted') return lines.toSorted().join('\n');
      if (command.mode !== 'retry' || output.endsWith('exit 0')) return output;
      if (Date.now() > end) throw new Error(`never succeeded: kubectl ${command.words.join(' ')}\n${output}`);
      await sleep(100);
    }
  }

  async #stop(): Promise<Printed[]> {
    await sleep(watchPauseMs);
    const watches = this.#watches.splice(0);
    for (const { running } of watches) running.child.kill('SIGTERM');
    return Promise.all(
      watches.map(async ({ line, running }) => ({ line, output: (await running.ended).replace(/\nexit .*$/, '') })),
    );
  }

  #start({ words, env }: Command): Running {
    const { kubeconfig, folder, namespace } = this.#place;
    const child = spawn(kubectlPath(), words, {
      cwd: folder,
      // A HOME of its own: kubectl keeps what it discovered there, by host and port.
      env: { PATH: process.env['PATH'], HOME: folder, TZ: 'UTC', KUBECONFIG: kubeconfig, NAMESPACE: namespace, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), commandLimitMs);
    const text = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text.out += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text.err += part));
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
      child.once('close', (code, signal) => {
        clearTimeout(limit);
        resolve(`${text.out}${text.err === '' ? '' : `stderr: ${text.err}`}exit ${String(code ?? signal)}`);
      });
    });
    return { child, ended };
  }
}
