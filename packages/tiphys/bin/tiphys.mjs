#!/usr/bin/env node
// Finds the pinned Node when an older one starts the program (`npx`, a shebang and a plain `node` all end up here), and runs the
// bundle of the sources where it is fresh: it starts several times faster than the sources themselves.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundledProgram, isBundleFresh, root } from './fresh-bundle.mjs';

const self = realpathSync(fileURLToPath(import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** npm links the pinned Node, but not every version of npm does. */
const pinnedNode = () =>
  [
    join(root, 'node_modules', '.bin', 'node'),
    join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'),
  ].find((path) => existsSync(path));

if (major > 24 || (major === 24 && minor >= 11)) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(join(root, '.cache', 'compile'));
  const program = isBundleFresh() ? bundledProgram : join(root, 'packages', 'tiphys', 'src', 'main.ts');
  await import(pathToFileURL(program).href);
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `tiphys needs Node 24.11 or newer; this is ${process.version}, and the pinned one is not installed. Run "npm start" once in the clone.\n`,
    );
    process.exit(20);
  }
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 20 : 130)));
}
