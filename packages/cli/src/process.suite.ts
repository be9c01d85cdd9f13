import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { at, parseJson, parseYaml, stringAt } from '@tiphys/api';
import { type Access, type ClusterUnderTest, openClusterUnderTest } from './cluster-under-test.suite.ts';

const launcher = join(import.meta.dirname, '../../tiphys/bin/tiphys.mjs');

type Ran = Readonly<{ exit: number | null; out: string; err: string }>;

type Start = Readonly<{
  input?: string;
  env?: Readonly<Record<string, string>>;
  /** What is done with the running process. */
  meanwhile?: (child: ReturnType<typeof spawn>) => Promise<void>;
}>;

/** The program as its users start it: a process with a command line, an environment and pipes. */
export function processSuite(access: () => Promise<Access>): void {
  describe('the program as a process', { concurrency: 1 }, () => {
    let world: ClusterUnderTest;

    async function tiphys(words: readonly string[], { input = '', env = {}, meanwhile }: Start = {}): Promise<Ran> {
      const child = spawn(process.execPath, [launcher, ...words], {
        env: {
          PATH: process.env['PATH'],
          HOME: world.folder,
          KUBECONFIG: join(world.folder, 'kubeconfig'),
          ARGOCD_NAMESPACE: world.control,
          ...env,
        },
        timeout: 120_000,
      });
      child.stdin.on('error', () => undefined).end(input);
      const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
      await meanwhile?.(child);
      if (child.exitCode === null) await once(child, 'close');
      const [out, err] = await outputs;
      return { exit: child.exitCode, out, err };
    }
    const manifest = (name: string): string =>
      JSON.stringify({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name },
        spec: {
          project: 'default',
          source: { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
          destination: { server: 'https://kubernetes.default.svc', namespace: world.target },
        },
      });

    before(async () => {
      world = await openClusterUnderTest(await access());
    });
    after(() => world[Symbol.asyncDispose]());

    test('CLI-01 an application from creation to deletion, with input and output through pipes', async () => {
      const created = await tiphys(['app', 'create', '-f', '-'], { input: manifest('shop') });
      assert.deepEqual(created, { exit: 0, out: "application 'shop' created\n", err: '' });
      assert.equal((await tiphys(['app', 'set', 'shop', '--revision', 'v2'])).exit, 0);
      const { out } = await tiphys(['app', 'get', 'shop', '-o', 'json']);
      assert.equal(stringAt(parseJson(out), 'spec', 'source', 'targetRevision'), 'v2');
      assert.equal((await tiphys(['app', 'list', '-o', 'name'])).out, `${world.control}/shop\n`);
      const asked = await tiphys(['app', 'delete', 'shop', '--cascade=false'], { input: 'n\n' });
      assert.deepEqual([asked.exit, asked.out], [20, '']);
      const deleted = await tiphys(['app', 'delete', 'shop', '--cascade=false'], { input: 'y\n' });
      assert.deepEqual([deleted.exit, deleted.out], [0, "application 'shop' deleted\n"]);
    });
    test('CLI-03 exit codes and streams: 1 for the command line, 20 at run time, 2 for a diff', async () => {
      for (const [words, code] of [
        [['app', 'gett'], 1],
        [['app', 'get', 'nowhere'], 20],
        [['app', 'diff', 'nowhere'], 2],
      ] as const) {
        const { exit, out, err } = await tiphys(words);
        assert.deepEqual([exit, out], [code, ''], words.join(' '));
        assert.match(err, /^error: /);
      }
      const unreachable = await tiphys(['app', 'list'], { env: { KUBECONFIG: join(world.folder, 'nothing') } });
      assert.equal(unreachable.exit, 20);
      assert.match(unreachable.err, /no cluster to talk to/);
    });
    test('ARGOCD_OPTS, and no colour where no terminal is', async () => {
      await tiphys(['app', 'create', '-f', '-'], { input: manifest('plain') });
      const { out } = await tiphys(['app', 'get', 'plain'], { env: { ARGOCD_OPTS: '-o yaml --grpc-web' } });
      assert.equal(at(parseYaml(out), 'kind'), 'Application');
      assert.doesNotMatch((await tiphys(['app', 'get', 'plain'])).out, /\u001b/);
    });
    test('edit starts the editor of the environment', async () => {
      const editor = join(world.folder, 'ed.sh');
      await writeFile(editor, '#!/bin/sh\nsed -i "s/path: k8s/path: $1/" "$2"\n');
      await chmod(editor, 0o700);
      const { exit, out } = await tiphys(['app', 'edit', 'plain'], { env: { EDITOR: `${editor} moved` } });
      assert.deepEqual([exit, out], [0, "application 'plain' edited\n"]);
      assert.match((await tiphys(['app', 'get', 'plain'])).out, /Path: +moved/);
    });
    test('a reader that goes away ends the program without noise', async () => {
      // More than a pipe holds, so that the program is still writing when its reader goes.
      const script = '"$0" "$1" completion fish | head -n 1; echo "exit ${PIPESTATUS[0]}"';
      const bash = spawn('bash', ['-c', script, process.execPath, launcher], {
        env: { PATH: process.env['PATH'], HOME: world.folder },
      });
      const [out, err] = await Promise.all([text(bash.stdout), text(bash.stderr)]);
      assert.deepEqual([out.split('\n').at(-2), err], ['exit 141', '']);
    });
    test('Ctrl-C ends a wait with 130', async () => {
      const { exit } = await tiphys(['app', 'wait', 'plain', '--health'], {
        meanwhile: async (child) => {
          for (;;) {
            const { out } = await world.cli(['app', 'get', 'plain', '-o', 'json']);
            if (out.includes('argocd.argoproj.io/refresh')) break;
          }
          child.kill('SIGINT');
        },
      });
      assert.equal(exit, 130);
    });
    test('help names the commands and what else the program can be', async () => {
      const { exit, out } = await tiphys(['--help']);
      assert.equal(exit, 0);
      for (const word of ['app', 'repo', 'version', 'controller', 'demo'])
        assert.match(out, new RegExp(`^  ${word} `, 'm'));
    });
    test('completion scripts are good shell', async () => {
      const { out } = await tiphys(['completion', 'bash']);
      const script = `${out}\nCOMP_WORDS=(tiphys app ro); COMP_CWORD=2; _tiphys_complete; echo "\${COMPREPLY[@]}"`;
      const bash = spawn('bash', ['-c', script]);
      assert.equal((await text(bash.stdout)).trim(), 'rollback');
    });
  });
}
