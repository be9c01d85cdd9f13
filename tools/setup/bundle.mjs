import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { bundleDir, inputsFile, isBundleFresh, root, stateOf } from '../../packages/tiphys/bin/fresh-bundle.mjs';

const requireForCommonJs =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Bundles the program, so that a command starts fast. Never a reason to fail: without a bundle the sources run. It is made by the
 * pinned Node, because esbuild's own program is what a package manager installed for it.
 */
export function bundleProgram(node) {
  if (isBundleFresh()) return;
  const script = `
    import { build } from 'esbuild';
    const { metafile } = await build(${JSON.stringify({
      absWorkingDir: root,
      // The decode worker is a program of its own, which the renderer starts from beside the bundled one.
      entryPoints: {
        main: 'packages/tiphys/src/main.ts',
        'decode-worker': 'packages/engine/src/render/decode/worker.ts',
      },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      outdir: join(bundleDir, 'program'),
      outExtension: { '.js': '.mjs' },
      metafile: true,
      banner: { js: requireForCommonJs },
      logLevel: 'silent',
    })});
    process.stdout.write(JSON.stringify(Object.keys(metafile.inputs)));`;
  rmSync(bundleDir, { recursive: true, force: true });
  mkdirSync(bundleDir, { recursive: true });
  const built = spawnSync(node, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (built.status !== 0 || readdirSync(join(bundleDir, 'program')).length === 0) return;
  const inputs = JSON.parse(built.stdout).map((path) => [path, stateOf(join(root, path))]);
  writeFileSync(inputsFile, JSON.stringify(Object.fromEntries(inputs)));
}
