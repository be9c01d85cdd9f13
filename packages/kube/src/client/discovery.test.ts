import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf, configMap, fails, refTo } from '../testing/client-of.ts';
import { ServerDouble } from '../testing/server-double.ts';

test('finds kinds through aggregated discovery, and reads it again when one is missed', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { settings: { discoveryMissMs: 0 } });
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
  await using client = clientOf(double, { settings: { discoveryMissMs: 60_000 } });
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
  await using client = clientOf(double, { settings: { discoveryMissMs: 0 } });
  assert.equal(await client.get(refTo('a')), undefined);
  double.served = false;
  assert.equal((await fails(client.get(refTo('a')))).code, 'kube/kind-not-found');
});

test('a path that is not served any more says nothing of the object, however short ago it was', async () => {
  await using double = await ServerDouble.start({ protocol: 'h2' });
  await using client = clientOf(double, { settings: { discoveryMissMs: 60_000 } });
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
