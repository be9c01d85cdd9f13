import { embeddedCluster } from './cluster-under-test.suite.ts';
import { compareSuite } from './compare.suite.ts';

compareSuite(embeddedCluster);
