import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
mkdirSync(join(root, '.cache'), { recursive: true });
// As deep below the root as the real one: the program finds its package.json from where it lies.
const folder = mkdtempSync(join(root, '.cache', 'bundle-of-a-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: root,
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  return stdout;
};

const built = run([join(import.meta.dirname, 'build-bundle.mjs'), join(folder, 'program')]);
const parts = JSON.parse(built) as Readonly<Record<string, readonly string[]>>;

test('what a command can reach decides whether its part of the bundle is fresh, and nothing else', () => {
  const list = parts['app list'] ?? [];
  for (const path of [
    'packages/tiphys/src/main.ts',
    'packages/cli/src/commands/registry.ts',
    'packages/cli/src/commands/app/list.ts',
    'packages/cli/src/output/yaml-text.ts',
    'packages/kube/src/client/http2-lane.ts',
    'packages/api/src/json.ts',
  ])
    assert.ok(list.includes(path), path);
  const others = list.filter((path) => /^packages\/(?:kube-sim|controllers)\/|commands\/app\/diff\.ts$/.test(path));
  assert.deepEqual(others, []);
  const all = new Set(parts['all']);
  assert.ok(all.has('packages/controllers/src/index.ts'));
  for (const [part, paths] of Object.entries(parts))
    for (const path of paths) assert.ok(all.has(path), `${part}: ${path}`);
});

test('a command of the bundle loads no large part of Node that it does not use', () => {
  const tell = 'data:text/javascript,process.on("exit", () => console.log(process.moduleLoadList.join("\\n")))';
  const loaded = run(['--import', tell, join(folder, 'program', 'main.mjs'), 'version', '--client']);
  assert.match(loaded, /: v\d/);
  const unwanted = /^NativeModule (?:internal\/deps\/undici\/undici|http|tls|crypto|worker_threads|child_process)$/gm;
  assert.deepEqual(loaded.match(unwanted), null);
});
