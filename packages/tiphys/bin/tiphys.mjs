#!/usr/bin/env node
// Finds the pinned Node when an older one starts the program: `npx`, a shebang and a plain `node` all end up here.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const program = join(here, '..', 'src', 'main.ts');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 11)) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(join(here, '..', '..', '..', '.cache', 'compile'));
  await import(pathToFileURL(program).href);
} else {
  const node = join(here, '..', '..', '..', 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(
      `tiphys needs Node 24.11 or newer; this is ${process.version}, and the pinned one is not installed. Run "npm start" once in the clone.\n`,
    );
    process.exit(20);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 20 : 130)));
}
