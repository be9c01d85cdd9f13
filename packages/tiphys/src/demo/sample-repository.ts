import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Identity of the sample's commits, given on the command line so that no user configuration is needed or touched. */
const identity = [
  '-c',
  'user.name=Tiphys demo',
  '-c',
  'user.email=demo@localhost',
  '-c',
  'commit.gpgsign=false',
  '-c',
  'init.defaultBranch=main',
];

async function git(directory: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', [...identity, ...args], { cwd: directory, timeout: 30_000, maxBuffer: 1 << 20 });
  return stdout.trim();
}

/** Makes a Git repository of the examples, unless it is there already: a restart finds the visitor's commits again. */
export async function ensureSampleRepository(directory: string, examples: string): Promise<void> {
  const present = await stat(join(directory, '.git')).catch(() => undefined);
  if (present !== undefined) return;
  await mkdir(directory, { recursive: true });
  await cp(examples, directory, { recursive: true });
  await git(directory, ['init', '--quiet']);
  await git(directory, ['add', '--all']);
  await git(directory, ['commit', '--quiet', '--message', 'The sample applications']);
}

/** The Application manifests of the sample: file name and text. */
export async function sampleApplicationFiles(examples: string): Promise<string[]> {
  const names = await readdir(join(examples, 'applications'));
  return names
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(examples, 'applications', name));
}
