import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { benchApplications, Monorepo } from './monorepo.ts';

test('half Helm, a quarter Kustomize, the rest $ref values and plain folders', () => {
  const byShape = Map.groupBy(benchApplications(1000, 'mixed'), ({ shape }) => shape);
  const counts = Object.fromEntries([...byShape].map(([shape, applications]) => [shape, applications.length]));
  assert.deepEqual(counts, { helm: 500, kustomize: 250, 'multi-source': 125, plain: 125 });
});

test('the first applications are the same whatever the count', () => {
  assert.deepEqual(benchApplications(300, 'mixed').slice(0, 100), benchApplications(100, 'mixed'));
});

test('an edit commits one file, and nothing else', async () => {
  const applications = benchApplications(8, 'mixed');
  await using repository = await Monorepo.create(applications);
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: repository.directory, encoding: 'utf8' }).trim();
  for (const application of applications) {
    const commit = await repository.touch(application);
    assert.equal(git('rev-parse', 'main'), commit);
    const changed = git('diff', '--name-only', 'HEAD~1', 'HEAD').split('\n');
    assert.equal(changed.length, 1, changed.join(' '));
    assert.match(changed[0] ?? '', new RegExp(application.name));
  }
  await repository.touchBase(0);
  assert.deepEqual(git('diff', '--name-only', 'HEAD~1', 'HEAD').split('\n'), ['bases/base-000/settings.yaml']);
});
