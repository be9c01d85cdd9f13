import assert from 'node:assert/strict';
import {
  accessSync,
  constants,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { IsolationSettings } from './open-sandbox.ts';
import { openPrivateRoot } from './private-root.ts';
import { rendererDefaults } from '../renderer-settings.ts';
import type { Isolation, Limits, Rights, Sandbox } from './sandbox.ts';
import { runTool, type ToolResult } from '../tool.ts';
import { pathOf, Workbench } from '../workbench.suite.ts';

const canary = 'CANARY-3b90e1';
const bench = new Workbench();
// Another user gets into it, and finds there what he may.
chmodSync(bench.root, 0o711);
const isWritable = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
const homeOfUser = mkdtempSync(join(isWritable(homedir()) ? homedir() : bench.root, '.tiphys-isolation-'));
after(async () => {
  rmSync(homeOfUser, { recursive: true, force: true });
  await bench.close();
});

const hidden = join(bench.root, 'hidden');
const runs = join(bench.root, 'the runs');
const own = join(runs, 'own');
const tree = join(own, '0');
const home = join(own, 'home');
const canaries = {
  'a file beside the folder of the runs': join(bench.root, 'beside'),
  'a file in the home of the user': join(homeOfUser, 'secret'),
  'a login of another run': join(runs, 'other', 'home', 'login'),
  'a file that another run renders': join(runs, 'other', '0', 'file'),
  'a file in a hidden folder': join(hidden, 'token'),
} as const;
for (const file of [...Object.values(canaries), join(tree, 'file'), join(home, 'file')]) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${canary}\n`);
}
chmodSync(hidden, 0o700);
chmodSync(home, 0o777);

/** What keeps a host that allows everything from more than this. */
const hosts: Readonly<Record<Isolation, Partial<IsolationSettings>>> = {
  'private-root': {},
  'mount-namespace': { path: bench.pathWith('unshare', 'mount') },
  uid: { path: bench.pathWith(), needed: [runs] },
  none: { path: bench.pathWith(), needed: [hidden] },
};

const beside = canaries['a file beside the folder of the runs'];

const read = (file: string): string => `while read -r line; do echo "$line"; done < '${file}'`;
const write = (file: string): string => `echo x > '${file}' && echo ${canary}`;
/** Each looks for something, and prints the canary where it finds it. */
const probes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(canaries).map(([name, file]) => [name, read(file)])),
  'the users of the host': `[ ! -e /etc/passwd ] || echo ${canary}`,
  'processes of others': `for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] || [ ! -r "$p/cmdline" ] || echo ${canary}; done`,
  'what the kernel tells of itself': `for f in /proc/cmdline /proc/sys /proc/keys; do [ ! -e $f ] || echo ${canary}; done`,
  'a device': `for d in /dev/*; do case $d in */null | */zero | */urandom) ;; *) echo ${canary} ;; esac; done`,
  'a way to write to what it renders': write(join(tree, 'new')),
  'a way to write beside its home': write(join(own, 'new')),
  'a way to write to the folder of the runs': write(join(runs, 'new')),
  'a way to write elsewhere': write(join(bench.root, 'new')),
};

/** What each of them keeps out of reach. */
const hides: Readonly<Record<Isolation, RegExp>> = {
  'private-root': /./,
  'mount-namespace': /hidden folder|processes/,
  uid: /hidden folder|to write/,
  none: /^$/,
};

type Program = Readonly<{ command: string; args: readonly string[] }>;
const shell = (script: string): Program => ({ command: '/bin/sh', args: ['-c', script] });
const said = (result: ToolResult): string =>
  `${String(result.stdout)} ${result.kind === 'failed' ? result.message : ''}`.trim();

/** Runs a program as a tool is run, with a shell that it may start. */
const start = (
  program: Program,
  { sandbox, path = rendererDefaults.path }: Readonly<{ sandbox: Sandbox; path?: string | undefined }>,
  more: Readonly<{ network?: Limits['network']; files?: 'write'; starts?: readonly string[] }> = {},
): Promise<ToolResult> =>
  runTool(
    { tool: 'helm', program, args: [], starts: ['/bin/sh'], cwd: tree, home, network: 'none', ...more },
    { sandbox, settings: { timeoutMs: 10_000, maxOutputBytes: 100_000 }, path },
    bench.signal,
  );

for (const isolation of ['private-root', 'mount-namespace', 'uid', 'none'] as const) {
  const host = hosts[isolation];
  const sandbox = await bench.sandbox({ hiddenPaths: [hidden], ...host });
  const isLinux = process.platform === 'linux';
  const skip = sandbox.isolation === isolation && isLinux ? false : `this host allows: ${sandbox.isolation}`;
  const ports = { sandbox, path: host.path };

  describe(`isolation ${isolation}`, { skip }, () => {
    test('a tool has its home and what it renders', async () => {
      const result = await start(shell(`${read('file')}; echo x > "$HOME/written"; echo x > /dev/null`), ports);
      assert.equal(said(result), canary);
      assert.equal(result.kind, 'ok');
      assert.equal(readFileSync(join(home, 'written'), 'utf8'), 'x\n');
      rmSync(join(home, 'written'));
    });

    for (const [name, script] of Object.entries(probes)) {
      const isHidden = hides[isolation].test(name);
      // What is not hidden is found as far as our own user finds it: all of it shows that the probes are good.
      if (!isHidden && isolation !== 'none') continue;
      test(`REPO-20 a tool looks for ${name} and finds ${isHidden ? 'nothing' : 'it'}`, async () => {
        const result = await start(shell(`{ ${script}; } 2> /dev/null; exit 0`), ports);
        assert.equal(result.kind, 'ok', said(result));
        assert.equal(said(result).includes(canary), !isHidden, said(result));
      });
    }
  });
}

const isRoot = process.getuid?.() === 0;

/** A private root that is made with these rights; undefined where the host does not allow it. */
async function privateRoot(rights: Rights, settings: Partial<IsolationSettings> = {}): Promise<Sandbox | undefined> {
  const rootDir = mkdtempSync(join(bench.root, 'root of '));
  const complete = { ...rendererDefaults, rootDir, programs: [], certificates: [], ...settings };
  const otherwise: Sandbox['wrap'] = () => Promise.reject(new Error('it was given up'));
  const wrap = await openPrivateRoot({ settings: complete, rights, otherwise }, bench.signal);
  return wrap === undefined ? undefined : { isolation: 'private-root', wrap };
}

for (const rights of ['own', 'user-namespace'] as const) {
  const made = await privateRoot(rights);
  const skip = made === undefined ? 'this host does not allow it' : rights === 'own' && !isRoot ? 'needs root' : false;
  const sandbox: Sandbox = made ?? { isolation: 'none', wrap: () => assert.fail('skipped') };

  describe(`a private root with rights of ${rights === 'own' ? 'its own' : 'a user namespace'}`, { skip }, () => {
    test('REPO-20 shows nothing of the host', async () => {
      const all = Object.values(probes).map((script) => `{ ${script}; }`);
      const result = await start(shell(`{ ${all.join('; ')}; } 2> /dev/null; ${read('file')}; exit 0`), { sandbox });
      assert.equal(said(result), canary, 'what it renders, once');
    });

    const perl = pathOf('perl');

    test('REPO-20 is not left by a root within the root', { skip: !existsSync(perl) }, async () => {
      const leave = `mkdir "$ENV{HOME}/x"; chroot "$ENV{HOME}/x" or print "refused: $!\\n"; chdir '..' for 1 .. 64; chroot '.'; open F, '<', '${beside}' or die "not found: $!\\n"; print <F>;`;
      const result = await start({ command: perl, args: ['-e', leave] }, { sandbox });
      assert.match(said(result), /refused: Operation not permitted\n.*not found: No such file/s);
    });

    test('REPO-20 is not left, and nothing in it made writable, by namespaces and mounts', async () => {
      for (const [name, ...args] of [
        ['unshare', '--user', '--map-root-user', '/bin/sh', '-c', `echo ${canary}`],
        ['unshare', '--mount', '/bin/sh', '-c', `echo ${canary}`],
        ['mount', '-o', 'remount,rw,bind', tree],
        ['umount', '-l', '/proc'],
        ['nsenter', '--mount=/proc/1/ns/mnt', '/bin/sh', '-c', `echo ${canary}`],
      ] as const) {
        const result = await start({ command: pathOf(name), args }, { sandbox });
        assert.equal(result.kind, 'failed', `${name}: ${said(result)}`);
        assert.ok(!said(result).includes(canary), said(result));
        assert.match(said(result), /not permitted|denied|superuser|must be|umount failed/i);
      }
    });

    test('REPO-20 has the names of hosts and certificates where the network is allowed, and only there', async () => {
      const look = shell(`for f in /etc/*; do echo "$f"; done; ${read('/etc/resolv.conf')} > /dev/null`);
      const without = await start(look, { sandbox });
      assert.ok(!/resolv|hosts|ssl/.test(String(without.stdout)), said(without));
      const own = join(bench.root, 'ca.pem');
      writeFileSync(own, canary);
      const trusting = await privateRoot(rights, { certificates: [own] });
      assert.ok(trusting);
      const seen = await start(shell(`${read('/etc/hosts')} > /dev/null && cat '${own}'`), { sandbox: trusting });
      assert.equal(seen.kind, 'failed');
      const allowed = { network: 'allowed', starts: ['/bin/sh', '/bin/cat'] } as const;
      const reads = shell(`${read('/etc/hosts')} > /dev/null && /bin/cat '${own}'`);
      assert.equal(said(await start(reads, { sandbox: trusting }, allowed)), canary);
    });

    test('what a run has to write it may: its home, and the files of its repository when it is said so', async () => {
      rmSync(join(tree, 'written'), { force: true });
      const result = await start(shell('echo x > written && echo done'), { sandbox }, { files: 'write' });
      assert.equal(said(result), 'done');
      assert.equal(readFileSync(join(tree, 'written'), 'utf8'), 'x\n');
      const beyond = await start(shell(`echo x > '${own}/.fstab'`), { sandbox }, { files: 'write' });
      assert.match(said(beyond), /Read-only file system/);
    });

    test('REPO-20 a link that a tool leaves for us to follow is refused', async () => {
      const aside = join(home, 'aside');
      for (const [script, more] of [
        [`ln -s '${beside}' '${aside}'`, { network: 'allowed' }],
        [`ln -s '${tree}' '${aside}'`, { network: 'allowed' }],
        [`ln -s '${beside}' '${aside}'; exit 1`, {}],
        [`mkfifo '${aside}'`, { network: 'allowed' }],
        [`ln -s '${beside}' aside`, { files: 'write' }],
      ] as const) {
        const starts = ['/bin/sh', pathOf('ln'), pathOf('mkfifo')];
        const named = script.replace(/^(?:ln|mkfifo)/, (name) => pathOf(name));
        await assert.rejects(start(shell(named), { sandbox }, { ...more, starts }), {
          code: 'render/failed',
          message: /helm left something at .*aside that is no file/,
        });
        for (const left of [aside, join(tree, 'aside')]) rmSync(left, { force: true });
      }
      const within = `${pathOf('ln')} -s file aside`;
      const result = await start(shell(within), { sandbox }, { files: 'write', starts: ['/bin/sh', pathOf('ln')] });
      assert.equal(result.kind, 'ok', said(result));
      rmSync(join(tree, 'aside'));
    });

    test('a program by way of links is found, also when they are led elsewhere', async () => {
      const links = mkdtempSync(join(bench.root, 'links-'));
      const link = join(links, 'current', 'sh');
      for (const name of ['one', 'two']) mkdirSync(join(links, name));
      symlinkSync('/bin/sh', join(links, 'one', 'sh'));
      symlinkSync(pathOf('echo'), join(links, 'two', 'sh'));
      for (const [to, expected] of [
        ['one', 'x'],
        ['two', '-c echo x'],
      ] as const) {
        rmSync(join(links, 'current'), { force: true });
        symlinkSync(to, join(links, 'current'));
        const result = await start({ command: link, args: ['-c', 'echo x'] }, { sandbox });
        assert.equal(said(result), expected);
      }
    });
  });
}

const withRoot = await bench.sandbox({ hiddenPaths: [hidden] });
test(
  'a script is run where it finds what it starts, without the hidden folders',
  { skip: withRoot.isolation !== 'private-root' },
  async () => {
    const script = join(bench.root, 'script');
    writeFileSync(script, `#!/bin/sh\n/bin/cat '${beside}'\n/bin/cat '${canaries['a file in a hidden folder']}'\n`, {
      mode: 0o755,
    });
    const result = await start({ command: script, args: [] }, { sandbox: withRoot });
    assert.equal(String(result.stdout).trim(), canary, said(result));
    const known = await bench.sandbox({ programs: [script] });
    assert.equal(known.isolation, 'mount-namespace', 'what is needed from the start is no script');
  },
);
