import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Corner } from './corner.suite.ts';

/** Repositories and their credentials. */
export function repositoryTests(corner: Corner): void {
  const { cli } = corner;

  describe('repositories', () => {
    test('CLI-24 CLI-25 CLI-26 CLI-27 add stores credentials, list shows none', async () => {
      await writeFile(join(corner.world.folder, 'key'), 'PRIVATE KEY');
      const https = await cli([
        'repo',
        'add',
        'https://git.example.com/r.git',
        '--username',
        'u',
        '--password',
        'hidden',
      ]);
      assert.deepEqual([https.exit, https.out], [0, "Repository 'https://git.example.com/r.git' added\n"]);
      assert.equal(
        (
          await cli([
            'repo',
            'add',
            'git@git.example.com:r2.git',
            '--ssh-private-key-path',
            join(corner.world.folder, 'key'),
          ])
        ).exit,
        0,
      );
      assert.equal((await cli(['repo', 'add', 'https://charts.example.com', '--type', 'helm'])).exit, 1);
      assert.equal(
        (await cli(['repo', 'add', 'https://charts.example.com', '--type', 'helm', '--name', 'charts'])).exit,
        0,
      );
      for (const format of ['wide', 'json', 'yaml']) {
        const { out } = await cli(['repo', 'list', '-o', format]);
        assert.match(out, /charts/);
        assert.doesNotMatch(out, /hidden|PRIVATE/);
      }
    });
  });
}
