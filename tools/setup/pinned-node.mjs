import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isAtLeast, parseVersion, versionLine } from './child.mjs';
import { root } from './paths.mjs';
import { minimumNode } from './pins.mjs';
import { SetupError } from './say.mjs';

/** The Node that runs the program: the one of the lock file, else the one that runs this when it is new enough. */
export function pinnedNode() {
  const pinned = join(root, 'node_modules', '.bin', 'node');
  // A static binary for glibc may be there and not start (Alpine).
  if (existsSync(pinned) && isAtLeast(parseVersion(versionLine(pinned, ['--version'])), minimumNode)) return pinned;
  if (isAtLeast(parseVersion(process.version), minimumNode)) return process.execPath;
  throw new SetupError(
    `Tiphys runs on Node ${minimumNode.join('.')} or newer. It brings its own on Linux (x86-64 and arm64, glibc); ` +
      `here (${process.platform}-${process.arch}) it does not start, and yours is ${process.version}.\n` +
      'Install Node 24 from your system, from nodejs.org or with a version manager, then try again.',
  );
}
