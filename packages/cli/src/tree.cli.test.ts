import { embeddedCluster } from './cluster-under-test.suite.ts';
import { treeSuite } from './tree.suite.ts';

treeSuite(() => embeddedCluster('on'));
