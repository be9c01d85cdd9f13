import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, systemClock } from '@tiphys/api';
import { issueServerCredential } from '@tiphys/kube-sim';
import { gitDefaults, type GitSettings } from './git-settings.ts';
import { type GitStore, openGitStore } from './git-store.ts';
import type { RepositoryAccess } from './repository-access.ts';

const root = mkdtempSync(join(tmpdir(), 'tiphys-remote-'));
const signal = AbortSignal.timeout(120_000);
const password = 's3cret-word';
const stores: GitStore[] = [];
const seen: string[] = [];
const servers: Server[] = [];
let commit = '';
let count = 0;

const run = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

function open(settings: Partial<GitSettings> = {}): GitStore {
  const store = openGitStore(
    { clock: systemClock, log: silentLogger },
    { dataDir: join(root, `data-${(count += 1)}`), ...settings },
  );
  stores.push(store);
  return store;
}

/** Git's own HTTP server, behind basic or bearer authentication. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://host');
  const authorization = request.headers.authorization ?? '';
  seen.push(authorization);
  const basic = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
  if (authorization !== basic && authorization !== 'Bearer token-word') {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const child = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const body = Buffer.concat(chunks);
    const end = body.indexOf('\r\n\r\n');
    const headers = body
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1];
    response.writeHead(
      Number(status?.slice(0, 3) ?? 200),
      Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
    );
    response.end(body.subarray(end + 4));
  });
}

/** The same over TLS, with a certificate of an authority that nobody knows. */
async function listenTls(handle: typeof answer): Promise<{ url: string; caPem: string }> {
  const { caPem, certificatePem, keyPem } = issueServerCredential(['127.0.0.1'], new Date());
  const server = createTlsServer({ cert: certificatePem, key: keyPem }, handle);
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caPem };
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

before(() => {
  run('init', '-q', '-b', 'main', join(root, 'origin'));
  writeFileSync(join(root, 'origin/a.yaml'), 'a: 1\n');
  run('-C', join(root, 'origin'), 'add', '-A');
  run('-C', join(root, 'origin'), 'commit', '-q', '-m', 'first');
  run('clone', '-q', '--bare', join(root, 'origin'), join(root, 'served.git'));
  commit = run('-C', join(root, 'origin'), 'rev-parse', 'HEAD');
});
after(async () => {
  await Promise.all(stores.map((store) => store.close()));
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(root, { recursive: true, force: true });
});

const resolve = (access: RepositoryAccess, store = open()) =>
  store.resolve(access, { revision: 'main', freshness: 'latest' }, signal);
const failure = (work: Promise<unknown>): Promise<Error & { code?: string }> =>
  work.then(
    () => assert.fail('expected an error'),
    (error: unknown) => error as Error & { code?: string },
  );

test('REPO-16 HTTP with user and password, from Secret or URL, and with a token', async () => {
  const url = `${await listen(answer)}/served.git`;
  assert.equal((await resolve({ url, credentials: { username: 'ada', password } })).commit, commit);
  assert.equal((await resolve({ url: url.replace('://', `://ada:${password}@`) })).commit, commit);
  assert.equal((await resolve({ url, credentials: { bearerToken: 'token-word' } })).commit, commit);
});

test('REPO-18 a wrong password is an authentication error with no secret in it', async () => {
  const url = `${await listen(answer)}/served.git`;
  for (const access of [
    { url, credentials: { username: 'ada', password: 'wrong-word' } },
    { url },
    { url: url.replace('://', '://ada:wrong-word@') },
  ]) {
    const error = await failure(resolve(access));
    assert.equal(error.code, 'git/authentication', error.message);
    assert.ok(error.message.includes(url) && !error.message.includes('wrong-word'), error.message);
  }
});

test('what was fetched with credentials is not given to those who have none', async () => {
  const url = `${await listen(answer)}/served.git`;
  const store = open();
  await resolve({ url, credentials: { username: 'ada', password } }, store);
  await assert.rejects(store.commitTree({ url }, commit, signal), { code: 'git/authentication' });
  await assert.rejects(store.resolve({ url }, { revision: commit, freshness: 'cached' }, signal), {
    code: 'git/authentication',
  });
});

test('a redirect to another host gets no credentials', async () => {
  const asked: string[] = [];
  const thief = await listen((request, response) => {
    asked.push(request.headers.authorization ?? '');
    response.writeHead(401, { 'www-authenticate': 'Basic realm="thief"' }).end();
  });
  const honest = await listen((request, response) => {
    response.writeHead(302, { location: `${thief.replace('127.0.0.1', 'localhost')}${request.url ?? ''}` }).end();
  });
  const url = `${honest}/served.git`;
  await failure(resolve({ url, credentials: { username: 'ada', password } }));
  await failure(resolve({ url, credentials: { bearerToken: 'token-word' } }));
  assert.ok(asked.length > 0, 'the redirect was followed');
  assert.deepEqual(
    asked.filter((authorization) => authorization !== ''),
    [],
  );
});

test('a server that never answers is given up, and one that is not there is named', async () => {
  const silent = await listen(() => {});
  const error = await failure(resolve({ url: `${silent}/x.git` }, open({ requestTimeoutMs: 300 })));
  assert.equal(error.code, 'git/timeout', error.message);
  assert.ok(error.message.includes(silent));
  assert.equal((await failure(resolve({ url: 'http://127.0.0.1:9/x.git' }))).code, 'git/unreachable');
});

test('REC-15 what a remote said before it failed is forgotten, and a dead one is not asked by everybody', async () => {
  let isUp = true;
  let asked = 0;
  const url = `${await listen((request, response) => {
    asked += 1;
    if (isUp) answer(request, response);
    else response.writeHead(503).end();
  })}/served.git`;
  const access = { url, credentials: { bearerToken: 'token-word' } };
  const store = open();
  const content = { revision: 'main', freshness: 'cached' } as const;
  await resolve(access, store);
  assert.equal((await store.resolve(access, content, signal)).commit, commit);

  isUp = false;
  assert.equal((await failure(resolve(access, store))).code, 'git/unreachable');
  const before = asked;
  for (let application = 0; application < 20; application += 1)
    assert.equal((await failure(store.resolve(access, content, signal))).code, 'git/unreachable');
  assert.equal(asked, before);

  isUp = true;
  assert.equal((await resolve(access, store)).commit, commit);
  assert.equal((await store.resolve(access, content, signal)).commit, commit);
});

test('a remote that failed a while ago is asked again', async () => {
  let isUp = false;
  const url = `${await listen((request, response) => {
    if (isUp) answer(request, response);
    else response.writeHead(503).end();
  })}/served.git`;
  const access = { url, credentials: { bearerToken: 'token-word' } };
  const store = open({ failureMs: 1 });
  assert.equal((await failure(resolve(access, store))).code, 'git/unreachable');
  isUp = true;
  await sleep(10);
  assert.equal((await store.resolve(access, { revision: 'main', freshness: 'cached' }, signal)).commit, commit);
});

test('REC-03 who asks for what is there now gets no answer that was under way before', async () => {
  let listings = 0;
  const url = `${await listen((request, response) => {
    if (request.url?.includes('info/refs') === true) listings += 1;
    answer(request, response);
  })}/served.git`;
  const access = { url, credentials: { bearerToken: 'token-word' } };
  const store = open();
  await resolve(access, store);
  listings = 0;

  const first = resolve(access, store);
  const others = [1, 2, 3].map(() => resolve(access, store));
  await Promise.all([first, ...others]);

  assert.equal(listings, 2);
});

test('one look and one fetch serve all applications on a repository', async () => {
  const asked: string[] = [];
  const url = `${await listen((request, response) => {
    asked.push(
      `${request.method ?? ''} ${new URL(request.url ?? '/', 'http://host').pathname.split('/').at(-1) ?? ''}`,
    );
    answer(request, response);
  })}/served.git`;
  const access = { url, credentials: { bearerToken: 'token-word' } };
  const store = open();
  const all = Array.from({ length: 50 }, () =>
    store.resolve(access, { revision: 'main', freshness: 'cached' }, signal),
  );
  assert.deepEqual(new Set((await Promise.all(all)).map((one) => one.commit)), new Set([commit]));
  // A fetch lists refs itself, and asks for objects once.
  const fetches = asked.filter((one) => one === 'POST git-upload-pack');
  assert.ok(asked.filter((one) => one === 'GET refs').length <= 2, asked.join());
  assert.ok(fetches.length >= 1 && fetches.length <= 3, asked.join());

  asked.length = 0;
  for (const again of [1, 2, 3]) {
    assert.equal(
      (await store.resolve(access, { revision: 'main', freshness: 'cached' }, signal)).commit,
      commit,
      String(again),
    );
  }
  assert.deepEqual(asked, []);
});

test('REPO-16 SSH: key and known hosts in files of ours, nothing of the user, no option from the URL', async () => {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  // Stands for ssh: writes down how it was called and what the key file holds, then serves the repository.
  const record = join(root, 'ssh-record');
  writeFileSync(
    join(bin, 'ssh'),
    `#!/bin/sh\necho "$@" >> ${record}\nwhile [ $# -gt 1 ]; do [ "$1" = -i ] && cat "$2" >> ${record} && stat -c %a "$2" >> ${record}; shift; done\nexec git upload-pack ${join(root, 'served.git')}\n`,
    { mode: 0o755 },
  );
  const store = open({ path: `${bin}:${gitDefaults.path}` });
  const access = {
    url: 'git@example.com:team/served.git',
    credentials: { sshPrivateKey: 'KEY-WORD' },
    knownHosts: 'example.com ssh-ed25519 AAAA\n',
  };
  assert.equal((await resolve(access, store)).commit, commit);
  const text = readFileSync(record, 'utf8');
  for (const part of [
    '-F /dev/null',
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'git@example.com',
    'KEY-WORD',
    '600',
  ])
    assert.ok(text.includes(part), `${part} in ${text}`);
  const keyFile = /-i (\S+)/.exec(text)?.[1] ?? '';
  assert.ok(keyFile !== '' && !existsSync(keyFile), 'the key is gone afterwards');
  const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('data-'),
  );
  for (const entry of left)
    assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes('KEY-WORD'), entry.name);
});

test('a repository that is too large is given up', async () => {
  const store = open({ maxRepositoryBytes: 100 });
  const big = join(root, 'big');
  run('init', '-q', '-b', 'main', big);
  writeFileSync(
    join(big, 'noise'),
    Buffer.from(Array.from({ length: 30_000_000 }, (_, index) => (index * 2654435761) >>> 13)),
  );
  run('-C', big, 'add', '-A');
  run('-C', big, 'commit', '-q', '-m', 'big');
  const error = await failure(resolve({ url: big }, store));
  assert.equal(error.code, 'git/too-large', error.message);
});

test('a server over TLS is known by its certificate, from the moment that it is given; insecure asks for none', async () => {
  const { url, caPem } = await listenTls(answer);
  const store = open();
  const access = { url: `${url}/served.git`, credentials: { username: 'ada', password } };
  const error = await failure(resolve(access, store));
  assert.equal(error.code, 'git/unreachable', error.message);
  assert.match(error.message, /certificate/i);
  assert.equal((await resolve({ ...access, caPem }, store)).commit, commit);
  assert.equal((await resolve({ ...access, insecure: true }, store)).commit, commit);
});
