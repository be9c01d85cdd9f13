import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { bundleDir, inputsFile, isBundleFresh, root, stateOf } from '../../packages/tiphys/bin/fresh-bundle.mjs';

/**
 * Bundles the program, so that a command starts fast. Never a reason to fail: without a bundle the sources run. It is made by the
 * pinned Node, because esbuild's own program is what a package manager installed for it.
 */
export function bundleProgram(node) {
  if (isBundleFresh()) return;
  rmSync(bundleDir, { recursive: true, force: true });
  mkdirSync(bundleDir, { recursive: true });
  const built = spawnSync(node, [join(root, 'tools', 'setup', 'build-bundle.mjs'), join(bundleDir, 'program')], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (built.status !== 0 || readdirSync(join(bundleDir, 'program')).length === 0) return;
  mkdirSync(dirname(inputsFile()));
  for (const [part, paths] of Object.entries(JSON.parse(built.stdout)))
    writeFileSync(inputsFile(part), JSON.stringify(Object.fromEntries(paths.map((path) => [path, stateOf(path)]))));
}
