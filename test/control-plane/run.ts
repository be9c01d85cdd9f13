import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ControlPlaneError, startControlPlane } from './start.ts';

/*
 * run.ts                  starts the control plane, prints the path of its kubeconfig, stops it on Ctrl-C
 * run.ts -- COMMAND ...   runs COMMAND with TIPHYS_TEST_KUBECONFIG set, stops, and ends with COMMAND's exit code
 *
 * Exit code 75 (try again when something has changed): there is no Go here. 130: interrupted.
 */
const noGoExitCode = 75;

const stopping = new AbortController();

async function main(commandLine: readonly string[]): Promise<number> {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort());
  await using controlPlane = await startControlPlane({ signal: stopping.signal });
  const [command, ...rest] = commandLine;
  if (command !== undefined) return await runCommand([command, ...rest], controlPlane.kubeconfigPath);
  console.log(controlPlane.kubeconfigPath);
  const wait = setInterval(() => undefined, 60_000); // a signal handler alone does not keep node alive
  if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  clearInterval(wait);
  return 0;
}

/** The command shares our terminal, so Ctrl-C reaches it directly; we wait for its end either way. */
async function runCommand([command, ...rest]: [string, ...string[]], kubeconfigPath: string): Promise<number> {
  const child = spawn(command, rest, {
    stdio: 'inherit',
    env: { ...process.env, TIPHYS_TEST_KUBECONFIG: kubeconfigPath },
  });
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill(name));
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => {
    console.error(`${command}: ${error.message}`);
    resolve(127);
  });
  child.once('close', (code, name) => resolve(code ?? 128 + (name === null ? 0 : constants.signals[name])));
  return promise;
}

const separator = process.argv.indexOf('--');
try {
  process.exitCode = await main(separator === -1 ? [] : process.argv.slice(separator + 1));
} catch (error) {
  const interrupted = stopping.signal.aborted;
  const noGo = error instanceof ControlPlaneError && error.code === 'no-go';
  if (!interrupted) console.error(noGo ? `SKIPPED: ${error.message}` : error instanceof Error ? error.message : error);
  process.exitCode = interrupted ? 130 : noGo ? noGoExitCode : 1;
}
