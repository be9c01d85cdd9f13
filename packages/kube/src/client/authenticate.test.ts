import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { callCounts, clientOf, fails } from '../testing/client-of.ts';
import { loopback, send, ServerDouble, status } from '../testing/server-double.ts';

test('CLUS-04 verifies the certificate authority, unless told not to', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using strict = clientOf(double, { config: { ca: undefined } });
  const error = await fails(strict.version());
  assert.match(error.message, /certificate is not accepted/);
  await using careless = clientOf(double, { config: { ca: undefined, insecure: true } });
  assert.equal((await careless.version()).major, '1');
  await using otherName = clientOf(double, { config: { tlsServerName: 'elsewhere.example' } });
  assert.match((await fails(otherName.version())).message, /certificate is not accepted/);
  await using named = clientOf(double, { config: { tlsServerName: 'localhost' } });
  assert.equal((await named.version()).major, '1');
});

test('sends tokens, passwords and impersonation', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using token = clientOf(double, { config: { credentials: { kind: 'token', token: 't' } } });
  await token.version();
  assert.equal(double.requests.at(-1)?.headers['authorization'], 'Bearer t');
  await using basic = clientOf(double, { config: { credentials: { kind: 'basic', username: 'u', password: 'p' } } });
  await basic.version();
  assert.equal(double.requests.at(-1)?.headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`);
  await using other = clientOf(double, { config: { impersonate: { user: 'alice', groups: ['dev'] } } });
  await other.version();
  assert.equal(double.requests.at(-1)?.headers['impersonate-user'], 'alice');
  assert.equal(double.requests.at(-1)?.headers['impersonate-group'], 'dev');
});

test('CLUS-14 a token file that was rotated is read again after 401', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-kube-'));
  const path = join(folder, 'token');
  try {
    await writeFile(path, 'old\n');
    await using double = await ServerDouble.start({ protocol: 'h2' });
    let valid = 'old';
    double.intercept = ({ headers }, response) => {
      if (headers['authorization'] === `Bearer ${valid}`) return false;
      send(response, 401, status(401, 'Unauthorized', { message: 'Unauthorized' }));
      return true;
    };
    await using client = clientOf(double, { config: { credentials: { kind: 'token-file', path } } });
    await client.version();
    valid = 'new';
    await writeFile(path, 'new\n');
    await client.version();
    valid = 'other';
    assert.equal((await fails(client.version())).code, 'kube/unauthorized');
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Writes an executable credential plugin that counts its runs in a file beside it. */
async function writePlugin(folder: string, script: string): Promise<string> {
  const path = join(folder, 'plugin');
  await writeFile(path, `#!/bin/sh\necho run >> "${folder}/runs"\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const answer = (token: string, expiry: string): string =>
  `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${token}","expirationTimestamp":"${expiry}"}}'`;

const pluginOf = (command: string) =>
  ({
    kind: 'exec',
    exec: { command, args: [], env: {}, apiVersion: 'client.authentication.k8s.io/v1', provideClusterInfo: true },
  }) as const;

test('CLUS-06 a credential plugin is run once until its token expires, and only when it is allowed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-kube-'));
  try {
    const soon = await writePlugin(folder, answer('t1', '2999-01-01T00:00:00Z'));
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { config: { credentials: pluginOf(soon) } });
    await Promise.all([client.version(), client.version(), client.version()]);
    assert.equal(double.requests.at(-1)?.headers['authorization'], 'Bearer t1');
    assert.equal(await readFile(join(folder, 'runs'), 'utf8'), 'run\n');

    await writePlugin(folder, answer('t2', '2001-01-01T00:00:00Z'));
    await using expiring = clientOf(double, { config: { credentials: pluginOf(soon) } });
    await expiring.version();
    await expiring.version();
    assert.ok((await readFile(join(folder, 'runs'), 'utf8')).length > 'run\nrun\n'.length);

    await using refused = clientOf(double, {
      config: { credentials: pluginOf(soon) },
      settings: { execAllowed: () => false },
    });
    await assert.rejects(refused.version(), { code: 'kube/exec-failed', message: /allowed plugins/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a credential plugin that fails, is missing or answers nonsense is named, its output is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-kube-'));
  try {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    for (const [script, message] of [
      ['echo "no such cluster" >&2; exit 3', /ended with 3: no such cluster/],
      ['echo s3cret', /its output is no JSON/],
      [`echo '{"kind":"Pod"}'`, /no ExecCredential/],
      [`head -c 2000000 /dev/zero`, /bytes of output/],
    ] as const) {
      const command = await writePlugin(folder, script);
      await using client = clientOf(double, { config: { credentials: pluginOf(command) } });
      await assert.rejects(client.version(), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes('s3cret'));
        return true;
      });
    }
    await using missing = clientOf(double, { config: { credentials: pluginOf('tiphys-no-such-plugin') } });
    await assert.rejects(missing.version(), /not found on the PATH/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('shows its client certificate', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { config: { clientCertificate: loopback } });
  await client.version();
  await using anonymous = clientOf(double);
  await anonymous.version();
  assert.deepEqual(double.peers, ['loopback test', '']);
});

for (const calls of callCounts)
  test(`a plugin may give a client certificate; after 401 a new one is asked for and shown on a new connection, ${calls} calls`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tiphys-kube-'));
    try {
      const [cert, key] = [loopback.cert, loopback.key].map((pem) => pem.replaceAll('\n', '\\n'));
      const status401 = status(401, 'Unauthorized', { message: 'Unauthorized' });
      const credential = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientCertificateData":"${cert ?? ''}","clientKeyData":"${key ?? ''}"}}`;
      await writeFile(join(folder, 'credential'), credential);
      const command = await writePlugin(folder, `cat "${folder}/credential"`);
      await using double = await ServerDouble.start({ protocol: 'h2' });
      await using client = clientOf(double, { config: { credentials: pluginOf(command) }, settings: { calls } });
      await client.version();
      let refused = false;
      double.intercept = (_seen, response) => {
        if (refused) return false;
        refused = true;
        send(response, 401, status401);
        return true;
      };
      await client.version();
      assert.deepEqual(double.peers, ['loopback test', 'loopback test']);
      assert.equal(await readFile(join(folder, 'runs'), 'utf8'), 'run\nrun\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
