import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { requireUnpackedSize } from './chart-archives.ts';

const withoutProc = process.platform === 'linux' ? false : 'open files are listed on Linux alone';

function archive(t: TestContext, content: Buffer): string {
  const directory = mkdtempSync(join(tmpdir(), 'tiphys-archive-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'chart.tgz');
  writeFileSync(file, content);
  return file;
}

const linkOf = (descriptor: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
};

test('an archive that unpacks to too much is refused, and its file is closed', { skip: withoutProc }, async (t) => {
  // Random bytes behind the zeros: most of the file is unread when it is refused.
  const rest = gzipSync(randomBytes(1024 * 1024));
  const file = archive(t, Buffer.concat([gzipSync(Buffer.alloc(4 * 1024 * 1024)), rest]));
  await assert.rejects(requireUnpackedSize(file, 1024 * 1024, 'chart "shop" 1.0.0'), {
    code: 'git/too-large',
    message: /^chart "shop" 1\.0\.0 unpacks to more than 1048576 bytes/,
  });
  assert.deepEqual(
    readdirSync('/proc/self/fd')
      .map(linkOf)
      .filter((name) => name === file),
    [],
  );
});

test('what unpacks to as much as it may, and what is no archive, is for Helm to read', async (t) => {
  const content = Buffer.alloc(1024 * 1024);
  await requireUnpackedSize(archive(t, gzipSync(content)), content.length, 'chart');
  await requireUnpackedSize(archive(t, content), 1024, 'chart');
});
