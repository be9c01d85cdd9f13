import { embeddedCluster } from './cluster-under-test.suite.ts';
import { changeSuite } from './change.suite.ts';

changeSuite(embeddedCluster, 'unchecked');
