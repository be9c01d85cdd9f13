import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock, type KubeObject } from '@tiphys/api';
import { configMapResource, loopback, send, ServerDouble, status } from '../testing/server-double.ts';
import { connect } from './connect.ts';
import { KubeError } from './error.ts';
import type { ClientSettings, ClusterConfig, KubeClient } from './types.ts';

const ports = { log: silentLogger, clock: systemClock };
const configMap = { group: '', version: 'v1', kind: 'ConfigMap' };
const refTo = (name: string) => ({ gvk: configMap, namespace: 'default', name });

function clientOf(
  double: ServerDouble,
  config: Partial<ClusterConfig> = {},
  settings: Partial<ClientSettings> = {},
): KubeClient {
  return connect(
    { name: 'test', server: double.url, ca: loopback.cert, credentials: { kind: 'none' }, ...config },
    { qps: 10_000, burst: 10_000, ...settings },
    ports,
  );
}

async function fails(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => assert.fail('should have failed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KubeError, String(error));
  return error;
}

const callCounts = ['many', 'few'] as const;

for (const [protocol, calls] of (['http', 'https', 'h2'] as const).flatMap((one) =>
  callCounts.map((calls) => [one, calls] as const),
)) {
  test(`lists, reads and watches over ${protocol}, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol });
    await using client = clientOf(double, {}, { calls });
    for (let i = 0; i < 25; i += 1) double.put(`c${i}`, { text: 'x'.repeat(i * 100), quote: '"{[\\' });

    assert.equal((await client.version()).gitVersion, 'v1.35.0');
    const { items, resourceVersion } = await client.list(configMapResource, { pageSize: 10 });
    assert.equal(items.length, 25);
    assert.deepEqual(items[3], double.objects.get('default/c3'));
    assert.equal(resourceVersion, String(double.version));
    assert.deepEqual(await client.get(refTo('c7')), double.objects.get('default/c7'));
    assert.equal(await client.get(refTo('nope')), undefined);

    const seen: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of client.watch(configMapResource, { resourceVersion, signal: stop.signal })) {
        seen.push(event.type === 'bookmark' ? 'bookmark' : `${event.type} ${event.object.metadata.name ?? ''}`);
        if (seen.length === 4) stop.abort();
      }
    })();
    double.put('new');
    double.put('c1');
    double.remove('new');
    while (double.watching === 0) await systemClock.sleep(5);
    double.bookmark();
    await assert.rejects(watching, { name: 'AbortError' });
    assert.deepEqual(seen, ['added new', 'modified c1', 'deleted new', 'bookmark']);
  });
}

test('uses one HTTP/2 connection for many calls and watches at once', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.put('a');
  const stop = new AbortController();
  const watches = Array.from({ length: 20 }, async () => {
    const events = client.watch(configMapResource, { resourceVersion: '0', signal: stop.signal });
    for await (const { type } of events) assert.equal(type, 'added');
  });
  await Promise.all(Array.from({ length: 200 }, () => client.get(refTo('a'))));
  assert.equal(double.connections, 1);
  stop.abort();
  await Promise.allSettled(watches);
});

test('keeps 64-bit integers through list, get and write', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.put('big', { n: 9_223_372_036_854_775_807n });
  const { items } = await client.list(configMapResource);
  assert.deepEqual(items[0]?.['data'], { n: 9_223_372_036_854_775_807n });
  await client.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'default' },
    n: 9_007_199_254_740_993n,
  });
  assert.match(double.requests.at(-1)?.body ?? '', /"n":9007199254740993[,}]/);
});

test('leaves managedFields out of a list where that is asked for, and nothing else', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const fieldsV1 = { 'f:data': { 'f:a': {}, 'k:{"x":1}': { '.': {} } } };
  const entries = ['tiphys', 'odd],', '],"name":"x'].map((manager) => ({ manager, operation: 'Apply', fieldsV1 }));
  const forms = {
    first: { managedFields: entries, name: 'first', namespace: 'default' },
    last: { name: 'last', namespace: 'default', managedFields: entries.slice(0, 1) },
    empty: { managedFields: [], name: 'empty', namespace: 'default' },
    none: { name: 'none', namespace: 'default', annotations: { text: '"managedFields":[],"' } },
  };
  for (const [name, metadata] of Object.entries(forms))
    double.objects.set(`default/${name}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { list: 'a],"b' } });
  const seen = new Map<string, KubeObject>();
  await client.listEach(configMapResource, { withoutManagedFields: true }, (object) =>
    seen.set(object.metadata.name ?? '', object),
  );
  assert.equal(seen.size, 4);
  for (const [name, metadata] of Object.entries(forms)) {
    const object = seen.get(name);
    assert.deepEqual(object?.['data'], { list: 'a],"b' });
    const { managedFields, ...rest } = { managedFields: undefined, ...object.metadata };
    const { managedFields: sent, ...expected } = { managedFields: undefined, ...metadata };
    assert.deepEqual(rest, expected);
    // Where cutting would leave no JSON, the object comes whole.
    if (managedFields !== undefined) assert.deepEqual(managedFields, sent);
  }
  assert.equal(seen.get('last')?.metadata.managedFields?.length ?? 0, 0);
});

test('finds kinds through aggregated discovery, and reads it again when one is missed', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, {}, { discoveryMissMs: 0 });
  double.extra.push({ group: 'apps', kind: 'Deployment', plural: 'deployments' });
  const discovery = await client.discovery();
  for (const name of ['cm', 'ConfigMap', 'configmaps', 'configmap'])
    assert.equal(discovery.byName(name)?.plural, 'configmaps', name);
  for (const name of ['deployments.apps', 'deployment.v1.apps', 'Deployment.apps'])
    assert.equal(discovery.byName(name)?.kind, 'Deployment', name);
  assert.equal(discovery.byName('deployments.batch'), undefined);
  assert.deepEqual(discovery.find(configMap)?.subresources, ['status']);

  const widget = { group: 'example.com', version: 'v1', kind: 'Widget' };
  const error = await fails(client.resourceFor(widget));
  assert.equal(error.code, 'kube/kind-not-found');
  assert.match(error.message, /example\.com\/v1, kind Widget/);
  double.extra.push({ group: 'example.com', kind: 'Widget', plural: 'widgets' });
  assert.equal((await client.resourceFor(widget)).plural, 'widgets');
  const again = await fails(client.resourceFor({ ...widget, version: 'v2' }));
  assert.match(again.message, /it serves example\.com\/v1/);
});

test('asks for discovery once in an interval, however many kinds are missed', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, {}, { discoveryMissMs: 60_000 });
  const misses = Array.from({ length: 20 }, (_, i) =>
    fails(client.resourceFor({ group: 'x', version: 'v1', kind: `K${i}` })),
  );
  await Promise.all(misses);
  assert.equal(double.requests.filter(({ path }) => path === '/apis').length, 1);
});

test('falls back to the older discovery documents', async () => {
  await using double = await ServerDouble.start({ protocol: 'https', legacyDiscovery: true });
  double.extra.push({ group: 'apps', kind: 'Deployment', plural: 'deployments' });
  await using client = clientOf(double);
  const discovery = await client.discovery();
  assert.deepEqual(
    discovery.resources.map(({ group, kind, subresources, preferred }) => ({ group, kind, subresources, preferred })),
    [
      { group: '', kind: 'ConfigMap', subresources: ['status'], preferred: true },
      { group: '', kind: 'Secret', subresources: ['status'], preferred: true },
      { group: 'apps', kind: 'Deployment', subresources: ['status'], preferred: true },
    ],
  );
});

test('tells a missing object from a kind that was taken away', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, {}, { discoveryMissMs: 0 });
  assert.equal(await client.get(refTo('a')), undefined);
  double.served = false;
  assert.equal((await fails(client.get(refTo('a')))).code, 'kube/kind-not-found');
});

test('a path that is not served any more says nothing of the object, however short ago it was', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, {}, { discoveryMissMs: 60_000 });
  double.put('a');
  assert.notEqual(await client.get(refTo('a')), undefined);
  double.served = false;
  assert.equal((await fails(client.delete(refTo('a')))).code, 'kube/kind-not-found');
  double.served = true;
  await client.discovery({ fresh: true });
  // The router is ahead of the list of what is served.
  double.intercept = ({ method, path }, response) => {
    if (!path.endsWith('/configmaps/a')) return false;
    response.statusCode = 404;
    response.end(method === 'HEAD' ? '' : '404 page not found');
    return true;
  };
  assert.match((await fails(client.get(refTo('a')))).message, /at present/);
  assert.equal((await fails(client.delete(refTo('a')))).code, 'kube/kind-not-found');
});

test('sends each patch type with its media type and the write options as query', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.put('a');
  for (const [type, media] of [
    ['merge', 'application/merge-patch+json'],
    ['json', 'application/json-patch+json'],
    ['strategic', 'application/strategic-merge-patch+json'],
    ['apply', 'application/apply-patch+yaml'],
  ] as const) {
    await client.patch(
      refTo('a'),
      { type, body: {}, force: true },
      { dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' },
    );
    const seen = double.requests.at(-1)!;
    assert.equal(seen.headers['content-type'], media);
    const force: Record<string, string> = type === 'apply' ? { force: 'true' } : {};
    assert.deepEqual(Object.fromEntries(seen.query), {
      dryRun: 'All',
      fieldManager: 'me',
      fieldValidation: 'Strict',
      ...force,
    });
  }
});

test('says how a deletion ended', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const object = double.put('a');
  double.intercept = ({ method }, response) => {
    if (method !== 'DELETE') return false;
    send(response, 200, { ...object, metadata: { ...object.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
    return true;
  };
  assert.equal(
    await client.delete(refTo('a'), { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } }),
    'deleting',
  );
  const { body } = double.requests.at(-1)!;
  assert.match(body, /"propagationPolicy":"Foreground".*"preconditions":{"uid":"u"}/);
  double.intercept = undefined;
  assert.equal(await client.delete(refTo('a')), 'deleted');
  assert.equal(await client.delete(refTo('a')), 'absent');
});

for (const [code, reason, expected] of [
  [400, 'BadRequest', 'kube/invalid'],
  [401, 'Unauthorized', 'kube/unauthorized'],
  [403, 'Forbidden', 'kube/forbidden'],
  [409, 'AlreadyExists', 'kube/already-exists'],
  [409, 'Conflict', 'kube/conflict'],
  [410, 'Gone', 'kube/expired'],
  [422, 'Invalid', 'kube/invalid'],
  [500, 'InternalError', 'kube/server-error'],
  [503, '', 'kube/server-error'],
] as const)
  test(`a ${code} ${reason} is ${expected}, with the server's words`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double);
    double.intercept = ({ method }, response) => {
      if (method !== 'POST') return false;
      send(response, code, status(code, reason, { message: 'because of that' }));
      return true;
    };
    const error = await fails(
      client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'shop' } }),
    );
    assert.equal(error.code, expected);
    assert.equal(error.message, 'POST ConfigMap shop/x: because of that');
    assert.deepEqual([error.detail.status, error.detail.reason], [code, reason]);
  });

test('an error never repeats the values of a Secret that was sent', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const token = Buffer.from('s3cret-token').toString('base64');
  const said = `Secret "x" is invalid: data[a]: Invalid value: "${token}": bad; s3cret-token; error found in #10 byte of ...|"pw":"${token}"|...`;
  double.intercept = ({ method }, response) => {
    if (method !== 'POST' && method !== 'PATCH') return false;
    send(
      response,
      422,
      status(422, 'Invalid', { message: said, details: { causes: [{ message: said, field: 'data' }] } }),
    );
    return true;
  };
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'x', namespace: 'n' },
    data: { a: token },
  };
  for (const write of [() => client.create(secret), () => client.apply(secret, { fieldManager: 'm' })]) {
    const error = await fails(write());
    const text = `${error.message} ${JSON.stringify(error.detail)} ${error.stack ?? ''}`;
    assert.ok(!text.includes(token) && !text.includes('s3cret-token'), text);
    assert.match(error.message, /data\[a\]: Invalid value: \*\*\*/);
  }
});

test('waits as Retry-After says on 429, for writes too, and gives up when that is later than the deadline', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  let refused = 0;
  double.intercept = ({ method }, response) => {
    if (method !== 'POST' || refused >= 2) return false;
    refused += 1;
    response.setHeader('retry-after', '1');
    send(response, 429, status(429, 'TooManyRequests', { message: 'slow down' }));
    return true;
  };
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'n' } };
  const startedMs = performance.now();
  await client.create(object);
  assert.equal(refused, 2);
  assert.ok(performance.now() - startedMs >= 1_900);
  refused = 0;
  const error = await fails(client.create(object, { timeoutMs: 500 }));
  assert.equal(error.code, 'kube/too-many-requests');
  assert.equal(refused, 1);
});

for (const calls of callCounts)
  test(`a call ends at its deadline, and at its signal, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, {}, { calls });
    await client.discovery();
    double.intercept = () => true;
    const error = await fails(client.get(refTo('a'), { timeoutMs: 100 }));
    assert.equal(error.code, 'kube/timeout');
    await assert.rejects(client.get(refTo('a'), { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  });

for (const calls of callCounts)
  test(`an answer over the limit is refused, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, {}, { maxResponseBytes: 100_000, calls });
    double.put('a', { text: 'x'.repeat(200_000) });
    assert.equal((await fails(client.get(refTo('a')))).code, 'kube/too-large');
    assert.equal((await fails(client.list(configMapResource))).code, 'kube/too-large');
  });

test('holds to its rate and to its number of calls in flight', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, {}, { qps: 50, burst: 10, maxInFlight: 3 });
  double.put('a');
  await client.discovery();
  await systemClock.sleep(300);
  let [inFlight, most] = [0, 0];
  double.intercept = (_seen, response) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    setTimeout(() => {
      inFlight -= 1;
      send(response, 200, double.objects.get('default/a'));
    }, 10);
    return true;
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: 30 }, () => client.get(refTo('a'))));
  const tookMs = performance.now() - startedMs;
  assert.equal(most, 3);
  assert.ok(tookMs > 350, `20 calls beyond the burst at 50 a second take 400 ms, and not ${tookMs}`);
});

for (const calls of callCounts)
  test(`a read is sent again when the server restarts, a write is not, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, {}, { calls });
    double.put('a');
    await client.get(refTo('a'));
    await double.down();
    const back = systemClock.sleep(100).then(() => double.up());
    assert.equal((await client.get(refTo('a')))?.metadata.name, 'a');
    await back;
    double.intercept = (_seen, response) => {
      response.socket?.destroy();
      return true;
    };
    const before = double.requests.length;
    const error = await fails(
      client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'n' } }),
    );
    assert.equal(error.code, 'kube/unreachable');
    assert.equal(double.requests.length, before + 1);
  });

test('a server that nobody answers for is named', async () => {
  const double = await ServerDouble.start({ protocol: 'h2' });
  await double.down();
  await using client = clientOf(double);
  const error = await fails(client.version());
  assert.equal(error.code, 'kube/unreachable');
  assert.match(error.message, /https:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
});

test('CLUS-04 verifies the certificate authority, unless told not to', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using strict = clientOf(double, { ca: undefined });
  const error = await fails(strict.version());
  assert.match(error.message, /certificate is not accepted/);
  await using careless = clientOf(double, { ca: undefined, insecure: true });
  assert.equal((await careless.version()).major, '1');
  await using otherName = clientOf(double, { tlsServerName: 'elsewhere.example' });
  assert.match((await fails(otherName.version())).message, /certificate is not accepted/);
  await using named = clientOf(double, { tlsServerName: 'localhost' });
  assert.equal((await named.version()).major, '1');
});

test('sends tokens, passwords and impersonation', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using token = clientOf(double, { credentials: { kind: 'token', token: 't' } });
  await token.version();
  assert.equal(double.requests.at(-1)?.headers['authorization'], 'Bearer t');
  await using basic = clientOf(double, { credentials: { kind: 'basic', username: 'u', password: 'p' } });
  await basic.version();
  assert.equal(double.requests.at(-1)?.headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`);
  await using other = clientOf(double, { impersonate: { user: 'alice', groups: ['dev'] } });
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
    await using client = clientOf(double, { credentials: { kind: 'token-file', path } });
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
    await using client = clientOf(double, { credentials: pluginOf(soon) });
    await Promise.all([client.version(), client.version(), client.version()]);
    assert.equal(double.requests.at(-1)?.headers['authorization'], 'Bearer t1');
    assert.equal(await readFile(join(folder, 'runs'), 'utf8'), 'run\n');

    await writePlugin(folder, answer('t2', '2001-01-01T00:00:00Z'));
    await using expiring = clientOf(double, { credentials: pluginOf(soon) });
    await expiring.version();
    await expiring.version();
    assert.ok((await readFile(join(folder, 'runs'), 'utf8')).length > 'run\nrun\n'.length);

    await using refused = clientOf(double, { credentials: pluginOf(soon) }, { execAllowed: () => false });
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
      await using client = clientOf(double, { credentials: pluginOf(command) });
      await assert.rejects(client.version(), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes('s3cret'));
        return true;
      });
    }
    await using missing = clientOf(double, { credentials: pluginOf('tiphys-no-such-plugin') });
    await assert.rejects(missing.version(), /not found on the PATH/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('hands over the warnings of a write', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.intercept = ({ method }, response) => {
    if (method !== 'POST') return false;
    response.setHeader('warning', '299 - "v1beta1 is \\"old\\"", 299 - "unknown field \\"x\\""');
    return false;
  };
  const warnings: string[] = [];
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'n' } };
  await client.create(object, { onWarning: (text) => warnings.push(text) });
  assert.deepEqual(warnings, ['v1beta1 is "old"', 'unknown field "x"']);
});

test('refuses names that would change the path', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  for (const name of ['..', '.', 'a/b', '']) assert.equal((await fails(client.get(refTo(name)))).code, 'kube/invalid');
  assert.equal((await fails(client.get({ gvk: configMap, name: 'a' }))).code, 'kube/invalid');
});

test('shows its client certificate', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { clientCertificate: loopback });
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
      await using client = clientOf(double, { credentials: pluginOf(command) }, { calls });
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

/** An HTTP proxy that tunnels, for those who know its password. */
async function startProxy(): Promise<AsyncDisposable & { port: number; tunnels: string[] }> {
  const tunnels: string[] = [];
  const open = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request: IncomingMessage, near: Socket) => {
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:p@ss').toString('base64')}`) {
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const far = connectTcp(Number(port), host);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
    }
    near.write('HTTP/1.1 200 Connection established\r\n\r\n');
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, tunnels, [Symbol.asyncDispose]: stop };
}

test('goes through a proxy, and names it when it refuses', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using proxy = await startProxy();
  double.put('a');
  await using client = clientOf(double, { proxyUrl: `http://me:p%40ss@127.0.0.1:${proxy.port}` });
  await Promise.all(Array.from({ length: 20 }, () => client.get(refTo('a'))));
  assert.deepEqual(proxy.tunnels, [new URL(double.url).host]);
  await using stranger = clientOf(double, { proxyUrl: `http://127.0.0.1:${proxy.port}` });
  assert.match(
    (await fails(stranger.version())).message,
    /the proxy 127\.0\.0\.1:\d+ refused the tunnel: HTTP\/1\.1 407/,
  );
  await using socks = clientOf(double, { proxyUrl: 'socks5://127.0.0.1:1' });
  assert.match((await fails(socks.version())).message, /socks5: is not supported/);
});

test('more than a hundred watches do not hold up calls', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const { resourceVersion } = await client.list(configMapResource);
  const stop = new AbortController();
  const watches = Array.from({ length: 130 }, async () => {
    for await (const { type } of client.watch(configMapResource, { resourceVersion, signal: stop.signal }))
      assert.equal(type, 'added');
  });
  while (double.watching < 130) await systemClock.sleep(5);
  double.put('a');
  assert.equal((await client.get(refTo('a'), { timeoutMs: 5_000 }))?.metadata.name, 'a');
  assert.equal(double.connections, 3, 'sixty watches share a connection');
  stop.abort();
  await Promise.allSettled(watches);
});
