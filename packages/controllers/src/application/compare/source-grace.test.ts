import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError, parseApplication } from '@tiphys/api';
import { toleratedUntil } from './source-grace.ts';

const source = { repoURL: 'https://git.example.com/x', path: 'app', targetRevision: 'main' };

const application = (sync: object | undefined, spec: object = { source }) =>
  parseApplication(
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'a', namespace: 'argocd' },
      spec: { project: 'default', destination: { name: 'in-cluster' }, ...spec },
      ...(sync !== undefined && { status: { sync } }),
    },
    { mode: 'read' },
  ).value;

const good = { status: 'Synced', revision: '0123', comparedTo: { source } };
const unreachable = new CodedError('git/unreachable', 'no answer');
const failure = { error: unreachable, asked: false, sinceMs: 1_000 };
const grace = { graceMs: 180_000, nowMs: 1_000 };

const cases: readonly (readonly [string, Parameters<typeof toleratedUntil>, boolean])[] = [
  ['the first failure after a good comparison', [application(good), failure, grace], true],
  ['OutOfSync is as good', [application({ ...good, status: 'OutOfSync' }), failure, grace], true],
  ['just before the end', [application(good), failure, { ...grace, nowMs: 180_999 }], true],
  ['at the end', [application(good), failure, { ...grace, nowMs: 181_000 }], false],
  ['no grace is configured', [application(good), failure, { ...grace, graceMs: 0 }], false],
  ['never compared', [application(undefined), failure, grace], false],
  ['Unknown before', [application({ ...good, status: 'Unknown' }), failure, grace], false],
  [
    'compared with another source',
    [application(good, { source: { ...source, repoURL: 'https://nowhere.example.com/x' } }), failure, grace],
    false,
  ],
  ['one source became several', [application(good, { sources: [source, source] }), failure, grace], false],
  [
    'several sources, as compared',
    [application({ ...good, comparedTo: { sources: [source] } }, { sources: [source] }), failure, grace],
    true,
  ],
  ['somebody asked', [application(good), { ...failure, asked: true }, grace], false],
  [
    'the revision is gone',
    [application(good), { ...failure, error: new CodedError('git/revision-not-found', 'gone') }, grace],
    false,
  ],
  [
    'the cluster cannot be read',
    [application(good), { ...failure, error: new CodedError('kube/unreachable', 'gone') }, grace],
    false,
  ],
  ['something without a code', [application(good), { ...failure, error: new Error('what?') }, grace], false],
];

for (const [title, input, tolerated] of cases)
  test(`REC-15 ${title}: ${tolerated ? 'the verdict stays' : 'it is told'}`, () => {
    assert.equal(toleratedUntil(...input)?.getTime(), tolerated ? 181_000 : undefined);
  });
