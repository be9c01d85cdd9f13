import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes a home for one tool in a folder of its own, and takes it away afterwards with all that was written there: logins, keys. */
export async function withToolFolder<T>(runsDir: string, use: (home: string) => Promise<T>): Promise<T> {
  const root = join(runsDir, randomUUID());
  const home = join(root, 'home');
  await mkdir(join(home, 'tmp'), { recursive: true, mode: 0o700 });
  try {
    return await use(home);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
