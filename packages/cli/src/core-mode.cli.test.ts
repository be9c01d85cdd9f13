import { embeddedCluster } from './cluster-under-test.suite.ts';
import { coreModeSuite } from './core-mode.suite.ts';

coreModeSuite(embeddedCluster);
