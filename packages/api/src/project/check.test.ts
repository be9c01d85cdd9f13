import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeFinding } from '../schema/findings.ts';
import { parseAppProject } from './check.ts';

const project = (spec: object): unknown => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'team', namespace: 'argocd' },
  spec,
});

const cases: [string, object, string[]][] = [
  ['an empty one', {}, []],
  [
    'a kind in the wrong group (DISC-07)',
    {
      namespaceResourceBlacklist: [
        { group: '', kind: 'ResourceQuota' },
        { group: '', kind: 'NetworkPolicy' },
      ],
    },
    [
      'spec.namespaceResourceBlacklist[1].group: no kind NetworkPolicy in the core group, so this matches nothing; ' +
        'did you mean group networking.k8s.io? (DISC-07)',
    ],
  ],
  [
    'a destination that denies everything',
    { destinations: [{ server: '!*', namespace: 'a' }] },
    ['spec.destinations[0].server: "!*" denies everything; leave the entry out instead'],
  ],
  [
    'role names',
    { roles: [{ name: 'a b' }, { name: 'c' }, { name: 'c' }] },
    [
      'spec.roles[0].name: "a b" may hold letters, digits, "-" and "_" only',
      'spec.roles[2].name: "c" names another role already',
    ],
  ],
  [
    'windows',
    { syncWindows: [{ schedule: '* * * * *', duration: '1h' }, { kind: 'deny', duration: '1h' }, { kind: 'permit' }] },
    [
      'spec.syncWindows[2].kind: expected one of allow, deny, got the string "permit"',
      'spec.syncWindows[0].kind: is required: allow or deny',
      'spec.syncWindows[1].schedule: is required: a cron expression',
    ],
  ],
  ['a misspelt field', { sourceRepo: ['*'] }, ['spec.sourceRepo: unknown field; did you mean "sourceRepos"?']],
];
describe('reading a project', () => {
  for (const [name, spec, expected] of cases)
    test(name, () => {
      const { problems, warnings } = parseAppProject(project(spec), { mode: 'create' });
      assert.deepEqual([...problems, ...warnings].map(describeFinding), expected);
    });
});
