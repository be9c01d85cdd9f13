import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cliSettings } from '../cluster-under-test.suite.ts';
import type { Corner } from './corner.suite.ts';

/** Words, options, help and exit codes, before any command does its work. */
export function commandLineTests(corner: Corner): void {
  const { cli } = corner;

  describe('the command line itself', () => {
    test('CLI-05 a misspelt verb gets the nearest one, and 1', async () => {
      assert.deepEqual(await cli(['app', 'refrsh']), {
        exit: 1,
        out: '',
        err: 'error: unknown command "app refrsh"; did you mean "app refresh"?\n',
      });
      assert.deepEqual(await cli(['ap']), {
        exit: 1,
        out: '',
        err: 'error: unknown command "ap"; did you mean "app"?\n',
      });
    });
    test('CLI-03 wrong arguments give 1, errors at run time 20, both on standard error', async () => {
      for (const words of [
        ['app', 'get'],
        ['app', 'get', 'x', '--frob'],
        ['app', 'list', '-o', 'xml'],
        ['app', 'wait', 'x', '--timeout', 'soon'],
        ['app', 'sync'],
      ]) {
        const { exit, out, err } = await cli(words);
        assert.equal(exit, 1, words.join(' '));
        assert.equal(out, '');
        assert.match(err, /^error: /);
      }
      const { exit, out, err } = await cli(['app', 'get', 'nowhere']);
      assert.deepEqual(
        [exit, out, err],
        [20, '', `error: application ${corner.control}/nowhere not found [operation/not-found]\n`],
      );
    });
    test('CLI-03 a cluster that cannot be reached gives 20', async () => {
      await writeFile(
        join(corner.world.folder, 'dead'),
        (await readFile(join(corner.world.folder, 'kubeconfig'), 'utf8')).replace(
          /server: .*/,
          'server: https://127.0.0.1:1',
        ),
      );
      const { exit, err } = await cli([
        'app',
        'list',
        '--kubeconfig',
        join(corner.world.folder, 'dead'),
        '--request-timeout',
        '2s',
      ]);
      assert.equal(exit, 20);
      assert.match(err, /\[kube\/(unreachable|timeout)\]/);
    });
    test('help of every command has examples, and 0', async () => {
      for (const words of [['app', 'sync'], ['app', 'create'], ['repo', 'add'], ['version'], ['completion']]) {
        const { exit, out } = await cli([...words, '--help']);
        assert.equal(exit, 0);
        assert.match(out, /\nExamples:\n {2}tiphys /);
        assert.equal((await cli(['help', ...words])).out, out);
      }
    });
    test('CLI-01 flags take their value behind "=", flags without value take true and false, and stand anywhere', async () => {
      assert.equal(
        (await cli(['--kubeconfig', join(corner.world.folder, 'kubeconfig'), 'app', 'list', '-o=name'])).exit,
        0,
      );
      assert.equal((await cli(['app', 'list', '--core=true', '--grpc-web', `--namespace=${corner.control}`])).exit, 0);
    });
    test('ARGOCD_OPTS stand before the words of the command line', async () => {
      const settings = { ...cliSettings(corner.control), options: ['-o', 'json'] };
      assert.equal((await cli(['app', 'list'], { settings })).exit, 0);
    });
    test('completion knows every command', async () => {
      for (const shell of ['bash', 'zsh', 'fish']) {
        const { exit, out } = await cli(['completion', shell]);
        assert.equal(exit, 0);
        for (const word of ['terminate-op', 'repo', 'dest-server']) assert.match(out, new RegExp(word));
      }
      assert.equal((await cli(['completion', 'tcsh'])).exit, 1);
    });
    test('CLI-06 version tells the cluster as well, and does without it', async () => {
      const { exit, out } = await cli(['version']);
      assert.equal(exit, 0);
      assert.match(out, /^tiphys: v0\.1\.0\n[^]*kubernetes: v1\.35/);
      const alone = await cli(['version'], { connect: () => Promise.reject(new Error('no way there')) });
      assert.deepEqual([alone.exit, alone.err], [0, 'kubernetes: unknown (no way there)\n']);
    });
  });
}
