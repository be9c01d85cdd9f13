import { engineSuite } from './engine.suite.ts';
import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';

await withWorld({ prefix: 'engine', cluster: clusterUnderTest() }, engineSuite);
