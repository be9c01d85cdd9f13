import { exampleAppsSuite } from './example-apps.suite.ts';
import { clusterUnderTest } from './harness/clusters.ts';
import { withWorld } from './harness/world.ts';

// The parent of the examples puts its children into `argocd`, so this controller works there.
await withWorld({ prefix: 'examples', cluster: clusterUnderTest(), namespace: 'argocd' }, exampleAppsSuite);
