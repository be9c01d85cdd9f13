import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoded } from '@tiphys/api';
import { findCluster, isLocal, localCluster, readCluster, requireCluster } from './registered-clusters.ts';

const secret = (server: string, name = '') =>
  readCluster({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { server: Buffer.from(server).toString('base64'), name: Buffer.from(name).toString('base64') },
  });

test('a destination means a cluster by URL, else by name', () => {
  const clusters = [secret('https://a.example.com/', 'a'), secret('https://b.example.com')];
  assert.equal(findCluster({ server: 'https://a.example.com/' }, clusters)?.name, 'a');
  assert.equal(findCluster({ name: 'a' }, clusters)?.server, 'https://a.example.com');
  assert.equal(findCluster({ name: 'https://b.example.com' }, clusters)?.server, 'https://b.example.com');
  assert.deepEqual(findCluster({ name: 'in-cluster' }, clusters), localCluster);
  assert.deepEqual(findCluster({ server: 'https://kubernetes.default.svc/' }, clusters), localCluster);
  assert.equal(findCluster({}, clusters), undefined);
});
test('a Secret for the local URL renames the local cluster', () => {
  const renamed = [secret('https://kubernetes.default.svc', 'home')];
  const found = findCluster({ name: 'home' }, renamed);
  assert.ok(found !== undefined && isLocal(found));
  assert.equal(findCluster({ name: 'in-cluster' }, renamed), undefined);
});
test('the error names what was wanted and what is registered', () => {
  assert.throws(
    () => requireCluster({ name: 'c' }, [secret('https://a.example.com', 'a')]),
    (error: unknown) =>
      isCoded(error, 'api/invalid-object') && /"c" is registered; registered are: in-cluster, a$/.test(error.message),
  );
});
