import { badInputSuite, canary } from './bad-input.suite.ts';
import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';

const environment = { TIPHYS_CANARY: canary };
await withWorld({ prefix: 'bad', cluster: clusterUnderTest(), environment }, badInputSuite);
