import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeFinding } from '../schema/findings.ts';
import { parseYaml } from '../yaml.ts';
import { type Application, isAutomated, projectOf, sourcesOf } from './application.ts';
import { parseApplication } from './check.ts';

const plain = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://example.com/r.git', path: 'k8s', targetRevision: 'HEAD' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
  },
};

const withSpec = (spec: object): unknown => ({ ...plain, spec: { ...plain.spec, ...spec } });

function found(value: unknown, mode: 'create' | 'read' = 'create'): { problems: string[]; warnings: string[] } {
  const { problems, warnings } = parseApplication(value, { mode });
  return { problems: problems.map(describeFinding), warnings: warnings.map(describeFinding) };
}

test('APP-01 a complete application has nothing to say about it', () => {
  assert.deepEqual(found(plain), { problems: [], warnings: [] });
});

test('APP-01 the group argocd.io is read as argoproj.io, with a warning (DISC-01)', () => {
  const read = parseApplication({ ...plain, apiVersion: 'argocd.io/v1alpha1' }, { mode: 'create' });
  assert.equal(read.value.apiVersion, 'argoproj.io/v1alpha1');
  assert.deepEqual(read.problems, []);
  assert.deepEqual(read.warnings.map(describeFinding), [
    'apiVersion: argocd.io/v1alpha1 is read as argoproj.io/v1alpha1; write that (DISC-01)',
  ]);
});

test('APP-02 a missing project is default, with a warning (DISC-05)', () => {
  const read = parseApplication(withSpec({ project: undefined }), { mode: 'create' });
  assert.equal(projectOf(read.value.spec), 'default');
  assert.deepEqual(read.warnings.map(describeFinding), ['spec.project: is missing; `default` is used (DISC-05)']);
});

describe('APP-03 where the manifests come from', () => {
  const repoURL = 'https://example.com/r.git';
  const cases: [string, object, string[]][] = [
    ['nothing', { source: undefined }, ['spec.source: is required (or `sources`, or `sourceHydrator`)']],
    [
      'neither path nor chart',
      { source: { repoURL } },
      ['spec.source: has neither `path` nor `chart`; name the folder in Git (`path: .` for the root) or the chart'],
    ],
    [
      'both',
      { source: { repoURL, path: 'a', chart: 'b', targetRevision: '1' } },
      ['spec.source: has both `path` and `chart`; `path` is for Git, `chart` for a chart repository'],
    ],
    [
      'a chart without a version',
      { source: { repoURL, chart: 'b' } },
      ['spec.source.targetRevision: is required for a chart: its version or a range such as `1.x`'],
    ],
    ['no URL', { source: { path: 'a' } }, ['spec.source.repoURL: is required']],
    [
      'two tools',
      { source: { repoURL, path: 'a', helm: { releaseName: 'x' }, kustomize: { namePrefix: 'y' } } },
      ['spec.source: names helm and kustomize; a source has settings for one of them'],
    ],
    ['an empty block beside another', { source: { repoURL, path: 'a', helm: {}, directory: { recurse: true } } }, []],
    [
      'several sources',
      {
        sources: [
          { repoURL, path: 'a' },
          { repoURL, ref: 'values' },
        ],
      },
      [],
    ],
    [
      'two sources of one name',
      {
        sources: [
          { repoURL, path: 'a', ref: 'v' },
          { repoURL, ref: 'v' },
        ],
      },
      ['spec.sources[1].ref: "v" names another source already'],
    ],
    [
      'a wrong ref',
      { sources: [{ repoURL, path: 'a', ref: '$v' }] },
      ['spec.sources[0].ref: may hold letters, digits, `_` and `-` only'],
    ],
    ['an image in a registry', { source: { repoURL: 'oci://example.com/app' } }, []],
  ];
  for (const [name, spec, problems] of cases)
    test(`APP-03 ${name}`, () => {
      assert.deepEqual(found(withSpec(spec)).problems, problems);
    });
});

describe('APP-04 where the objects go', () => {
  test('APP-04 by both names', () => {
    assert.deepEqual(found(withSpec({ destination: { server: 'https://a', name: 'a' } })).problems, [
      'spec.destination: has both `server` and `name`; a cluster is named by one of them',
    ]);
  });
  test('APP-04 by none', () => {
    assert.deepEqual(found(withSpec({ destination: { namespace: 'a' } })).problems, [
      'spec.destination: names no cluster: set `server` (https://kubernetes.default.svc is this one) or `name`',
    ]);
  });
});

test('APP-05 several destinations are refused with the ApplicationSet to use (DISC-02)', () => {
  const { project, source } = plain.spec;
  const spec = { project, source };
  const destinations = [
    { server: 'https://one', namespace: 'a' },
    { server: 'https://two', namespace: 'b' },
  ];
  for (const mode of ['create', 'read'] as const) {
    const { problems } = parseApplication({ ...plain, spec: { ...spec, destinations } }, { mode });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['spec.destinations'],
    );
    const message = problems[0]?.message ?? '';
    assert.match(message, /^an Application has one `destination`; use an ApplicationSet/);
    const set = parseYaml(message.slice(message.indexOf('\n') + 1));
    assert.deepEqual(set, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'shop', namespace: 'argocd' },
      spec: {
        generators: [
          {
            list: {
              elements: [
                { index: '1', server: 'https://one', namespace: 'a' },
                { index: '2', server: 'https://two', namespace: 'b' },
              ],
            },
          },
        ],
        template: {
          metadata: { name: 'shop-{{index}}' },
          spec: { ...spec, destination: { server: '{{server}}', namespace: '{{namespace}}' } },
        },
      },
    });
  }
});

test('APP-06 automation is on by its presence unless enabled is false', () => {
  const spec = (automated?: object): Application['spec'] => ({
    destination: {},
    syncPolicy: { ...(automated && { automated }) },
  });
  assert.deepEqual(
    [spec(), spec({}), spec({ enabled: true }), spec({ enabled: false, prune: true })].map(isAutomated),
    [false, true, true, false],
  );
});

describe('APP-07 ignore rules', () => {
  test('APP-07 one without kind', () => {
    assert.deepEqual(found(withSpec({ ignoreDifferences: [{ group: 'apps', jsonPointers: ['/a'] }] })).problems, [
      'spec.ignoreDifferences[0].kind: is required',
    ]);
  });
  for (const bad of ['spec/replicas', '/a~2b', '/a~'])
    test(`APP-07 the pointer ${bad}`, () => {
      const { problems } = found(
        withSpec({ ignoreDifferences: [{ kind: 'Deployment', jsonPointers: ['/ok~1x', bad] }] }),
      );
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', /^spec\.ignoreDifferences\[0\]\.jsonPointers\[1\]: ".*" is no JSON pointer/);
    });
});

describe('APP-08 unknown fields', () => {
  const value = withSpec({ syncPolicy: { automated: { selfheal: true } } });
  const line = 'spec.syncPolicy.automated.selfheal: unknown field; did you mean "selfHeal"?';
  test('APP-08 refuse a new application', () => {
    assert.deepEqual(found(value, 'create'), { problems: [line], warnings: [] });
  });
  test('APP-08 are warned about on a stored one, and kept', () => {
    assert.deepEqual(found(value, 'read'), { problems: [], warnings: [line] });
    assert.equal(parseApplication(value, { mode: 'read' }).value, value);
  });
});

describe('sync options', () => {
  test('one that is misspelt refuses a new application and is told on a stored one', () => {
    const value = withSpec({ syncPolicy: { syncOptions: ['CreateNamespace=true', 'CreateNamepsace=true'] } });
    const line =
      'spec.syncPolicy.syncOptions[1]: unknown sync option "CreateNamepsace=true"; did you mean "CreateNamespace"?';
    assert.deepEqual(found(value, 'create').problems, [line]);
    assert.deepEqual(found(value, 'read'), { problems: [], warnings: [line] });
  });
  test('one that nobody knows is only told: it may be of the future', () => {
    assert.deepEqual(found(withSpec({ syncPolicy: { syncOptions: ['Teleport=true'] } })), {
      problems: [],
      warnings: ['spec.syncPolicy.syncOptions[0]: unknown sync option "Teleport=true"'],
    });
  });
  test('a value that an option does not take', () => {
    assert.deepEqual(found(withSpec({ syncPolicy: { syncOptions: ['PrunePropagationPolicy=soon'] } })).warnings, [
      'spec.syncPolicy.syncOptions[0]: sync option PrunePropagationPolicy takes foreground, background, orphan, not "soon"',
    ]);
  });
});

test('a retry wait that is no duration', () => {
  const retry = (duration: string): string[] =>
    found(withSpec({ syncPolicy: { retry: { backoff: { duration } } } })).problems;
  assert.deepEqual(['5s', '3m0s', '1h30m', '15', '1.5m'].flatMap(retry), []);
  assert.deepEqual(retry('soon'), [
    'spec.syncPolicy.retry.backoff.duration: "soon" is no duration such as 5s, 3m or 1h30m',
  ]);
});

test('a status that another controller wrote badly makes no application invalid', () => {
  const { problems, warnings } = found({ ...plain, status: { sync: { status: 'Fine' }, future: 1 } }, 'read');
  assert.deepEqual(problems, []);
  assert.equal(warnings.length, 2);
});

test('the sources in force: sources win over source, hydration over both', () => {
  const source = { repoURL: 'a', path: 'x' };
  const sources = [{ repoURL: 'b', path: 'y' }];
  const sourceHydrator = {
    drySource: { repoURL: 'c', path: 'z', targetRevision: 'main' },
    syncSource: { targetBranch: 'live', path: 'out' },
  };
  const destination = {};
  assert.deepEqual(sourcesOf({ destination, source }), [source]);
  assert.deepEqual(sourcesOf({ destination, source, sources: [] }), [source]);
  assert.deepEqual(sourcesOf({ destination, source, sources }), sources);
  assert.deepEqual(sourcesOf({ destination, source, sources, sourceHydrator }), [
    { repoURL: 'c', targetRevision: 'live', path: 'out' },
  ]);
});
