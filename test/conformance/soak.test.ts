import { soakSuite } from './soak.suite.ts';
import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';

await withWorld({ prefix: 'soak', cluster: clusterUnderTest() }, soakSuite);
