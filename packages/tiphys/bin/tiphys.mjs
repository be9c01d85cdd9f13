#!/usr/bin/env node
// Finds the pinned Node when an older one starts the program (`npx`, a shebang and a plain `node` all end up here), and runs the
// bundle of the sources where it is fresh: it starts several times faster than the sources themselves.
import { builtin, bundledProgram, isBundleFresh, root } from './fresh-bundle.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** npm links the pinned Node, but not every version of npm does. */
function pinnedNode() {
  const { existsSync } = builtin('node:fs');
  const binary = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
  return ['node_modules/.bin/node', binary].map((path) => `${root}/${path}`).find((path) => existsSync(path));
}

/** Starts the program anew with the pinned Node, as if that had started it. */
function runWith(node) {
  const { spawn } = builtin('node:child_process');
  // Under the name that it was called by: `argocd` is a link to this file.
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 20 : 130)));
}

if (major > 24 || (major === 24 && minor >= 11)) {
  builtin('node:module').enableCompileCache(`${root}/.cache/compile`);
  const program = isBundleFresh(process.argv.slice(2)) ? bundledProgram : `${root}/packages/tiphys/src/main.ts`;
  await import(builtin('node:url').pathToFileURL(program).href);
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `tiphys needs Node 24.11 or newer; this is ${process.version}, and the pinned one is not installed. Run "npm start" once in the clone.\n`,
    );
    process.exit(20);
  }
  runWith(node);
}
