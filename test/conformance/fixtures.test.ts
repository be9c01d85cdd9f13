import { fixturesSuite } from './fixtures.suite.ts';
import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';

await withWorld({ prefix: 'fixtures', cluster: clusterUnderTest() }, fixturesSuite);
