import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type KubeObject } from '@tiphys/api';
import { callCounts, clientOf, configMap, fails, refTo } from '../testing/client-of.ts';
import { configMapResource, send, ServerDouble } from '../testing/server-double.ts';

for (const [protocol, calls] of (['http', 'https', 'h2'] as const).flatMap((one) =>
  callCounts.map((calls) => [one, calls] as const),
)) {
  test(`lists, reads and watches over ${protocol}, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol });
    await using client = clientOf(double, { settings: { calls } });
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
