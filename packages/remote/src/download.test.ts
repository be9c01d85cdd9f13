import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type ErrorCode, isCoded, messageOf } from '@tiphys/api';
import { issueServerCredential } from '@tiphys/kube-sim';
import { type AddressClass, classOf } from './address.ts';
import { download, type DownloadPorts } from './download.ts';
import { proxyFor } from './proxy.ts';

const classes: Readonly<Record<AddressClass, readonly string[]>> = {
  public: [
    '1.1.1.1',
    '9.9.9.9',
    '172.32.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ],
  internal: [
    ...['127.0.0.1', '127.255.255.254', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1'],
    ...[
      '::1',
      'fd12:3456::1',
      'fc00::1',
      '::ffff:127.0.0.1',
      '::ffff:a00:1',
      '64:ff9b::10.0.0.1',
      '2002:7f00:1::',
      '::7f00:1',
    ],
  ],
  never: [
    ...['169.254.169.254', '169.254.170.2', '0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255', '100.100.100.200'],
    ...[
      'fe80::1',
      'fe80::1%eth0',
      'ff02::1',
      '::',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      'name',
      '',
    ],
  ],
};

for (const [expected, addresses] of Object.entries(classes))
  test(`REPO-20 addresses that are ${expected}`, () => {
    for (const address of addresses) assert.equal(classOf(address), expected, address);
  });

const exempt: readonly (readonly [noProxy: string, url: string, expected: boolean])[] = [
  ['', 'http://a.example/', false],
  ['*', 'http://a.example/', true],
  ['a.example', 'http://A.example/', true],
  ['a.example', 'http://b.a.example/', true],
  ['.a.example', 'http://b.a.example/', true],
  ['a.example', 'http://ba.example/', false],
  ['x, a.example:8080', 'http://a.example:8080/', true],
  ['a.example:8080', 'http://a.example/', false],
  ['10.0.0.0/8 y', 'http://10.1.2.3/', true],
  ['10.0.0.0/8', 'http://11.1.2.3/', false],
  ['10.0.0.0/8', 'http://a10.example/', false],
  ['fd00::/8', 'https://[fd00::1]/', true],
  ['::1', 'https://[::1]:8443/', true],
  ['10.0.0.0/99', 'http://10.1.2.3/', false],
];
for (const [no_proxy, url, expected] of exempt)
  test(`NO_PROXY "${no_proxy}" and ${url}`, () => {
    const proxy = proxyFor(new URL(url), { ALL_PROXY: 'http://proxy.example:3128', no_proxy });
    assert.equal(proxy === undefined, expected);
  });

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

describe('files by URL', () => {
  const credential = issueServerCredential(['127.0.0.1', 'localhost'], new Date());
  const hits: string[] = [];
  let port = 0;
  let tlsPort = 0;
  const answer: Parameters<typeof createServer>[1] = (request, response) => {
    const { url = '', headers } = request;
    hits.push(`${headers.host ?? ''}${url} ${headers.authorization ?? ''}`);
    if (url === '/values') response.end('colour: blue\n');
    else if (url.startsWith('/to?')) response.writeHead(302, { location: decodeURIComponent(url.slice(4)) }).end();
    else if (url === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (url === '/large') response.end(Buffer.alloc(2000));
    else if (url === '/drip') response.write('a');
    else if (url === '/broken') response.writeHead(500).end('secret words of the server');
    else response.writeHead(404).end();
  };
  const servers = [
    createServer(answer),
    createTlsServer({ cert: credential.certificatePem, key: credential.keyPem }, answer),
  ];
  before(async () => {
    [port = 0, tlsPort = 0] = await Promise.all(servers.map(listen));
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Trusts what is served here, and nothing else. */
  const trust: DownloadPorts['trust'] = (url) => {
    const registered = [`127.0.0.1:${port}`, `127.0.0.1:${tlsPort}`, `inside.example:${port}`].includes(
      new URL(url).host,
    );
    return { registered, ...(url.startsWith('https:') && { caPem: credential.caPem }) };
  };
  const names: Readonly<Record<string, readonly string[]>> = {
    'inside.example': ['127.0.0.1'],
    'outside.example': ['127.0.0.1'],
    'metadata.example': ['169.254.169.254'],
    'none.example': [],
  };
  const get = async (url: string, more: Partial<DownloadPorts> = {}): Promise<string> => {
    const lookup = (host: string) => Promise.resolve(names[host] ?? ['127.0.0.1']);
    const limits = { timeoutMs: 600, maxBytes: 1000 };
    return (await download(url, { trust, lookup, limits, ...more }, AbortSignal.timeout(10_000))).toString('utf8');
  };
  const fails = async (work: Promise<string>, code: ErrorCode, ...words: readonly string[]): Promise<void> => {
    const error = await work.then(
      (text) => assert.fail(`expected ${code}, got ${text}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(isCoded(error), String(error));
    assert.equal(error.code, code, messageOf(error));
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
  };

  test('REPO-12 a registered host is asked, by address, by name, over TLS with its certificate', async () => {
    assert.equal(await get(`http://127.0.0.1:${port}/values`), 'colour: blue\n');
    assert.equal(await get(`http://inside.example:${port}/values`), 'colour: blue\n');
    assert.equal(await get(`https://127.0.0.1:${tlsPort}/values`), 'colour: blue\n');
    await fails(
      get(`https://127.0.0.1:${tlsPort}/values`, { trust: () => ({ registered: true }) }),
      'remote/unreachable',
      'certificate',
    );
  });

  test('REPO-20 nobody is sent to an internal address that no repository is registered for, however it is written', async () => {
    hits.length = 0;
    const elsewhere = [
      '127.0.0.1',
      'localhost',
      '127.1',
      '0x7f000001',
      '2130706433',
      '017700000001',
      '[::1]',
      '[::ffff:127.0.0.1]',
      'outside.example',
    ];
    for (const host of elsewhere)
      await fails(
        get(`http://${host}:${port}/values`, { trust: () => ({ registered: false }) }),
        'remote/address-forbidden',
        'internal address',
        'registered',
      );
    for (const url of [
      'http://0.0.0.0/',
      'http://169.254.169.254/latest/meta-data',
      'http://metadata.example/',
      'http://[fe80::1]/',
      'http://none.example/',
    ])
      await fails(get(url, { trust: () => ({ registered: true }) }), 'remote/address-forbidden');
    assert.deepEqual(hits, []);
  });

  test('REPO-20 a redirect is judged like the first URL: host, port and scheme', async () => {
    const by = (to: string, from = `http://127.0.0.1:${port}`): string => `${from}/to?${encodeURIComponent(to)}`;
    assert.equal(await get(by('/values')), 'colour: blue\n');
    assert.equal(await get(by(`https://127.0.0.1:${tlsPort}/values`)), 'colour: blue\n');
    hits.length = 0;
    for (const to of [
      `http://localhost:${port}/values`,
      'http://169.254.169.254/',
      'http://metadata.example/',
      'file:///etc/passwd',
      'ftp://127.0.0.1/',
    ])
      await fails(get(by(to)), 'remote/address-forbidden');
    await fails(
      get(by(`http://127.0.0.1:${port}/values`, `https://127.0.0.1:${tlsPort}`)),
      'remote/address-forbidden',
      'redirects to http:',
    );
    assert.equal(hits.filter((line) => line.includes('/values')).length, 0);
    await fails(get(`http://127.0.0.1:${port}/circle`), 'remote/unreachable', 'redirects');
  });

  test('REPO-20 a name is looked up once for a connection: what it means a moment later changes nothing', async () => {
    let asked = 0;
    const lookup = (): Promise<readonly string[]> =>
      Promise.resolve((asked += 1) === 1 ? ['127.0.0.1'] : ['169.254.169.254']);
    assert.equal(await get(`http://inside.example:${port}/values`, { lookup }), 'colour: blue\n');
    assert.equal(asked, 1);
    // Of several addresses those that are forbidden are not tried.
    const both = (): Promise<readonly string[]> => Promise.resolve(['169.254.169.254', '127.0.0.1']);
    assert.equal(await get(`http://inside.example:${port}/values`, { lookup: both }), 'colour: blue\n');
  });

  test('what is missing, broken, too large or too slow is told, without what the server said', async () => {
    const at = (path: string): Promise<string> => get(`http://127.0.0.1:${port}${path}`);
    await fails(at('/none'), 'remote/not-found', '/none');
    await fails(at('/broken'), 'remote/unreachable', '500');
    await fails(at('/large'), 'remote/too-large', '1000 bytes');
    const started = performance.now();
    await fails(at('/drip'), 'remote/unreachable', '0.6 s');
    await fails(get('http://x.example/', { lookup: () => new Promise(() => {}) }), 'remote/unreachable', '0.6 s');
    assert.ok(performance.now() - started < 5000);
    await fails(get('s3://bucket/values'), 'remote/unsupported');
  });

  test('a proxy is asked for what is not exempt, and not for what is forbidden here', async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.end('by proxy\n');
    });
    proxy.on('connect', (request: IncomingMessage, client: Duplex) => {
      seen.push(`CONNECT ${request.url ?? ''}`);
      const upstream = connect(tlsPort, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      upstream
        .on('error', () => client.destroy())
        .pipe(client)
        .on('error', () => upstream.destroy())
        .pipe(upstream);
    });
    const proxyPort = await listen(proxy);
    const http = `http://127.0.0.1:${proxyPort}`;
    const proxies = { http_proxy: http, HTTPS_PROXY: http, no_proxy: 'inside.example' };
    const nowhere = (): Promise<never> => Promise.reject(new Error('no such host'));
    assert.equal(await get('http://far.example/values', { proxies, lookup: nowhere }), 'by proxy\n');
    const trusting: DownloadPorts['trust'] = () => ({ registered: true, caPem: credential.caPem });
    assert.equal(await get(`https://127.0.0.1:${tlsPort}/values`, { proxies, trust: trusting }), 'colour: blue\n');
    assert.equal(await get(`http://inside.example:${port}/values`, { proxies }), 'colour: blue\n');
    assert.deepEqual(seen, ['GET http://far.example/values', `CONNECT 127.0.0.1:${tlsPort}`]);
    for (const url of ['http://metadata.example/', 'http://169.254.169.254/', 'http://outside.example/'])
      await fails(get(url, { proxies }), 'remote/address-forbidden');
    assert.equal(seen.length, 2);
    proxy.closeAllConnections();
    proxy.close();
  });

  test('a password in the URL goes to its own host, and with what else may be secret into no message', async () => {
    hits.length = 0;
    const url = `http://ada:s3cret@127.0.0.1:${port}/to?${encodeURIComponent(`https://127.0.0.1:${tlsPort}/values`)}`;
    assert.equal(await get(url), 'colour: blue\n');
    assert.deepEqual(
      hits.map((line) => line.includes('Basic ')),
      [true, false],
    );
    const error = await get(`http://ada:s3cret@127.0.0.1:${port}/none?token=s3cret`).catch((thrown: unknown) =>
      messageOf(thrown),
    );
    assert.match(error, /\/none/);
    assert.ok(!error.includes('s3cret'), error);
  });
});
