import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Application, CodedError } from '@tiphys/api';
import { withFlags } from './spec-flags.ts';

type Spec = Application['spec'];
const empty: Spec = { destination: {} };
const plain: Spec = { destination: { server: 'https://a', namespace: 'n' }, source: { repoURL: 'r', path: 'p' } };

const cases: [string, Spec, Record<string, unknown>, Spec][] = [
  [
    'APP-10 a plain application',
    empty,
    {
      repo: 'r',
      path: 'p',
      destServer: 'https://a',
      destNamespace: 'n',
      syncPolicy: 'automated',
      autoPrune: true,
      selfHeal: true,
    },
    { ...plain, syncPolicy: { automated: { prune: true, selfHeal: true } } },
  ],
  [
    'APP-10 a chart',
    empty,
    { repo: 'r', helmChart: 'c', revision: '1.x' },
    { destination: {}, source: { repoURL: 'r', chart: 'c', targetRevision: '1.x' } },
  ],
  [
    'a cluster by name takes its URL away',
    plain,
    { destName: 'b' },
    { ...plain, destination: { name: 'b', namespace: 'n' } },
  ],
  [
    'automation off',
    { ...plain, syncPolicy: { automated: { prune: true }, syncOptions: ['A=true'] } },
    { syncPolicy: 'none' },
    { ...plain, syncPolicy: { syncOptions: ['A=true'] } },
  ],
  [
    'automation on keeps what it has',
    { ...plain, syncPolicy: { automated: { prune: true } } },
    { syncPolicy: 'auto', selfHeal: false },
    { ...plain, syncPolicy: { automated: { prune: true, selfHeal: false } } },
  ],
  [
    'sync options replace their namesakes, and go with a "!"',
    { ...plain, syncPolicy: { syncOptions: ['Prune=false', 'Validate=false', 'Replace=true'] } },
    { syncOption: ['Prune=true', '!Replace=true'] },
    { ...plain, syncPolicy: { syncOptions: ['Validate=false', 'Prune=true'] } },
  ],
  [
    'Helm parameters replace their namesakes where they stand',
    {
      ...plain,
      source: {
        repoURL: 'r',
        helm: {
          parameters: [
            { name: 'a', value: '1' },
            { name: 'b', value: '2' },
          ],
        },
      },
    },
    { helmSet: ['a=3'], helmSetString: ['c=4=5'], values: ['v.yaml'], valuesLiteralFile: 'x: 1' },
    {
      ...plain,
      source: {
        repoURL: 'r',
        helm: {
          parameters: [
            { name: 'a', value: '3' },
            { name: 'b', value: '2' },
            { name: 'c', value: '4=5', forceString: true },
          ],
          valueFiles: ['v.yaml'],
          values: 'x: 1',
        },
      },
    },
  ],
  [
    'images replace those of the same name where they stand, and an empty text takes a setting away',
    {
      ...plain,
      source: { repoURL: 'r', kustomize: { images: ['a=x:1', 'registry:5000/b:1', 'c@sha256:0'], nameSuffix: '-s' } },
    },
    { kustomizeImage: ['a=y:2', 'registry:5000/b:2'], kustomizeReplica: ['web=3'], nameprefix: 'p-', namesuffix: '' },
    {
      ...plain,
      source: {
        repoURL: 'r',
        kustomize: {
          images: ['a=y:2', 'registry:5000/b:2', 'c@sha256:0'],
          replicas: [{ name: 'web', count: 3 }],
          namePrefix: 'p-',
        },
      },
    },
  ],
  [
    'folders and Jsonnet',
    plain,
    { directoryRecurse: true, directoryInclude: '*.yaml', jsonnetExtVarStr: ['a=1'], jsonnetExtVarCode: ['b=2'] },
    {
      ...plain,
      source: {
        repoURL: 'r',
        path: 'p',
        directory: {
          recurse: true,
          include: '*.yaml',
          jsonnet: {
            extVars: [
              { name: 'a', value: '1' },
              { name: 'b', value: '2', code: true },
            ],
          },
        },
      },
    },
  ],
  [
    'retries',
    plain,
    { syncRetryLimit: 3, syncRetryBackoffDuration: '5s', syncRetryBackoffFactor: 2, syncRetryBackoffMaxDuration: '3m' },
    { ...plain, syncPolicy: { retry: { limit: 3, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } } } },
  ],
  ['a project alone', plain, { project: 'x' }, { ...plain, project: 'x' }],
];

describe('flags and the specification that they make', () => {
  for (const [name, before, given, expected] of cases)
    test(name, () => {
      assert.deepEqual(withFlags(before, given), expected);
    });

  test('one of several sources, by its position', () => {
    const spec: Spec = { destination: {}, sources: [{ repoURL: 'a' }, { repoURL: 'b' }] };
    assert.deepEqual(withFlags(spec, { revision: 'v2' }, 2).sources, [
      { repoURL: 'a' },
      { repoURL: 'b', targetRevision: 'v2' },
    ]);
    for (const position of [undefined, 0, 3])
      assert.throws(
        () => withFlags(spec, { revision: 'v2' }, position),
        (error) => error instanceof CodedError && error.code === 'cli/usage',
      );
  });
  for (const [name, given] of [
    ['a policy that nobody knows', { syncPolicy: 'sometimes' }],
    ['pruning without automation', { autoPrune: true }],
    ['a parameter without value', { helmSet: ['a'] }],
  ] as const)
    test(`${name} is refused`, () => {
      assert.throws(
        () => withFlags(plain, given),
        (error) => error instanceof CodedError && error.code === 'cli/usage',
      );
    });
});
