import { describe, test } from 'node:test';
import { givenCluster } from './cluster-under-test.suite.ts';
import { processSuite } from './process.suite.ts';

const given = await givenCluster();
if (given === undefined)
  test('the command line on the real control plane', { skip: 'runs with npm run test:cluster' }, () => undefined);
else describe('on the real control plane', () => processSuite(() => Promise.resolve(given)));
