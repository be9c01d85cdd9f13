import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type KubeObject } from '@tiphys/api';
import { callCounts, clientOf, fails, refTo } from '../testing/client-of.ts';
import { configMapResource, send, ServerDouble, status } from '../testing/server-double.ts';

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

test('an error never repeats what a Secret holds in another form than texts', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const said =
    'failed to create typed patch object (n/x; /v1, Kind=Secret): .data.pin: expected string, got &value.valueUnstructured{Value:9182736}';
  double.intercept = ({ method }, response) => {
    if (method !== 'POST' && method !== 'PATCH') return false;
    send(response, 500, status(500, '', { message: `${said} and hidden-word` }));
    return true;
  };
  for (const [field, value] of [
    ['data', { pin: 9182736 }],
    ['stringData', ['hidden-word']],
    ['stringDatas', { deep: { er: 'hidden-word' } }],
  ] as const) {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', namespace: 'n' }, [field]: value };
    const { message } = await fails(client.apply(secret, { fieldManager: 'm' }));
    assert.ok(!message.includes('9182736') && !message.includes('hidden-word'), message);
  }
});

test('an error does not repeat the whole of an object that was sent', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double);
  const whole = JSON.stringify({ kind: 'ConfigMap', data: { text: 'x"y\\'.repeat(5000), b: 1 } });
  const messages = [
    [
      ` "" is invalid: patch: Invalid value: ${JSON.stringify(whole)}: json: cannot unmarshal`,
      'the object cannot be read: json: cannot unmarshal',
    ],
    [
      `Job "a" is invalid: spec.template: Invalid value: ${whole}: field is immutable`,
      `Job "a" is invalid: spec.template: Invalid value: ${whole.slice(0, 100)}...: field is immutable`,
    ],
    ['spec.replicas: Invalid value: -1: must be greater', 'spec.replicas: Invalid value: -1: must be greater'],
    ['metadata.name: Invalid value: "A": must be lower', 'metadata.name: Invalid value: "A": must be lower'],
  ];
  for (const [said = '', told = ''] of messages) {
    double.intercept = ({ method }, response) => {
      if (method !== 'POST') return false;
      send(response, 422, status(422, 'Invalid', { message: said }));
      return true;
    };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'shop' } };
    const { message } = await fails(client.create(object));
    assert.equal(message, `POST ConfigMap shop/x: ${told}`);
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
    await using client = clientOf(double, { settings: { calls } });
    await client.discovery();
    double.intercept = () => true;
    const error = await fails(client.get(refTo('a'), { timeoutMs: 100 }));
    assert.equal(error.code, 'kube/timeout');
    await assert.rejects(client.get(refTo('a'), { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  });

for (const calls of callCounts)
  test(`an answer over the limit is refused, ${calls} calls`, async () => {
    await using double = await ServerDouble.start({ protocol: 'h2' });
    await using client = clientOf(double, { settings: { maxResponseBytes: 100_000, calls } });
    double.put('a', { text: 'x'.repeat(200_000) });
    assert.equal((await fails(client.get(refTo('a')))).code, 'kube/too-large');
    assert.equal((await fails(client.list(configMapResource))).code, 'kube/too-large');
  });

test('holds to its rate and to its number of calls in flight', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { settings: { qps: 50, burst: 10, maxInFlight: 3 } });
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
    await using client = clientOf(double, { settings: { calls } });
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
