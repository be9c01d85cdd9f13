import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';
import { installationSuite } from './installation.suite.ts';

// A foreign controller concerns everybody who works on a cluster: this needs one for itself.
const cluster = clusterUnderTest() === 'embedded' ? 'embedded' : 'real';
await withWorld({ prefix: 'install', cluster }, installationSuite);
