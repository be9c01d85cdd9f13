import { embeddedCluster } from './cluster-under-test.suite.ts';
import { processSuite } from './process.suite.ts';

processSuite(embeddedCluster);
