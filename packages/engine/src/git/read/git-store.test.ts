import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger, systemClock } from '@tiphys/api';
import type { GitSettings } from './git-settings.ts';
import { type GitStore, openGitStore } from './git-store.ts';

const root = mkdtempSync(join(tmpdir(), 'tiphys-git-'));
const stores: GitStore[] = [];
const signal = AbortSignal.timeout(300_000);
let count = 0;

after(async () => {
  await Promise.all(stores.map((store) => store.close()));
  rmSync(root, { recursive: true, force: true });
});

function open(settings: Partial<GitSettings> = {}): GitStore {
  const store = openGitStore(
    { clock: systemClock, log: silentLogger },
    { dataDir: join(root, `data-${(count += 1)}`), ...settings },
  );
  stores.push(store);
  return store;
}

type Origin = {
  url: string;
  git: (...args: string[]) => string;
  write: (files: Record<string, string>) => void;
  commit: (files: Record<string, string>) => string;
};

function origin(files: Record<string, string> = { 'a.yaml': 'a: 1\n' }): Origin {
  const folder = join(root, `origin-${(count += 1)}`);
  mkdirSync(folder);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  git('init', '-q', '-b', 'main');
  const write = (more: Record<string, string>): void => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  const commit = (more: Record<string, string>): string => {
    write(more);
    git('add', '-A');
    git('commit', '-q', '-m', 'change\n\nbody');
    return git('rev-parse', 'HEAD');
  };
  commit(files);
  return { url: folder, git, write, commit };
}

const latest = (revision: string, tagPrefix?: string) => ({ revision, freshness: 'latest' as const, tagPrefix });

test('REPO-02 branch, tag, short and full SHA, HEAD and version range resolve to one commit', async () => {
  const repo = origin();
  const first = repo.git('rev-parse', 'HEAD');
  repo.git('tag', 'v1.0.0');
  repo.git('tag', '-a', '-m', 'annotated', 'v1.2.0');
  repo.git('tag', 'web-2.0.0');
  const second = repo.commit({ 'b.yaml': 'b: 1\n' });
  repo.git('tag', 'v1.3.0-rc.1');
  repo.git('branch', 'feature/x', first);
  repo.git('update-ref', 'refs/pull/7/head', first);
  const git = open();
  const table = [
    ['main', second, 'refs/heads/main'],
    ['HEAD', second, 'refs/heads/main'],
    ['', second, 'refs/heads/main'],
    ['feature/x', first, 'refs/heads/feature/x'],
    ['refs/heads/main', second, 'refs/heads/main'],
    ['refs/pull/7/head', first, 'refs/pull/7/head'],
    ['v1.0.0', first, 'refs/tags/v1.0.0'],
    ['v1.2.0', first, 'refs/tags/v1.2.0'],
    ['1.*', first, 'refs/tags/v1.2.0'],
    ['>=1.3.0-0', second, 'refs/tags/v1.3.0-rc.1'],
    [first, first, undefined],
    [first.slice(0, 8), first, undefined],
    [second.slice(0, 7).toUpperCase(), second, undefined],
  ] as const;
  for (const [revision, commit, ref] of table) {
    const resolved = await git.resolve({ url: repo.url }, latest(revision), signal);
    assert.equal(resolved.commit, commit, revision);
    assert.equal(resolved.ref, ref, revision);
  }
  assert.equal((await git.resolve({ url: repo.url }, latest('2.*', 'web-'), signal)).ref, 'refs/tags/web-2.0.0');
});

test('REPO-02 an unknown revision is an error that names it and the repository', async () => {
  const repo = origin();
  const git = open();
  for (const revision of ['nope', '9.*', 'deadbeef', 'd'.repeat(40), '--upload-pack=touch', 'a b'])
    await assert.rejects(
      git.resolve({ url: repo.url }, latest(revision), signal),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'git/revision-not-found', `${revision}: ${error.message}`);
        assert.ok(error.message.includes(revision) && error.message.includes(repo.url), error.message);
        return true;
      },
    );
});

test('REPO-01 with and without .git, a slash at the end and userinfo is the same repository', async () => {
  const { normaliseRepositoryUrl } = await import('@tiphys/api');
  const same = [
    [
      'https://github.com/a/b',
      'https://github.com/a/b.git',
      'https://GitHub.com/a/b/',
      'https://user:pw@github.com/a/b.git/',
    ],
    ['git@github.com:a/b.git', 'ssh://git@github.com/a/b', 'ssh://git@github.com:22/a/b.git'],
    ['/srv/git/a.git', 'file:///srv/git/a', 'file:///srv/git/a/'],
  ];
  for (const urls of same) assert.equal(new Set(urls.map(normaliseRepositoryUrl)).size, 1, urls.join(' '));
});

test('a commit is seen by the next look, a look without a commit starts no git', async () => {
  const repo = origin();
  const started = join(root, 'started');
  const command = join(root, 'counted-git');
  writeFileSync(command, `#!/bin/sh\necho "$*" >> '${started}'\nexec git "$@"\n`, { mode: 0o755 });
  const git = open({ command });
  await git.resolve({ url: repo.url }, latest('main'), signal);
  const before = readFileSync(started, 'utf8');
  for (let look = 0; look < 50; look += 1) await git.resolve({ url: repo.url }, latest('main'), signal);
  assert.equal(readFileSync(started, 'utf8'), before);
  const next = repo.commit({ 'c.yaml': 'c: 1\n' });
  assert.equal((await git.resolve({ url: repo.url }, latest('main'), signal)).commit, next);
  repo.git('pack-refs', '--all');
  const packed = repo.commit({ 'd.yaml': 'd: 1\n' });
  assert.equal((await git.resolve({ url: repo.url }, latest('main'), signal)).commit, packed);
});

test('the files of a commit: entries, links, changes, metadata', async () => {
  const repo = origin({ 'a/b/c.yaml': 'c\n', 'a/d.yaml': 'd\n', 'top.yaml': 'top\n' });
  symlinkSync('../top.yaml', join(repo.url, 'a/link.yaml'));
  symlinkSync('a/b', join(repo.url, 'folder'));
  const first = repo.commit({});
  const second = repo.commit({ 'a/d.yaml': 'changed\n', 'new.yaml': '' });
  repo.git('tag', 'v2');
  const git = open();
  const access = { url: repo.url };
  await git.lsRemote(access, signal);
  const tree = await git.commitTree(access, first, signal);
  assert.deepEqual(
    (await tree.list(''))?.map(({ name, kind }) => `${name} ${kind}`),
    ['a folder', 'folder link', 'top.yaml file'],
  );
  assert.equal((await tree.find('a/link.yaml'))?.path, 'top.yaml');
  assert.equal((await tree.find('folder/c.yaml'))?.path, 'a/b/c.yaml');
  assert.equal(await tree.find('a/none.yaml'), undefined);
  const out = join(root, `out-${(count += 1)}`);
  await git.materialise({ tree, paths: ['a/link.yaml', 'folder'] }, out);
  assert.deepEqual(readdirSync(out, { recursive: true }).map(String).sort(), [
    'a',
    'a/b',
    'a/b/c.yaml',
    'a/link.yaml',
    'folder',
    'folder/c.yaml',
    'top.yaml',
  ]);
  assert.equal(readFileSync(join(out, 'a/link.yaml'), 'utf8'), 'top\n');
  assert.deepEqual(await git.changedPaths(access, { from: first, to: second }, signal), ['a/d.yaml', 'new.yaml']);
  const metadata = await git.metadata(access, second, signal);
  assert.equal(metadata.author, 'Ada <ada@example.com>');
  assert.equal(metadata.message, 'change\n\nbody');
  assert.deepEqual(metadata.tags, ['v2']);
  assert.ok(Math.abs(metadata.date.getTime() - Date.now()) < 60_000);
});

test('what is kept of a file is its content, and nothing of what was read with it', async () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}.yaml`, `n: ${index}\n`]));
  const repo = origin(files);
  const git = open();
  const { commit } = await git.resolve({ url: repo.url }, latest('main'), signal);
  const tree = await git.commitTree({ url: repo.url }, commit, signal);
  for (const [name, text] of Object.entries(files)) {
    const content = await tree.blob((await tree.entry(name))?.oid ?? '');
    assert.equal(content.toString('utf8'), text);
    assert.equal(content.buffer.byteLength, content.length);
  }
});

test('REPO-20 links that leave the repository, submodules and large files are refused by name', async () => {
  const repo = origin();
  symlinkSync('/etc/passwd', join(repo.url, 'absolute'));
  symlinkSync('../../etc/passwd', join(repo.url, 'above'));
  symlinkSync('loop', join(repo.url, 'loop'));
  repo.git('update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},module`);
  const commit = repo.commit({ 'big.yaml': 'x'.repeat(5000) });
  const git = openGitStore(
    { clock: systemClock, log: silentLogger },
    { dataDir: join(root, 'small'), maxBlobBytes: 1000 },
  );
  stores.push(git);
  await git.resolve({ url: repo.url }, latest('main'), signal);
  const tree = await git.commitTree({ url: repo.url }, commit, signal);
  const refused = [
    ['absolute', 'git/path-outside'],
    ['above', 'git/path-outside'],
    ['loop', 'git/path-outside'],
    ['big.yaml', 'git/too-large'],
  ] as const;
  for (const [path, code] of refused) {
    const out = join(root, `out-${(count += 1)}`);
    await assert.rejects(git.materialise({ tree, paths: [path] }, out), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.ok(code === 'git/too-large' || error.message.includes(path), error.message);
      return true;
    });
  }
  // git add -A takes the gitlink of a missing folder out again, so it is put into a tree by hand.
  repo.git('update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},module`);
  repo.git('commit', '-q', '-m', 'module');
  const { commit: withModule } = await git.resolve({ url: repo.url }, latest('main'), signal);
  const moduleTree = await git.commitTree({ url: repo.url }, withModule, signal);
  await assert.rejects(
    git.materialise({ tree: moduleTree, paths: ['module'] }, join(root, 'out-module')),
    /module is a submodule/,
  );
});

test('transports, options and credentials in a URL do no harm', async () => {
  const git = open();
  for (const url of [
    'ext::sh -c touch% /tmp/x',
    '--upload-pack=x',
    'git://host/x',
    'ssh://-oProxyCommand=x/y',
    '-oProxyCommand=x:y',
    'x',
  ])
    await assert.rejects(git.lsRemote({ url }, signal), { code: 'git/url-invalid' }, url);
  await assert.rejects(
    git.lsRemote({ url: 'https://ada:s3cret@127.0.0.1:9/x.git' }, signal),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'git/unreachable');
      assert.ok(error.message.includes('https://127.0.0.1:9/x.git'), error.message);
      assert.ok(!error.message.includes('s3cret') && !error.message.includes('ada'), error.message);
      return true;
    },
  );
  await assert.rejects(git.lsRemote({ url: join(root, 'nowhere') }, signal), { code: 'git/unreachable' });
});

test('hooks and programs that the configuration of a local repository names are not run', async () => {
  const repo = origin();
  const ran = join(root, 'ran');
  const program = join(root, 'program.sh');
  writeFileSync(program, `#!/bin/sh\necho "$0 $@" >> ${ran}\nexec "$@"\n`, { mode: 0o755 });
  for (const name of ['post-checkout', 'reference-transaction', 'pre-auto-gc', 'post-update', 'fsmonitor-watchman'])
    writeFileSync(join(repo.url, '.git/hooks', name), `#!/bin/sh\necho ${name} >> ${ran}\n`, { mode: 0o755 });
  writeFileSync(join(root, 'included'), `[uploadpack]\n\tpackObjectsHook = ${program}\n`);
  for (const [key, value] of [
    ['core.fsmonitor', program],
    ['core.sshCommand', program],
    ['core.pager', program],
    ['core.gitProxy', program],
    ['core.alternateRefsCommand', program],
    ['uploadpack.packObjectsHook', program],
    ['credential.helper', `!${program}`],
    ['include.path', join(root, 'included')],
    ['alias.upload-pack', `!${program}`],
  ] as const)
    repo.git('config', '--add', key, value);
  const git = open();
  const { commit } = await git.resolve({ url: repo.url }, latest('main'), signal);
  const tree = await git.commitTree({ url: repo.url }, commit, signal);
  assert.ok((await tree.entry('a.yaml')) !== undefined);
  assert.ok(!existsSync(ran), existsSync(ran) ? readFileSync(ran, 'utf8') : '');
});

test('a revision is never an option or an expression of git', async () => {
  const repo = origin();
  const git = open();
  for (const revision of [
    '--upload-pack=touch x',
    '-h',
    '--all',
    'HEAD^{/change}',
    'HEAD~0',
    'main@{0}',
    ':/change',
    'main:a.yaml',
    '^main',
    'refs/heads/main:refs/heads/x',
    'main\n--help',
    'x'.repeat(100_000),
  ])
    await assert.rejects(
      git.resolve({ url: repo.url }, latest(revision), signal),
      { code: 'git/revision-not-found' },
      revision.slice(0, 40),
    );
});

test('a folder that is laid out to be read for ever is no repository', async () => {
  const folder = join(root, 'odd');
  mkdirSync(join(folder, 'refs'), { recursive: true });
  mkdirSync(join(folder, 'objects'), { recursive: true });
  symlinkSync('/dev/zero', join(folder, 'HEAD'));
  const started = performance.now();
  await assert.rejects(open().resolve({ url: folder }, latest('main'), signal), { code: /^git\// });
  assert.ok(performance.now() - started < 20_000);
});

test('a repository with very many refs is read, and what a walk may come by is bounded', async () => {
  const repo = origin({ 'a/b/c.yaml': 'x: 1\n', 'a/d.yaml': 'x: 1\n' });
  const commit = repo.git('rev-parse', 'HEAD');
  const lines = Array.from({ length: 5000 }, (_, n) => `create refs/tags/t${n} ${commit}\n`).join('');
  execFileSync('git', ['-C', repo.url, 'update-ref', '--stdin'], { input: lines });
  const git = openGitStore(
    { clock: systemClock, log: silentLogger },
    { dataDir: join(root, `data-${(count += 1)}`), maxTreeEntries: 3 },
  );
  stores.push(git);
  assert.equal((await git.resolve({ url: repo.url }, latest('t4999'), signal)).commit, commit);
  const tree = await git.commitTree({ url: repo.url }, commit, signal);
  await assert.rejects(Array.fromAsync(tree.walk('')), { code: 'git/too-large', message: /more than 3 files/ });
  assert.equal((await Array.fromAsync(tree.walk('a/b'))).length, 1);
});

test('an abort ends the wait of its caller alone', async () => {
  const repo = origin();
  const git = open();
  const stop = new AbortController();
  const aborted = git.resolve({ url: repo.url }, latest('main'), stop.signal);
  const other = git.resolve({ url: repo.url }, latest('main'), signal);
  stop.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  assert.equal((await other).commit, repo.git('rev-parse', 'HEAD'));
});

test('a store goes on after a restart, and over a lock left behind', async () => {
  const repo = origin();
  const dataDir = join(root, `data-${(count += 1)}`);
  const first = openGitStore({ clock: systemClock, log: silentLogger }, { dataDir });
  await first.resolve({ url: repo.url }, latest('main'), signal);
  await first.close();
  const objects = join(dataDir, readdirSync(dataDir)[0]!, 'objects.git');
  writeFileSync(join(objects, 'packed-refs.lock'), '');
  writeFileSync(join(objects, 'refs/heads/main.lock'), '');
  const next = repo.commit({ 'n.yaml': 'n\n' });
  const again = openGitStore({ clock: systemClock, log: silentLogger }, { dataDir });
  stores.push(again);
  assert.equal((await again.resolve({ url: repo.url }, latest('main'), signal)).commit, next);
});

test('a store that many commits went through stays small and whole', async () => {
  const repo = origin();
  const git = open();
  for (let round = 0; round < 52; round += 1) {
    const commit = repo.commit({ 'a.yaml': `a: ${round}\n` });
    assert.equal((await git.resolve({ url: repo.url }, latest('main'), signal)).commit, commit);
  }
  const { commit } = await git.resolve({ url: repo.url }, latest('main'), signal);
  const tree = await git.commitTree({ url: repo.url }, commit, signal);
  assert.equal((await tree.blob((await tree.find('a.yaml'))!.entry.oid)).toString(), 'a: 51\n');
});
