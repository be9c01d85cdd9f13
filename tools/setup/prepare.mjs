import { isAtLeast, parseVersion, versionLine } from './child.mjs';
import { bundleProgram } from './bundle.mjs';
import { installPackages } from './packages.mjs';
import { root } from './paths.mjs';
import { minimumGit } from './pins.mjs';
import { pinnedNode } from './pinned-node.mjs';
import { SetupError } from './say.mjs';
import { prepareTools } from './tools.mjs';

/** Makes everything ready that a command of this repository needs, and says where it is. */
export async function prepare() {
  checkGit();
  await installPackages();
  const node = pinnedNode();
  const tools = await prepareTools();
  bundleProgram(node);
  return { root, node, ...tools };
}

function checkGit() {
  const line = versionLine('git', ['--version']);
  const advice =
    'Install it from your system (Debian, Ubuntu: `apt install git`; macOS: `xcode-select --install`), then try again.';
  if (line === undefined) throw new SetupError(`git is not on the PATH, or does not start. ${advice}`);
  if (!isAtLeast(parseVersion(line), minimumGit)) {
    throw new SetupError(`${line} is too old; ${minimumGit.join('.')} or newer is needed. ${advice}`);
  }
}
