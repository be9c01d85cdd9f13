import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { stringifyJson } from '@tiphys/api';
import { clientOf } from '../testing/client-of.ts';
import { configMapResource, ServerDouble, type Intercept } from '../testing/server-double.ts';

const metadata = { resourceVersion: '1' };
const list = (...texts: string[]): string =>
  stringifyJson({
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata,
    items: texts.map((text, i) => ({ metadata: { name: `c${i}` }, data: { text } })),
  });

/** Answers with these bytes, said to be gzip. */
const packed =
  (bytes: Uint8Array): Intercept =>
  (_seen, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-encoding', 'gzip');
    response.end(bytes);
    return true;
  };

for (const [lane, calls] of [
  ['HTTP/2', 'many'],
  ['HTTP/1.1', 'few'],
] as const) {
  test(`${lane}: answers may come packed, and are read as they were`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { settings: { calls } });
    const texts = Array.from({ length: 300 }, (_, i) => `${i} ${'ä'.repeat(1000)}`);
    double.intercept = packed(gzipSync(list(...texts)));
    const { items } = await client.list(configMapResource);
    assert.deepEqual(
      items.map(({ data }) => data),
      texts.map((text) => ({ text })),
    );
    const { body } = await client.request({ method: 'GET', path: '/any' });
    assert.equal(body.toString(), list(...texts));
    assert.deepEqual(
      double.requests.map(({ headers }) => headers['accept-encoding']),
      ['gzip', 'gzip'],
    );
  });

  test(`${lane}: a packed answer that is cut off, or is none, is an error`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { settings: { calls } });
    const whole = gzipSync(list('a', 'b'));
    for (const bytes of [
      whole.subarray(0, whole.length - 12),
      Buffer.from('{"kind":"ConfigMapList"}'),
      Buffer.alloc(0),
    ]) {
      double.intercept = packed(bytes);
      await assert.rejects(client.list(configMapResource), { code: 'kube/unreachable' });
    }
  });

  test(`${lane}: the limit of an answer counts what is in it`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { settings: { calls, maxResponseBytes: 100_000 } });
    const bytes = gzipSync(list('x'.repeat(10_000_000)));
    assert.ok(bytes.length < 50_000);
    double.intercept = packed(bytes);
    await assert.rejects(client.list(configMapResource), { code: 'kube/too-large' });
    await assert.rejects(client.request({ method: 'GET', path: '/any' }), { code: 'kube/too-large' });
    double.intercept = undefined;
    assert.deepEqual((await client.list(configMapResource)).items, []);
  });

  test(`${lane}: a refusal may come packed as well`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { settings: { calls } });
    const refusal = { kind: 'Status', reason: 'Forbidden', message: 'not for you', code: 403 };
    double.intercept = (seen, response) => {
      response.statusCode = 403;
      return packed(gzipSync(stringifyJson(refusal)))(seen, response);
    };
    await assert.rejects(client.list(configMapResource), { code: 'kube/forbidden', message: /not for you/ });
  });
}

test('nothing is asked to be packed where the cluster says so', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { config: { disableCompression: true } });
  await client.list(configMapResource);
  assert.equal(double.requests[0]?.headers['accept-encoding'], undefined);
});

test('a watch is not asked to be packed', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.put('c');
  for await (const { type } of client.watch(configMapResource, { resourceVersion: '0' })) {
    assert.equal(type, 'added');
    break;
  }
  assert.equal(double.requests.at(-1)?.headers['accept-encoding'], undefined);
});
