import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAtLeast, parseVersion, versionLine } from './child.mjs';
import { root } from './paths.mjs';
import { minimumNode } from './pins.mjs';
import { SetupError } from './say.mjs';

const packageName = `node-${process.platform}-${process.arch}`;

/** The Node that runs the program: the one of the lock file, else the one that runs this when it is new enough. */
export function pinnedNode() {
  const pinned = linkedNode();
  // A binary for glibc may be there and not start (Alpine).
  if (pinned !== undefined && isNewEnough(versionLine(pinned, ['--version']))) return pinned;
  if (isNewEnough(process.version)) return process.execPath;
  throw new SetupError(
    `Tiphys runs on Node ${minimumNode.join('.')} or newer. It brings its own on Linux (x86-64 and arm64, glibc); ` +
      `here (${process.platform}-${process.arch}) it ${pinned === undefined ? 'brings none' : 'does not start'}, and yours is ${process.version}.\n` +
      'Install Node 24 from your system, from nodejs.org or with a version manager, then try again.',
  );
}

const isNewEnough = (version) => isAtLeast(parseVersion(version), minimumNode);

/** `node_modules/.bin/node`; npm 10 leaves the link out, because the package for the other processor has the same one. */
function linkedNode() {
  const link = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(link)) return link;
  const binary = join('..', packageName, 'bin', 'node');
  if (!existsSync(join(dirname(link), binary))) return undefined;
  try {
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(binary, link);
    return link;
  } catch {
    return join(dirname(link), binary);
  }
}
