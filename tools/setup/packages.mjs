import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAtLeast, parseVersion, runQuietly } from './child.mjs';
import { exclusively } from './exclusive.mjs';
import { cloneCache, findOnPath, root } from './paths.mjs';
import { minimumNpm, packagesSize } from './pins.mjs';
import { SetupError, megabytes, say, startProgress } from './say.mjs';

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.tiphys-installed');
/** npm's own pauses (10 s, then 60 s) would leave somebody without a network waiting for two minutes. */
export const retrySoon = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000'];
const installTimeoutMs = 20 * 60_000;

/** Installs what the lock file says, unless it is installed already. Without a change it touches no network and starts no npm. */
export async function installPackages() {
  if (isInstalled()) return;
  await exclusively(join(cloneCache, 'install.lock'), async () => {
    if (!isInstalled()) await install();
  });
}

function isInstalled() {
  const wanted = stamp();
  if (readOr(stampFile, '') === wanted) return true;
  if (!matchesLock()) return false;
  linkOurPrograms();
  writeFileSync(stampFile, wanted);
  return true;
}

/** `node_modules/.bin/tiphys` and the like: npm makes them from what the lock knew, not from package.json. */
function linkOurPrograms() {
  for (const name of readdirSync(join(root, 'packages'))) {
    const { bin = {} } = JSON.parse(readOr(join(root, 'packages', name, 'package.json'), '{}'));
    for (const [program, file] of Object.entries(bin)) {
      const link = join(modules, '.bin', program);
      if (existsSync(link)) continue;
      rmSync(link, { force: true }); // one that leads nowhere
      symlinkSync(join('..', '..', 'packages', name, file), link);
    }
  }
}

/** Changes when the lock, a package.json or the platform does. */
function stamp() {
  const hash = createHash('sha256');
  const manifests = readdirSync(join(root, 'packages'))
    .sort()
    .map((name) => join('packages', name, 'package.json'));
  for (const file of ['package-lock.json', 'package.json', ...manifests])
    hash.update(`${file}\0${readOr(join(root, file), '')}\0`);
  return `${process.platform}-${process.arch} ${hash.digest('hex')}\n`;
}

/** Whether npm's own record of node_modules says what the lock says: somebody ran `npm ci` or `npm install` by hand. */
function matchesLock() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(modules, '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    // Of our own packages npm records package.json as it is, whatever the lock says.
    if (path === '' || path.startsWith('packages/')) return true;
    const found = present[path];
    if (found === undefined) return entry.optional === true && !isForThisPlatform(entry);
    return found.version === entry.version && found.integrity === entry.integrity && existsSync(join(root, path));
  });
}

/** npm writes one value as text, several as a list. */
const isForThisPlatform = ({ os, cpu }) =>
  (os === undefined || [os].flat().includes(process.platform)) &&
  (cpu === undefined || [cpu].flat().includes(process.arch));

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  const npm = await findNpm();
  const total = Object.values(packagesOf(join(root, 'package-lock.json')) ?? {}).filter(
    (entry) => entry.integrity !== undefined && isForThisPlatform(entry),
  ).length;
  say(
    `Installing ${total} packages from package-lock.json: about ${megabytes(packagesSize.download)} to download, ${megabytes(packagesSize.onDisk)} on disk.`,
  );
  let fetched = 0;
  const progress = startProgress(
    'packages',
    async () =>
      `${fetched} of ${total} fetched, ${megabytes(await sizeOf(modules))} of about ${megabytes(packagesSize.onDisk)} written`,
  );
  const result = await runQuietly(
    npm.file,
    // What the environment says about dev and optional packages would leave out the very tools that run next.
    [
      ...npm.args,
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=http',
      ...retrySoon,
    ],
    {
      cwd: root,
      timeoutMs: installTimeoutMs,
      onOutput: (text) => {
        fetched = Math.min(total, fetched + (text.match(/npm http (fetch GET 200|cache) /g) ?? []).length);
      },
    },
  );
  // npm may give up half-way and still end with 0 (its "Exit handler never called").
  if (result.code !== 0 || !matchesLock()) {
    progress.abandon();
    throw new SetupError(explainNpm(result, 'npm ci'));
  }
  linkOurPrograms();
  writeFileSync(stampFile, stamp());
  progress.finish(`${total} installed`);
}

/** The npm that started us when there is one, else the one on PATH. */
export async function findNpm() {
  // The node that npm itself was started with: it may trust certificates that the pinned one does not know.
  const { npm_execpath: running, npm_node_execpath: itsNode } = process.env;
  if (running !== undefined && /npm-cli\.c?js$/.test(running) && existsSync(running))
    return { file: itsNode !== undefined && existsSync(itsNode) ? itsNode : process.execPath, args: [running] };
  const file = findOnPath('npm');
  const advice = 'npm comes with Node: install Node 24 from your system or from nodejs.org, then try again.';
  if (file === undefined) throw new SetupError(`npm is not on the PATH. ${advice}`);
  const { code, output } = await runQuietly(file, ['--version'], { timeoutMs: 30_000 });
  if (code !== 0) throw new SetupError(`npm (${file}) does not start. ${advice}`);
  if (!isAtLeast(parseVersion(output), minimumNpm)) {
    throw new SetupError(
      `npm ${output.trim()} is too old for our lock file; ${minimumNpm.join('.')} or newer is needed. ${advice}`,
    );
  }
  return { file, args: [] };
}

/** What went wrong, in a sentence, from npm's error lines. */
export function explainNpm(result, command) {
  if (result.timedOut)
    return `${command} did not end in time. Is the network slow or blocked? Try again: what was fetched is kept.`;
  const errors = result.output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  const code =
    /code ([A-Z][A-Z0-9_]+)/.exec(errors.join('\n'))?.[1] ??
    /attempt \d+ failed with ([A-Z][A-Z0-9_]+)/.exec(result.output)?.[1];
  const detail = errors
    .map((line) => line.replace(/^npm (error|ERR!) ?/, ''))
    .filter((line) => !/^(code|A complete log|syscall|errno|\s*at |\s*$)/.test(line));
  return [`${command} failed. ${adviceFor[code] ?? ''}`.trim(), ...detail.slice(0, 6).map((line) => `  ${line}`)].join(
    '\n',
  );
}

const offline =
  'The package registry cannot be reached. Check the network, a proxy (HTTPS_PROXY) or the registry in your .npmrc; only the first run needs it.';
const untrusted =
  "The package registry's certificate is not trusted. Behind a proxy that opens TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate.";
const adviceFor = {
  ENOTFOUND: offline,
  EAI_AGAIN: offline,
  ECONNREFUSED: offline,
  ECONNRESET: offline,
  ETIMEDOUT: offline,
  ENETUNREACH: offline,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  E401: 'The package registry wants a login: see the registry lines of your .npmrc.',
  E403: 'The package registry refused: see the registry lines of your .npmrc.',
  E404: 'The package registry does not have it: see the registry lines of your .npmrc.',
  EINTEGRITY:
    'A downloaded package does not match its hash in package-lock.json. Try `npm cache verify`, then try again.',
  ENOSPC: 'The disk is full.',
  EACCES: 'A folder is not writable for you; was it made by another user?',
  EUSAGE: 'package.json and package-lock.json do not belong together: restore both with git.',
};

/** Bytes of all files below a folder; what vanishes meanwhile counts as nothing. */
export async function sizeOf(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sizeOf(path);
      return entry.isFile()
        ? lstat(path).then(
            (stats) => stats.size,
            () => 0,
          )
        : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
