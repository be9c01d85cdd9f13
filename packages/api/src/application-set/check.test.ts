import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeFinding } from '../schema/findings.ts';
import { parseApplicationSet } from './check.ts';

const template = {
  metadata: { name: '{{name}}' },
  spec: { project: 'default', destination: { server: '{{server}}' }, source: { repoURL: 'r', path: 'p' } },
};
const set = (generators: unknown, more: object = {}): unknown => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'all', namespace: 'argocd' },
  spec: { generators, template, ...more },
});

const element = { list: { elements: [{ name: 'a', nested: { any: [1] } }] } };
const cases: [string, unknown, string[]][] = [
  ['a list', set([element]), []],
  ['an empty clusters generator', set([{ clusters: {} }]), []],
  [
    'matrix in matrix, one level',
    set([{ matrix: { generators: [element, { matrix: { generators: [element, { clusters: {} }] } }] } }]),
    [],
  ],
  [
    'a generator that overrides part of the template',
    set([{ list: { elements: [], template: { spec: { project: 'other' } } } }]),
    [],
  ],
  ['no generators', set(undefined), ['spec.generators: is required']],
  [
    'a generator of no kind',
    set([{ selector: {} }]),
    [
      'spec.generators[0]: has none; a generator is exactly one of list, clusters, git, scmProvider, ' +
        'clusterDecisionResource, pullRequest, plugin, matrix, merge',
    ],
  ],
  [
    'a matrix of three',
    set([{ matrix: { generators: [element, element, element] } }]),
    ['spec.generators[0].matrix.generators: must have exactly two generators'],
  ],
  [
    'a merge without keys',
    set([{ merge: { generators: [element, element] } }]),
    ['spec.generators[0].merge.mergeKeys: must name at least one parameter'],
  ],
  [
    'a misspelt field deep inside',
    set([{ git: { repoURL: 'r', directorys: [{ path: 'a/*' }] } }]),
    ['spec.generators[0].git.directorys: unknown field; did you mean "directories"?'],
  ],
];
describe('reading an application set', () => {
  for (const [name, value, expected] of cases)
    test(name, () => {
      const { problems } = parseApplicationSet(value, { mode: 'create' });
      assert.deepEqual(problems.map(describeFinding), expected);
    });
});
