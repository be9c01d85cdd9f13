import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** The pinned Node: what the program runs on. */
export const nodePath = join(root, 'node_modules', '.bin', 'node');

/** The real kubectl that set-up fetches; fetched now when it is not there yet. */
export function kubectlPath(): string {
  const path = join(root, '.cache', 'tools', 'kubectl');
  if (!existsSync(path)) execFileSync(process.execPath, [join(root, 'tools/setup/main.mjs'), '--print-tools']);
  return path;
}

export type RunOptions = Readonly<{ cwd?: string; env?: NodeJS.ProcessEnv; input?: string; timeoutMs?: number }>;

/** Runs a program to its end and returns what it printed. @throws Error with both outputs when it fails */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { promise, resolve: done, reject } = Promise.withResolvers<string>();
  const settings = {
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 64 * 1024 * 1024,
  };
  const child = execFile(file, [...args], settings, (error, stdout, stderr) => {
    if (error === null) done(stdout);
    else reject(new Error(`${file} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`));
  });
  child.stdin?.on('error', () => undefined); // the program may end without reading it
  child.stdin?.end(options.input ?? '');
  return promise;
}
