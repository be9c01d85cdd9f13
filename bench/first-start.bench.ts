/** `npm start -- --once` when set-up is done: time to the first application Synced and Healthy, and to all of them. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { numberFlag } from './flags.ts';
import { helmRun, median, print } from './measure.ts';

const rounds = numberFlag('rounds', 3);
const root = join(import.meta.dirname, '..');

/** Seconds since the process was started. */
type Times = Readonly<{ first: number; all: number }>;

/** A line of the plain output: `  NAME: Synced, Healthy at REVISION`. */
const isDoneLine = (line: string): boolean => /^\s*\S+: Synced, Healthy\b/.test(line);

async function start(directory: string): Promise<Times> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const child = spawn('npm', ['start', '--silent', '--', '--once', `--dir=${directory}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 240_000,
  });
  let first: number | undefined;
  let all: number | undefined;
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (isDoneLine(line)) first ??= seconds();
      // The table of the last screen stands when all are done.
      if (/^APPLICATION\s+SYNC/.test(line)) all ??= seconds();
    });
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 128)));
  if (code !== 0 || first === undefined || all === undefined)
    throw new Error(`npm start -- --once ended with ${code}:\n${lines.slice(-30).join('\n')}`);
  return { first, all };
}

const folder = await mkdtemp(join(tmpdir(), 'tiphys-bench-start-'));
try {
  await start(join(folder, 'warm-up'));
  const fresh: Times[] = [];
  for (let round = 0; round < rounds; round += 1) fresh.push(await start(join(folder, `fresh-${round}`)));
  const kept = await start(join(folder, 'fresh-0'));

  const helm = await helmRun();
  const yardstick = { ...helm, value: helm.value / 1000, unit: 's' };
  const claim = 'npm start -- --once, set-up done';
  const show = (what: string, times: readonly number[], atMost: number): void =>
    print({ claim: `${claim}, ${what}`, value: median(times), unit: 's', yardstick, atMost });
  show(
    'first application Synced and Healthy',
    fresh.map(({ first }) => first),
    3,
  );
  show(
    'all Synced and Healthy',
    fresh.map(({ all }) => all),
    10,
  );
  show('state kept: first application', [kept.first], 3);
  show('state kept: all', [kept.all], 10);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
