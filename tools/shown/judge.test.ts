import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorOf, judge, requirementsNamed, type Showing } from './judge.ts';

const showing = (over: Partial<Showing>): Showing => ({
  id: 'SYNC-01',
  file: 'test/conformance/sync.test.ts',
  door: 'cluster',
  cluster: 'embedded',
  outcome: 'passed',
  ...over,
});

const because: readonly [string, string, readonly Showing[], string | undefined][] = [
  ['nothing names it', 'SYNC-01', [], 'no test'],
  ['only written', 'SYNC-01', [showing({ outcome: 'not run' })], 'not run'],
  ['the test has changed since', 'SYNC-01', [showing({ outcome: 'stale' })], 'stale: run it again'],
  ['a pure function', 'REPO-01', [showing({ door: 'unit table', cluster: 'none' })], 'unit table only'],
  ['a cluster requirement, embedded only', 'SYNC-01', [showing({})], 'not on the real one'],
  ['both', 'SYNC-01', [showing({}), showing({ cluster: 'real' })], undefined],
  ['no cluster requirement, embedded only', 'REPO-01', [showing({})], undefined],
  ['one passes, one fails', 'SYNC-01', [showing({ cluster: 'real' }), showing({ outcome: 'failed' })], 'a test fails'],
];
for (const [name, id, showings, expected] of because) {
  test(`an ID counts or not: ${name}`, () => assert.equal(judge(id, showings).because, expected));
}

test('a verdict names files, doors and clusters of what counts', () => {
  const verdict = judge('SYNC-01', [
    showing({}),
    showing({ cluster: 'real' }),
    showing({ door: 'unit table', file: 'x.test.ts' }),
  ]);
  assert.deepEqual(verdict, {
    id: 'SYNC-01',
    files: ['test/conformance/sync.test.ts'],
    doors: ['cluster'],
    clusters: ['embedded', 'real'],
  });
});

const doors = [
  ['packages/engine/src/sync/plan.test.ts', 'unit table'],
  ['packages/cli/src/app/get.cli.test.ts', 'cli'],
  ['packages/kube/src/client/watch.cluster.test.ts', 'cluster'],
  ['test/conformance/engine.test.ts', 'cluster'],
  ['test/e2e/start.test.ts', 'cli'],
] as const;
for (const [file, door] of doors) test(`the door of ${file} is ${door}`, () => assert.equal(doorOf(file), door));

test('IDs are read from the beginning of a name only', () => {
  assert.deepEqual(requirementsNamed('SYNC-12 prunes last'), ['SYNC-12']);
  assert.deepEqual(requirementsNamed('SYNC-12, DIFF-03: both'), ['SYNC-12', 'DIFF-03']);
  assert.deepEqual(requirementsNamed('a class in the wrong group (DISC-07)'), []);
});
