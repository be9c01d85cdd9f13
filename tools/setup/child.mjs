import { spawn, spawnSync } from 'node:child_process';

/** What is kept of a tool's output for an error message. */
const keptOutputBytes = 64 * 1024;

/**
 * Runs a program to its end, quietly. A time-out or Ctrl-C ends its whole process group.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs: number, onOutput?: (text: string) => void }} options
 * @returns {Promise<{ code: number, output: string, timedOut: boolean, missing: boolean }>} `output` is the end of both streams
 */
export function runQuietly(file, args, { cwd, env, timeoutMs, onOutput }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let timedOut = false;
    const kill = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL'); // it was not a group leader any more, or has ended
      }
    };
    const interrupted = () => {
      kill();
      process.exit(130);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const end = (code, missing) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve({ code, output, timedOut, missing });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-keptOutputBytes);
        onOutput?.(text);
      });
    }
    child.once('error', (error) => end(127, error.code === 'ENOENT'));
    child.once('close', (code) => end(code ?? 1, false));
  });
}

/**
 * Hands the terminal over to a program and waits for it; signals sent to us alone are passed on.
 * @returns {Promise<number>} its exit code (128 + n after signal n)
 */
export function runInForeground(file, args, { cwd, env }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: 'inherit' });
    // On Ctrl-C the terminal tells the child itself; we only have to outlive it.
    const ignore = () => {};
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', ignore);
    process.on('SIGTERM', forward);
    process.on('SIGHUP', forward);
    const end = (code) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', forward);
      process.off('SIGHUP', forward);
      resolve(code);
    };
    child.once('error', () => end(127));
    child.once('close', (code, signal) => end(code ?? 128 + (signalNumbers[signal] ?? 1)));
  });
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** The first line that a program prints for its version, or undefined when it cannot be started. */
export function versionLine(file, args) {
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.split('\n')[0].trim() : undefined;
}

/** The first version number in a text as numbers, `[2, 43, 0]`; undefined when there is none. */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '');
  return match === null ? undefined : match.slice(1).map((part) => Number(part ?? 0));
}

/** Whether a version, as parseVersion gives it, is at least the minimum. */
export function isAtLeast(version, minimum) {
  if (version === undefined) return false;
  for (let i = 0; i < minimum.length; i += 1) {
    if (version[i] !== minimum[i]) return version[i] > minimum[i];
  }
  return true;
}
