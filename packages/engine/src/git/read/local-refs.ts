import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const maxLooseRefs = 2000;
const maxHeadBytes = 4096;

async function describe(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return '-';
  }
}

/** The loose refs below a folder with their contents (41 bytes each: cheaper and surer than their times). */
async function looseRefs(folder: string): Promise<readonly string[] | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'));
  if (files.length > maxLooseRefs) return undefined;
  const names = files.map((file) => join(file.parentPath, file.name)).sort();
  return Promise.all(names.map(async (name) => `${name} ${await readFile(name, 'utf8').catch(() => '-')}`));
}

/**
 * A text that changes whenever a local repository's refs do, read without starting git, so that a commit can be noticed within a
 * moment at next to no cost. Undefined when the repository is laid out in a way that this does not know: then git has to be asked.
 */
export async function localFingerprint(directory: string): Promise<string | undefined> {
  for (const gitDir of [join(directory, '.git'), directory]) {
    try {
      const file = join(gitDir, 'HEAD');
      const found = await stat(file);
      // Whoever made the folder may have put anything there.
      if (!found.isFile() || found.size > maxHeadBytes) return undefined;
      const head = await readFile(file, 'utf8');
      const loose = await looseRefs(join(gitDir, 'refs'));
      if (loose === undefined) return undefined;
      const packed = await describe(join(gitDir, 'packed-refs'));
      const table = await describe(join(gitDir, 'reftable', 'tables.list'));
      return createHash('sha256')
        .update([gitDir, head, packed, table, ...loose].join('\n'))
        .digest('hex');
    } catch {
      // Not a repository of this layout.
    }
  }
  return undefined;
}
