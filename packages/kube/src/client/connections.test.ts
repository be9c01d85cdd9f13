import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '@tiphys/api';
import { clientOf, fails, refTo } from '../testing/client-of.ts';
import { configMapResource, ServerDouble } from '../testing/server-double.ts';

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
  await using client = clientOf(double, { config: { proxyUrl: `http://me:p%40ss@127.0.0.1:${proxy.port}` } });
  await Promise.all(Array.from({ length: 20 }, () => client.get(refTo('a'))));
  assert.deepEqual(proxy.tunnels, [new URL(double.url).host]);
  await using stranger = clientOf(double, { config: { proxyUrl: `http://127.0.0.1:${proxy.port}` } });
  assert.match(
    (await fails(stranger.version())).message,
    /the proxy 127\.0\.0\.1:\d+ refused the tunnel: HTTP\/1\.1 407/,
  );
  await using socks = clientOf(double, { config: { proxyUrl: 'socks5://127.0.0.1:1' } });
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
