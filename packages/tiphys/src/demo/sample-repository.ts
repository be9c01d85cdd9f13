import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const demoUser = { name: 'Tiphys demo', email: 'demo@localhost' };

/** Identity of the sample's commits, given on the command line so that no user configuration is needed or touched. */
const identity = [
  '-c',
  `user.name=${demoUser.name}`,
  '-c',
  `user.email=${demoUser.email}`,
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
  // A machine on which nobody has told git a name yet would refuse the visitor's first commit.
  const isKnown = await run('git', ['config', '--get', 'user.email'], { cwd: directory }).then(
    () => true,
    () => false,
  );
  if (!isKnown) {
    await git(directory, ['config', 'user.name', demoUser.name]);
    await git(directory, ['config', 'user.email', demoUser.email]);
  }
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
