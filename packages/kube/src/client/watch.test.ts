import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from '../testing/client-of.ts';
import { fakeClock, settle } from '../testing/fake-clock.ts';
import { LossyLink } from '../testing/lossy-link.ts';
import { configMapResource, ServerDouble, status } from '../testing/server-double.ts';

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i += 1) await settle();
  assert.ok(holds(), 'waited in vain');
}

test('events are put together from pieces of any size, over any number of chunks', async () => {
  await using double = await ServerDouble.start({ protocol: 'http' });
  await using client = clientOf(double);
  const line = (name: string): string =>
    `{"type":"ADDED","object":{"metadata":{"name":"${name}","resourceVersion":"7"},"data":{"t":"é🚢"}}}\n`;
  double.intercept = ({ query }, response) => {
    if (query.get('watch') !== 'true') return false;
    const bytes = Buffer.from(line('a') + line('b') + line('c'));
    response.socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    void (async () => {
      for (let i = 0; i < bytes.length; i += 7) {
        response.socket?.write(`${Math.min(7, bytes.length - i).toString(16)}\r\n`);
        response.socket?.write(bytes.subarray(i, i + 7));
        response.socket?.write('\r\n');
        if (i % 35 === 0) await settle();
      }
      response.socket?.end('0\r\n\r\n');
    })();
    return true;
  };
  const names: string[] = [];
  for await (const event of client.watch(configMapResource, { resourceVersion: '1' })) {
    assert.equal(event.resourceVersion, '7');
    if (event.type !== 'bookmark') {
      assert.equal(event.object.kind, 'ConfigMap');
      assert.deepEqual(event.object['data'], { t: 'é🚢' });
      names.push(event.object.metadata.name ?? '');
    }
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
});

for (const how of ['as status', 'as event'] as const)
  test(`a version that is too old is kube/expired, told ${how}`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double);
    const from = String(double.version);
    if (how === 'as status') double.compact('leave-watchers');
    const consume = async (): Promise<void> => {
      for await (const event of client.watch(configMapResource, { resourceVersion: from }))
        assert.ok(event.type !== 'bookmark');
    };
    const ended = consume();
    if (how === 'as event') {
      await until(() => double.watching === 1);
      double.compact('tell-watchers');
    }
    await assert.rejects(ended, { code: 'kube/expired' });
  });

test('a stream that is silent for the idle time is taken for dead', async () => {
  const clock = fakeClock();
  await using double = await ServerDouble.start({ protocol: 'http' });
  await using client = clientOf(double, { ports: { clock } });
  let bookmarks = 0;
  const consume = async (): Promise<void> => {
    for await (const event of client.watch(configMapResource, { resourceVersion: String(double.version) })) {
      assert.equal(event.type, 'bookmark');
      bookmarks += 1;
    }
  };
  let over = false;
  const ended = consume().finally(() => {
    over = true;
  });
  ended.catch(() => undefined);
  await until(() => double.watching === 1);
  await clock.advance(100_000);
  double.bookmark();
  await until(() => bookmarks === 1);
  await clock.advance(100_000);
  assert.equal(over, false, 'the bookmark was a sign of life');
  await clock.advance(21_000);
  await assert.rejects(ended, { code: 'kube/timeout', message: /no byte for 120 s/ });
  await until(() => double.watching === 0);
});

test('a black-holed HTTP/2 connection is noticed by its pings and replaced', async () => {
  const clock = fakeClock();
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using link = await LossyLink.before(double.url);
  await using client = clientOf({ url: `https://127.0.0.1:${link.port}` }, { ports: { clock } });
  double.put('a');
  const told: string[] = [];
  const ended = (async () => {
    for await (const event of client.watch(configMapResource, { resourceVersion: '0' })) told.push(event.type);
  })().catch((error: unknown) => told.push(String(error)));
  await until(() => told.length === 1);
  link.freeze();
  await clock.advance(30_000);
  assert.deepEqual(told, ['added']);
  while (told.length < 2) await clock.advance(8_000);
  await ended;
  assert.match(told[1] ?? '', /no sign of life for 45000 ms/);
  assert.equal((await client.get({ gvk: configMapResource, namespace: 'default', name: 'a' }))?.metadata.name, 'a');
});

test('an error event that is not 410 is the error it names', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  double.intercept = ({ query }, response) => {
    if (query.get('watch') !== 'true') return false;
    const object = status(500, 'InternalError', { message: 'etcd is away' });
    response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    return true;
  };
  const consume = async (): Promise<void> => {
    for await (const event of client.watch(configMapResource, { resourceVersion: '1' })) assert.fail(event.type);
  };
  await assert.rejects(consume(), { code: 'kube/server-error', message: /etcd is away/ });
});
