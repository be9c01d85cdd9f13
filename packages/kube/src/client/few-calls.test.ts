import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@tiphys/api';
import { clientOf } from '../testing/client-of.ts';
import { configMapResource, ServerDouble } from '../testing/server-double.ts';
import type { KubeClient } from './types.ts';

const version = (client: KubeClient): Promise<unknown> => client.request({ method: 'GET', path: '/version' });

const few = { settings: { calls: 'few' } } as const;

const versionsOf = ({ requests }: ServerDouble): string[] => requests.map(({ httpVersion }) => httpVersion);

test('calls one after the other go over one HTTP/1.1 connection', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, few);
  for (let i = 0; i < 25; i += 1) double.put(`c${i}`);
  await version(client);
  assert.equal((await client.list(configMapResource, { pageSize: 10 })).items.length, 25);
  await version(client);
  assert.deepEqual(versionsOf(double), ['1.1', '1.1', '1.1', '1.1', '1.1']);
  assert.equal(double.connections, 1);
});

test('a write sends its body whole, a deletion too', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, few);
  const body = JSON.stringify({ text: 'ä'.repeat(100) });
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    await client.request({ method, path: '/version', body });
    assert.deepEqual([double.requests.at(-1)?.method, double.requests.at(-1)?.body], [method, body]);
  }
  await client.request({ method: 'POST', path: '/version' });
  assert.equal(double.requests.at(-1)?.headers['content-length'], '0');
  assert.equal(double.connections, 1);
});

test('calls beside one another share an HTTP/2 connection', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, few);
  await Promise.all(Array.from({ length: 20 }, () => version(client)));
  assert.equal(versionsOf(double).filter((one) => one === '2.0').length, 19);
  assert.equal(double.connections, 2);
});

test('a watch leaves the HTTP/1.1 connection to calls', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, few);
  const stop = new AbortController();
  const open = Promise.withResolvers<undefined>();
  const watching = (async () => {
    const options = { resourceVersion: '0', signal: stop.signal, onOpen: () => open.resolve(undefined) };
    for await (const { type } of client.watch(configMapResource, options)) assert.equal(type, 'added');
  })();
  await open.promise;
  await version(client);
  assert.deepEqual(versionsOf(double), ['2.0', '1.1']);
  stop.abort();
  await assert.rejects(watching, { name: 'AbortError' });
});

test('an answer that breaks off is asked for again, and one that is too slow ends at its deadline', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, few);
  let broken = 0;
  double.intercept = (_seen, response) => {
    broken += 1;
    if (broken > 1) return false;
    response.socket?.destroy();
    return true;
  };
  await version(client);
  assert.equal(broken, 2);
  double.intercept = (_seen, response) => {
    // More than is written: the rest never comes.
    response.setHeader('content-length', '1000');
    if ('flushHeaders' in response) response.flushHeaders();
    return true;
  };
  await assert.rejects(client.list(configMapResource, { timeoutMs: 100 }), { code: 'kube/timeout' });
  const abort = new AbortController();
  const listing = client.list(configMapResource, { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(listing, { name: 'AbortError' });
  double.intercept = undefined;
  await version(client);
});

test('a client that is closed while it connects fails the call, and ends nothing else', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  const client = clientOf(double, few);
  const call = version(client);
  await systemClock.sleep(1);
  await client.close();
  await assert.rejects(call, { code: 'kube/unreachable' });
});

test('a closed client closes its connections and refuses calls', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  const client = clientOf(double, few);
  await version(client);
  await client.close();
  await assert.rejects(version(client), { code: 'kube/unreachable' });
});
