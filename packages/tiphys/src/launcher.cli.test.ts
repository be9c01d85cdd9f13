import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const bin = join(root, 'node_modules/.bin');
const ofThisNode = new RegExp(`Runtime: +node v${process.versions.node.replaceAll('.', '\\.')}$`, 'm');

/** What makes a Node take itself for an older one. */
const pretence = `
  const of = (name, value) => Object.defineProperty(process, name, { value });
  of('getBuiltinModule', undefined);
  of('version', 'v18.20.0');
  of('versions', { ...process.versions, node: '18.20.0' });`;

describe('the launcher', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tiphys-launcher-'));
    writeFileSync(join(folder, 'older.mjs'), pretence);
    writeFileSync(join(folder, 'node'), `#!/bin/sh\nexec '${process.execPath}' --import '${folder}/older.mjs' "$@"\n`);
    chmodSync(join(folder, 'node'), 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(file: string, args: readonly string[], { path = [] as string[], cwd = root } = {}) {
    const env = { PATH: [...path, process.env['PATH'] ?? ''].join(delimiter), HOME: folder };
    const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: 'utf8', timeout: 60_000 });
    return { status, stdout, stderr };
  }

  for (const [what, file, args] of [
    ['node_modules/.bin/tiphys', join(bin, 'tiphys'), []],
    ['node_modules/.bin/argocd', join(bin, 'argocd'), []],
    ['npx tiphys', 'npx', ['--offline', '--no', 'tiphys']],
    ['npx argocd', 'npx', ['--offline', '--no', 'argocd']],
  ] as const)
    test(`${what} runs the program of the clone, under that name`, () => {
      const { status, stdout, stderr } = run(file, [...args, 'version', '--client']);
      assert.equal(status, 0, stderr);
      assert.match(stdout, new RegExp(`^${what.endsWith('argocd') ? 'argocd' : 'tiphys'}: v`));
    });

  for (const name of ['tiphys', 'argocd'])
    test(`${name}, started by an older Node, runs on the pinned one`, { skip: !existsSync(join(bin, 'node')) }, () => {
      assert.equal(run('node', ['--print', 'process.version'], { path: [folder] }).stdout, 'v18.20.0\n');
      const { status, stdout, stderr } = run(join(bin, name), ['version', '--client'], { path: [folder] });
      assert.equal(status, 0, stderr);
      assert.match(stdout, ofThisNode);
      assert.match(stdout, new RegExp(`^${name}: v`));
      assert.equal(run(join(bin, name), ['app', 'gett'], { path: [folder] }).status, 1);
    });

  test('without a pinned Node an older one says which is needed and how to get it', () => {
    const clone = join(folder, 'clone');
    mkdirSync(join(clone, 'packages/tiphys'), { recursive: true });
    cpSync(join(root, 'packages/tiphys/bin'), join(clone, 'packages/tiphys/bin'), { recursive: true });
    const launcher = join(clone, 'packages/tiphys/bin/tiphys.mjs');
    const { status, stdout, stderr } = run('node', [launcher, 'version'], { path: [folder], cwd: clone });
    assert.deepEqual([status, stdout], [20, '']);
    assert.match(
      stderr,
      /^tiphys needs Node 24\.11 or newer; this is v18\.20\.0, .* Run "npm start" once in the clone\.\n$/,
    );
  });
});
