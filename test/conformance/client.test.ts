import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, test } from 'node:test';
import { clientSuite } from './client.suite.ts';
import { ClusterAbsent, clusterUnderTest, openCluster, type TestCluster } from './harness/clusters.ts';

const namespace = `client-${process.pid.toString(36)}`;
const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };

async function run(cluster: TestCluster): Promise<void> {
  after(async () => {
    await cluster.client.delete({ gvk: { group: '', version: 'v1', kind: 'Namespace' }, name: namespace });
    await cluster[Symbol.asyncDispose]();
  });
  await cluster.client.apply(object, { fieldManager: 'client-suite' });
  const { kubeconfigPath } = cluster;
  clientSuite({ kubeconfig: await readFile(kubeconfigPath, 'utf8'), baseDir: dirname(kubeconfigPath), namespace });
}

try {
  await run(await openCluster(clusterUnderTest()));
} catch (error) {
  if (!(error instanceof ClusterAbsent)) throw error;
  test('the client on a cluster', { skip: error.message }, () => undefined);
}
